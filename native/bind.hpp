// What each component adds to the module, and the arrays that it takes.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "bind_array.hpp"

namespace farthing {

// C-contiguous numpy arrays, in memory of the CPU, that an object is made of and may keep; those of a call are `Values`.
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

// What kernels take for granted of arrays, and numpy does not promise: they start where their type may.
template <typename Values>
bool is_aligned(const Values& array) {
    return reinterpret_cast<std::uintptr_t>(array.data()) % sizeof(*array.data()) == 0;
}

template <typename Values>
bool is_aligned(const std::optional<Values>& array) {
    return !array || is_aligned(*array);
}

template <typename... Arrays>
void check_aligned(const Arrays&... arrays) {
    check((is_aligned(arrays) && ...), "arrays must be aligned to their type");
}

template <typename Out, typename Values>
bool overlap(const Out& out, const Values& array) {
    return overlap(out.data(), out.nbytes(), array.data(), array.nbytes());
}

template <typename Out, typename Values>
bool overlap(const Out& out, const std::optional<Values>& array) {
    return array && overlap(out, *array);
}

// What is written shares no memory with anything else.
template <typename Out, typename... Arrays>
void check_apart(const Out& out, const Arrays&... others) {
    check(!(overlap(out, others) || ...), "out must not overlap another array");
}

void bind_bags(nanobind::module_& module);
void bind_conv(nanobind::module_& module);
void bind_quantize(nanobind::module_& module);
void bind_product(nanobind::module_& module);
void bind_clicks(nanobind::module_& module);
void bind_rows(nanobind::module_& module);
void bind_coder(nanobind::module_& module);
void bind_ranker(nanobind::module_& module);

}  // namespace farthing
