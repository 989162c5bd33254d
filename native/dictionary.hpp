// The distinct values of a column of a text, which grow while it is read.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "hashing.hpp"
#include "memory.hpp"

namespace farthing {

// Numbers values in the order in which they come. They stay where they are, in the text.
class Dictionary {
   public:
    // Throws std::bad_alloc.
    explicit Dictionary(std::uint64_t seed) : slots_(first_slots * sizeof(Slot)), mask_(first_slots - 1), seed_(seed) {}

    // Fetches what `code` will read.
    Key query(Value value) const noexcept {
        const Key key = key_of(value, seed_);
        __builtin_prefetch(slots() + (key.hash & mask_));
        return key;
    }

    // The number of a value, which may be a new one. Throws std::bad_alloc.
    std::uint32_t code(const Key& key) {
        std::size_t i = key.hash & mask_;
        for (; slots()[i].next_code != 0; i = (i + 1) & mask_) {
            if (is_same(slots()[i], key)) return slots()[i].next_code - 1;
        }
        return add(key, slots()[i]);
    }

    // The values by their numbers.
    const std::vector<std::string_view>& values() const noexcept { return values_; }

    // The numbers of the values in the order of their bytes. Throws std::bad_alloc.
    std::vector<std::uint32_t> sorted() const;

   private:
    struct Slot {
        std::uint64_t word;
        std::uint32_t size;
        std::uint32_t next_code;  // 0 in an empty slot, else 1 more than the value's number
    };

    static constexpr std::size_t first_slots = 1024;

    Slot* slots() noexcept { return reinterpret_cast<Slot*>(slots_.data()); }
    const Slot* slots() const noexcept { return reinterpret_cast<const Slot*>(slots_.data()); }
    bool is_same(const Slot& slot, const Key& key) const noexcept {
        if (slot.word != key.word || slot.size != key.size) return false;
        return !key.is_long() || std::memcmp(values_[slot.next_code - 1].data(), key.data, key.size) == 0;
    }
    std::uint32_t add(const Key& key, Slot& empty);
    void grow();

    Memory slots_;  // a power of two of them, at most half of which are used
    std::size_t mask_;
    std::vector<std::uint64_t> hashes_;
    std::vector<std::string_view> values_;
    std::uint64_t seed_;
};

}  // namespace farthing
