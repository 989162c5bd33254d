// Texts given to other libraries without a copy: Arrow's C data interface (https://arrow.apache.org/docs/format/CDataInterface.html).
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "strings.hpp"

namespace farthing {

// (schema, array) as the capsules that `__arrow_c_array__` returns; the texts live as long as somebody has the array.
nanobind::tuple arrow_capsules(std::shared_ptr<const Strings> strings);

}  // namespace farthing
