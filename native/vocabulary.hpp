// The ids of categorical values: one table per field with open addressing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hashing.hpp"
#include "memory.hpp"

namespace farthing {

inline constexpr std::uint32_t unknown_id = 0;
inline constexpr std::uint32_t missing_id = 1;
inline constexpr std::uint32_t num_reserved_ids = 2;

// The values of one field. A slot says all of a value that has up to 8 bytes, so that a look-up is one cache line.
class Vocabulary {
   public:
    // The values of ids 2, 3, ..., one after the other in `text`; of equal ones the first counts.
    // Throws std::bad_alloc.
    Vocabulary(const char* text, const std::uint32_t* sizes, std::size_t count, std::uint64_t seed);

    // A value on its way to `id`.
    struct Query {
        const char* data;
        std::size_t size;
        std::uint64_t key;  // the value itself, or the hash of one longer than 8 bytes
        std::uint64_t hash;
    };

    // Fetches what `id` will read.
    Query query(Value value) const noexcept {
        const bool is_long = value.size > 8;
        const std::uint64_t word = is_long ? 0 : word_of(value);
        const std::uint64_t hash = is_long ? hash_of(value, seed_) : hash_of_word(word, value.size, seed_);
        __builtin_prefetch(slots() + (hash & mask_));
        return {value.data, value.size, is_long ? hash : word, hash};
    }

    // The id of a value: `missing_id` where it is empty, `unknown_id` where it is not there.
    std::uint32_t id(const Query& query) const noexcept {
        if (query.size > 8) return long_id(query);
        for (std::uint64_t i = query.hash & mask_;; i = (i + 1) & mask_) {
            const Slot& slot = slots()[i];
            if ((slot.key == query.key && slot.size == query.size) || slot.id == unknown_id) return slot.id;
        }
    }

   private:
    struct Slot {
        std::uint64_t key;
        std::uint32_t size;
        std::uint32_t id;    // unknown_id in an empty slot
    };

    const Slot* slots() const noexcept { return reinterpret_cast<const Slot*>(slots_.data()); }
    std::uint32_t long_id(const Query& query) const noexcept;
    void add(std::uint32_t id, Value value);

    std::string text_;
    std::vector<std::uint64_t> starts_;  // of the value of id 2, 3, ... in text_
    Memory slots_;                       // a power of two of them, at most half of which are used
    std::uint64_t mask_;
    std::uint64_t seed_;
};

}  // namespace farthing
