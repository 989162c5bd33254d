// What each component adds to the module, and the arrays that it takes.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

namespace farthing {

// C-contiguous numpy arrays, in memory of the CPU.
template <typename T, typename Shape>
using Array = nanobind::ndarray<T, Shape, nanobind::c_contig, nanobind::device::cpu>;

void bind_bags(nanobind::module_& module);
void bind_quantize(nanobind::module_& module);
void bind_product(nanobind::module_& module);

}  // namespace farthing
