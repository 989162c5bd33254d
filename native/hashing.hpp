// The hash of a categorical value: what finds it in a vocabulary, or is its id where there is none.
//
// A value is taken as words of 8 bytes, little-endian, the last one padded with zeros. With fold(a, b) the exclusive or of
// the two halves of the 128-bit product a * b,
//     state = seed of the field;  for each word: state = fold(state ^ word, k1);  hash = fold(state ^ size, k2).
// tests/reference/click_hash.py says the same in Python. The constants are those of splitmix64.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace farthing {

static_assert(std::endian::native == std::endian::little, "text is read as little-endian words");

inline constexpr std::uint64_t hash_k0 = 0x9e3779b97f4a7c15;
inline constexpr std::uint64_t hash_k1 = 0xbf58476d1ce4e5b9;
inline constexpr std::uint64_t hash_k2 = 0x94d049bb133111eb;

// Bytes inside a text, which starts at `text`: what lies before `data` may be read and ignored.
struct Value {
    const char* text;
    const char* data;
    std::size_t size;
};

inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t field_seed(std::uint64_t field) { return (field + 1) * hash_k0; }

// The value, of at most 8 bytes, as one word; 0 for none. One load that ends where the value ends: a load from its start
// could leave the text, and a copy of `size` bytes is a branch that nobody can predict.
inline std::uint64_t word_of(Value value) {
    const char* end = value.data + value.size;
    std::uint64_t word = 0;
    if (end - value.text < 8) {
        std::memcpy(&word, value.data, value.size);
        return word;
    }
    std::memcpy(&word, end - 8, 8);
    return value.size == 0 ? 0 : word >> (64 - 8 * value.size);
}

// The hash of a value of at most 8 bytes.
inline std::uint64_t hash_of_word(std::uint64_t word, std::size_t size, std::uint64_t seed) {
    return fold(fold(seed ^ word, hash_k1) ^ size, hash_k2);
}

inline std::uint64_t hash_of(Value value, std::uint64_t seed) {
    const std::size_t size = value.size;
    std::uint64_t state = seed;
    for (; value.size > 8; value.data += 8, value.size -= 8) {
        std::uint64_t word;
        std::memcpy(&word, value.data, 8);
        state = fold(state ^ word, hash_k1);
    }
    return hash_of_word(word_of(value), size, state);
}

// A value as tables of values compare it: all of one that has up to 8 bytes is its word.
struct Key {
    const char* data;
    std::size_t size;
    std::uint64_t word;  // the hash of a longer one
    std::uint64_t hash;

    bool is_long() const { return size > 8; }
};

inline Key key_of(Value value, std::uint64_t seed) {
    const bool is_long = value.size > 8;
    const std::uint64_t word = is_long ? 0 : word_of(value);
    const std::uint64_t hash = is_long ? hash_of(value, seed) : hash_of_word(word, value.size, seed);
    return {value.data, value.size, is_long ? hash : word, hash};
}

// A number below `count` from a hash: the high word of their product.
inline std::uint64_t reduced(std::uint64_t hash, std::uint64_t count) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>(static_cast<Wide>(hash) * count >> 64);
}

}  // namespace farthing
