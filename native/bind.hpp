// What each component adds to the module, and the arrays that it takes.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <cstdint>

namespace farthing {

// C-contiguous numpy arrays, in memory of the CPU.
template <typename T, typename Shape>
using Array = nanobind::ndarray<T, Shape, nanobind::c_contig, nanobind::device::cpu>;

inline void check(bool is_right, const char* rule) {
    if (!is_right) throw nanobind::value_error(rule);
}

// Whether two blocks of memory share a byte.
inline bool overlap(const void* a, std::size_t a_size, const void* b, std::size_t b_size) {
    const auto a_first = reinterpret_cast<std::uintptr_t>(a), b_first = reinterpret_cast<std::uintptr_t>(b);
    return a_first < b_first + b_size && b_first < a_first + a_size;
}

void bind_bags(nanobind::module_& module);
void bind_conv(nanobind::module_& module);
void bind_quantize(nanobind::module_& module);
void bind_product(nanobind::module_& module);
void bind_clicks(nanobind::module_& module);
void bind_ranker(nanobind::module_& module);

}  // namespace farthing
