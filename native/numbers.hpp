// Decimal text to float, for numbers that every reader of a log takes alike.
#pragma once

#include "hashing.hpp"

namespace farthing {

// Writes the float nearest to the number, ties to even; false where the text is not
//     -? digit+ (. digit+)? ([eE] [+-]? digit+)?
// with a value inside the range of float. Spaces, a leading plus, `.5`, `5.`, `inf` and `nan` are not.
bool read_float(Value value, float& number) noexcept;

// The digits of a value of 1 to 8 bytes as a number; false where one of them is none. Eight digits are summed in pairs,
// pairs of pairs and halves, by three multiplications.
inline bool read_digits(Value value, std::uint32_t& number) {
    constexpr std::uint64_t zeros = 0x3030303030303030;
    std::uint64_t word = word_of(value);
    const unsigned spare = 64 - 8 * static_cast<unsigned>(value.size);
    word = word << spare | (zeros & ((std::uint64_t{1} << spare) - 1));
    const std::uint64_t digits = word - zeros;
    if (((word + 0x4646464646464646) | digits) & 0x8080808080808080) return false;
    const std::uint64_t pairs = digits * 10 + (digits >> 8);
    const std::uint64_t low = (pairs & 0x000000ff000000ff) * 0x000f424000000064;
    const std::uint64_t high = (pairs >> 16 & 0x000000ff000000ff) * 0x0000271000000001;
    number = static_cast<std::uint32_t>((low + high) >> 32);
    return true;
}

}  // namespace farthing
