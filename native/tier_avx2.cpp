// The AVX2 tier: Intel Haswell, AMD Zen and later.
//
// All code is in an unnamed namespace and instantiates nothing from the standard library: what this file is compiled for
// must not leak, through a weak symbol that the linker may choose, into code that runs on a smaller CPU.
#include <immintrin.h>

#include "kernels.hpp"

namespace farthing {
namespace {

#include "simd_avx2.hpp"
#include "product_avx2.hpp"
#include "transpose_avx2.hpp"

#include "interact.inl.hpp"
#include "quantize.inl.hpp"

#include "outputs.inl.hpp"
#include "linear.inl.hpp"
#include "positive.inl.hpp"
#include "binary.inl.hpp"
#include "lookup.inl.hpp"

#include "bag_check.inl.hpp"
#include "bag_sum.inl.hpp"

#include "marks.inl.hpp"

}  // namespace

const Kernels avx2_kernels{
    .quantize = quantize,
    .pack_signs = pack_signs,
    .multiply_integers = multiply_integers_or_positive,
    .multiply_signs_by_lookup = multiply_signs_by_lookup,
    .multiply_signs_by_popcount = multiply_signs_by_popcount,
    .bag_sum_i32 = bag_sum<std::int32_t>,
    .bag_sum_i64 = bag_sum<std::int64_t>,
    .first_outside_i32 = first_outside<std::int32_t>,
    .first_outside_i64 = first_outside<std::int64_t>,
    .first_descent_i32 = first_descent<std::int32_t>,
    .first_descent_i64 = first_descent<std::int64_t>,
    .find_marks = find_marks,
    .interact = interact,
};

}  // namespace farthing
