// Everything a tier must offer, as one struct of function pointers.
//
// A kernel takes raw pointers and sizes and does arithmetic, nothing else: no Python, allocation, locks, output or
// exceptions. Its arguments were checked by bindings; arrays do not overlap unless a kernel says that they may. Unless it
// says otherwise it needs no alignment and handles any size, zero included. Integer results are equal in all tiers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bags.hpp"
#include "tiles.hpp"

namespace farthing {

// How float inputs become integers (docs/format.md, "Products").
enum class Activation : std::uint8_t { bits1 = 1, bits2 = 2, bits4 = 4, bits8 = 8 };

// The vectors of one sample that interact, of `dim` floats each: `first`, unless it is null, then `num_rest` at `rest`.
struct Vectors {
    const float* first;
    const float* rest;
    std::size_t num_rest;
    std::size_t dim;
};

// How many floats `interact` needs to work in. `static`: a tier must not export a weak copy.
static constexpr std::size_t interact_scratch(std::size_t num_vectors, std::size_t dim) noexcept {
    return (num_vectors + 15) / 16 * 16 * dim;
}

struct Kernels {
    // out[i] = integer of x[i], in [-128, 127]: quantize.inl.hpp.
    void (*quantize)(const float* x, std::size_t count, float scale, Activation bits, std::int8_t* out);

    // Bit i % 8 of out[i / 8] is 1 where x[i] < 0; the last byte is filled up with zeros.
    void (*pack_signs)(const float* x, std::size_t count, std::uint8_t* out);

    // Quantized rows times tiles of a packed weight: tiles.hpp, linear.inl.hpp, lookup.inl.hpp, binary.inl.hpp.
    void (*multiply_integers)(const TiledWeight& weight, const ProductCall& call);
    void (*multiply_signs_by_lookup)(const TiledWeight& weight, const ProductCall& call);
    void (*multiply_signs_by_popcount)(const TiledWeight& weight, const ProductCall& call);

    // out[(b - first) * out_stride + column] = pooled value of bag b, for bags [first, last) of all: bag_sum.inl.hpp.
    void (*bag_sum_i32)(const PackedTable& table, const Bags<std::int32_t>& bags, std::size_t first, std::size_t last,
                        float* out, std::size_t out_stride);
    void (*bag_sum_i64)(const PackedTable& table, const Bags<std::int64_t>& bags, std::size_t first, std::size_t last,
                        float* out, std::size_t out_stride);

    // Position of the first number outside [0, limit), or count.
    std::size_t (*first_outside_i32)(const std::int32_t* numbers, std::size_t count, std::size_t limit);
    std::size_t (*first_outside_i64)(const std::int64_t* numbers, std::size_t count, std::size_t limit);

    // Position of the first number that is below the one before it, or count.
    std::size_t (*first_descent_i32)(const std::int32_t* numbers, std::size_t count);
    std::size_t (*first_descent_i64)(const std::int64_t* numbers, std::size_t count);

    // The positions of all bytes of text, at most 4 GB, that are `separator` or a newline, ascending, to `marks`, which
    // has room for `size` + 8 of them; returns how many there are: marks.inl.hpp.
    std::size_t (*find_marks)(const char* text, std::size_t size, char separator, std::uint32_t* marks);

    // out[i (i - 1) / 2 + j] = vector i . vector j for all i > j, with interact_scratch floats: interact.inl.hpp.
    void (*interact)(const Vectors& vectors, float* scratch, float* out);
};

// One for each tier_*.cpp. A tier that the compiler cannot make for this architecture does not exist.
extern const Kernels scalar_kernels;
#if defined(__x86_64__)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#elif defined(__aarch64__)
extern const Kernels neon_kernels;
#endif

}  // namespace farthing
