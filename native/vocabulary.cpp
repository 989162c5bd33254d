#include "vocabulary.hpp"

#include <bit>
#include <cstring>
#include <numeric>

namespace farthing {

Vocabulary::Vocabulary(const char* text, const std::uint32_t* sizes, std::size_t count, std::uint64_t seed)
    : text_(text, std::accumulate(sizes, sizes + count, std::size_t{0})), seed_(seed) {
    const std::size_t num_slots = std::bit_ceil(2 * (count + 1));
    slots_ = Memory(num_slots * sizeof(Slot));
    mask_ = num_slots - 1;
    starts_.reserve(count);
    add(missing_id, {text_.data(), text_.data(), 0});
    std::uint64_t start = 0;
    for (std::size_t i = 0; i < count; ++i) {
        starts_.push_back(start);
        add(static_cast<std::uint32_t>(i) + num_reserved_ids, {text_.data(), text_.data() + start, sizes[i]});
        start += sizes[i];
    }
}

std::uint32_t Vocabulary::long_id(const Key& key) const noexcept {
    for (std::uint64_t i = key.hash & mask_;; i = (i + 1) & mask_) {
        const Slot& slot = slots()[i];
        if (slot.id == unknown_id) return unknown_id;
        if (slot.word != key.word || slot.size != key.size) continue;
        const char* known = text_.data() + starts_[slot.id - num_reserved_ids];
        if (std::memcmp(known, key.data, key.size) == 0) return slot.id;
    }
}

void Vocabulary::add(std::uint32_t id, Value value) {
    const Key key = query(value);
    if (this->id(key) != unknown_id) return;
    Slot* slots = reinterpret_cast<Slot*>(slots_.data());
    std::uint64_t i = key.hash & mask_;
    while (slots[i].id != unknown_id) i = (i + 1) & mask_;
    slots[i] = {key.word, static_cast<std::uint32_t>(key.size), id};
}

}  // namespace farthing
