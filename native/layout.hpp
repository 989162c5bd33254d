// The packed layout of docs/format.md as compile-time facts. farthing/lowbit/packing.py is the executable definition;
// nothing here may say anything else.
#pragma once

#include <bit>
#include <cstddef>

namespace farthing {

// Codes are 1, 2, 4 or 8 bits wide, so that a code never straddles two bytes.
constexpr bool is_code_width(std::size_t bits) noexcept { return bits == 1 || bits == 2 || bits == 4 || bits == 8; }

// Number of codes that share one byte; the first of them in its lowest bits.
constexpr std::size_t codes_per_byte(std::size_t bits) noexcept { return 8 / bits; }

// Bytes from one row of `num_codes` codes to the next: whole bytes, the unused high bits of the last one zero.
constexpr std::size_t row_bytes(std::size_t num_codes, std::size_t bits) noexcept {
    return (num_codes + codes_per_byte(bits) - 1) / codes_per_byte(bits);
}

static_assert(std::endian::native == std::endian::little, "scales in a model file are little-endian");
static_assert(row_bytes(16, 1) == 2 && row_bytes(16, 2) == 4 && row_bytes(16, 4) == 8 && row_bytes(16, 8) == 16);
static_assert(row_bytes(0, 1) == 0 && row_bytes(1, 1) == 1 && row_bytes(9, 1) == 2 && row_bytes(3, 4) == 2);

}  // namespace farthing
