// A packed table that lives in arrays of Python.
#pragma once

#include <optional>

#include "bags.hpp"
#include "bind.hpp"

namespace farthing {

// The table, and the arrays that its memory belongs to.
struct BoundTable {
    PackedTable table;
    Array<const std::uint8_t, nanobind::ndim<2>> codes;
    Array<const float, nanobind::ndim<1>> scale;
    std::optional<Array<const float, nanobind::ndim<1>>> offset;
    std::optional<Array<const std::int64_t, nanobind::ndim<1>>> group_starts;
};

}  // namespace farthing
