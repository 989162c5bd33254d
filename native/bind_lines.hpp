// Where the features of a row stand in a line, as arguments of Python.
#pragma once

#include <cstdint>
#include <vector>

#include "bind.hpp"
#include "lines.hpp"

namespace farthing {

using ColumnNumbers = Array<const std::uint32_t, nanobind::ndim<1>>;

inline std::vector<std::uint32_t> checked_columns(ColumnNumbers columns, std::size_t num_columns) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
        check(columns(i) < num_columns, "a column is not one of the line's");
    }
    return {columns.data(), columns.data() + columns.size()};
}

inline LineLayout checked_layout(char separator, std::size_t num_columns, ColumnNumbers dense, ColumnNumbers fields) {
    check_aligned(dense, fields);
    check(num_columns > 0 && separator != '\n', "a line has columns, and newlines end it");
    return {separator, num_columns, checked_columns(dense, num_columns), checked_columns(fields, num_columns)};
}

}  // namespace farthing
