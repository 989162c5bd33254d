// Arguments drawn from a seed, with odd sizes, tails and extremes, and outputs that can be compared.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <random>
#include <vector>

#include "layout.hpp"

namespace cases {

// 32-bit words, floats as their bits.
using Output = std::vector<std::uint32_t>;

template <typename T>
Output words(const std::vector<T>& values) {
    Output output;
    for (const T value : values) {
        if constexpr (sizeof(T) == 4) {
            output.push_back(std::bit_cast<std::uint32_t>(value));
        } else {
            output.push_back(static_cast<std::uint32_t>(value));
        }
    }
    return output;
}

// The same numbers on every machine, which the distributions of the standard library do not promise.
class Random {
   public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    // In [lowest, highest].
    std::size_t integer(std::size_t lowest, std::size_t highest) { return lowest + engine_() % (highest - lowest + 1); }

    // In [-1, 1).
    float real() { return static_cast<float>(engine_() >> 40) * 0x1p-23f - 1.0f; }

    // Mostly around the range that inputs are quantized from, sometimes a zero, a tie or an extreme.
    float input() {
        switch (integer(0, 9)) {
            case 0:
                return choice({0.0f, -0.0f, smallest, -smallest, NAN, infinity, -infinity, 1e30f, -1e30f});
            case 1:
                return static_cast<float>(integer(0, 600)) * 0.5f - 150.0f;
            default:
                return real() * 160.0f;
        }
    }

    template <typename T>
    T choice(std::initializer_list<T> among) {
        return among.begin()[integer(0, among.size() - 1)];
    }

    std::vector<float> reals(std::size_t count) {
        std::vector<float> values(count);
        for (float& value : values) value = real();
        return values;
    }

    std::vector<float> inputs(std::size_t count) {
        std::vector<float> values(count);
        for (float& value : values) value = input();
        return values;
    }

    // In one draw of two none is negative, as behind a ReLU.
    std::vector<float> layer_inputs(std::size_t count) {
        std::vector<float> values = inputs(count);
        if (choice({true, false})) {
            for (float& value : values) value = value < 0.0f ? 0.0f : value;
        }
        return values;
    }

    // Rows of codes as they are packed: what is left of a last byte is zero.
    std::vector<std::uint8_t> packed_rows(std::size_t num_rows, std::size_t num_codes, std::size_t bits) {
        const std::size_t row_bytes = farthing::row_bytes(num_codes, bits), num_last_bits = num_codes * bits % 8;
        std::vector<std::uint8_t> rows(num_rows * row_bytes);
        for (std::uint8_t& byte : rows) byte = static_cast<std::uint8_t>(integer(0, 255));
        for (std::size_t end = row_bytes; num_last_bits != 0 && end <= rows.size(); end += row_bytes) {
            rows[end - 1] &= static_cast<std::uint8_t>((1u << num_last_bits) - 1);
        }
        return rows;
    }

    // The same; in one draw of two most codes of 8 bits stand for small levels, as training leaves them.
    std::vector<std::uint8_t> weight_rows(std::size_t num_rows, std::size_t num_codes, std::size_t bits) {
        std::vector<std::uint8_t> rows = packed_rows(num_rows, num_codes, bits);
        if (bits == 8 && choice({true, false})) {
            for (std::uint8_t& code : rows) {
                if (integer(0, 19) != 0) code = static_cast<std::uint8_t>(128 + code / 4 - 32);
            }
        }
        return rows;
    }

   private:
    static constexpr float infinity = std::numeric_limits<float>::infinity();
    static constexpr float smallest = std::numeric_limits<float>::denorm_min();

    std::mt19937_64 engine_;
};

}  // namespace cases
