// The distinct values of a column of a text, which grow while it is read.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "hashing.hpp"

namespace farthing {

// Numbers values in the order in which they come. They stay where they are, in the text.
class Dictionary {
   public:
    // Throws std::bad_alloc.
    explicit Dictionary(std::uint64_t seed) : slots_(first_slots), seed_(seed) {}

    // Fetches what `code` will read.
    Key query(Value value) const noexcept {
        const Key key = key_of(value, seed_);
        __builtin_prefetch(slots_.data() + (key.hash & (slots_.size() - 1)));
        return key;
    }

    // The number of a value, which may be a new one. Throws std::bad_alloc.
    std::uint32_t code(const Key& key);

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

    static constexpr std::size_t first_slots = 1024;  // a power of two, as ever

    bool is_same(const Slot& slot, const Key& key) const noexcept;
    void grow();

    std::vector<Slot> slots_;
    std::vector<std::uint64_t> hashes_;
    std::vector<std::string_view> values_;
    std::uint64_t seed_;
};

}  // namespace farthing
