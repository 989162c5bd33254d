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

    // Fetches what `id` will read.
    Key query(Value value) const noexcept {
        const Key key = key_of(value, seed_);
        __builtin_prefetch(slots() + (key.hash & mask_));
        return key;
    }

    // The id of a value: `missing_id` where it is empty, `unknown_id` where it is not there.
    std::uint32_t id(const Key& key) const noexcept {
        if (key.is_long()) return long_id(key);
        for (std::uint64_t i = key.hash & mask_;; i = (i + 1) & mask_) {
            const Slot& slot = slots()[i];
            if ((slot.word == key.word && slot.size == key.size) || slot.id == unknown_id) return slot.id;
        }
    }

   private:
    struct Slot {
        std::uint64_t word;
        std::uint32_t size;
        std::uint32_t id;    // unknown_id in an empty slot
    };

    const Slot* slots() const noexcept { return reinterpret_cast<const Slot*>(slots_.data()); }
    std::uint32_t long_id(const Key& key) const noexcept;
    void add(std::uint32_t id, Value value);

    std::string text_;
    std::vector<std::uint64_t> starts_;  // of the value of id 2, 3, ... in text_
    Memory slots_;                       // a power of two of them, at most half of which are used
    std::uint64_t mask_;
    std::uint64_t seed_;
};

}  // namespace farthing
