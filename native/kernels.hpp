// Everything a tier must offer, as one struct of function pointers.
//
// A kernel takes raw pointers and sizes and does arithmetic, nothing else: no Python, allocation, locks, output or
// exceptions. Its arguments were checked by bindings; arrays do not overlap unless a kernel says that they may. Unless it
// says otherwise it needs no alignment and handles any size, zero included. Integer results are equal in all tiers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tiles.hpp"

namespace farthing {

// How float inputs become integers (docs/format.md, "Products").
enum class Activation : std::uint8_t { bits1 = 1, bits2 = 2, bits4 = 4, bits8 = 8 };

struct Kernels {
    // out[i] = integer of x[i], in [-128, 127]: quantize.inl.hpp.
    void (*quantize)(const float* x, std::size_t count, float scale, Activation bits, std::int8_t* out);

    // Bit i % 8 of out[i / 8] is 1 where x[i] < 0; the last byte is filled up with zeros.
    void (*pack_signs)(const float* x, std::size_t count, std::uint8_t* out);

    // Quantized rows times tiles of a packed weight: tiles.hpp, linear.inl.hpp, binary.inl.hpp.
    void (*multiply_integers)(const TiledWeight& weight, const ProductCall& call);
    void (*multiply_signs_by_lookup)(const TiledWeight& weight, const ProductCall& call);
    void (*multiply_signs_by_popcount)(const TiledWeight& weight, const ProductCall& call);
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
