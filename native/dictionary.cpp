#include "dictionary.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace farthing {
namespace {

// The first 8 bytes of a value as a number that has their order.
std::uint64_t prefix_of(std::string_view value) {
    std::uint64_t word = 0;
    std::memcpy(&word, value.data(), std::min<std::size_t>(value.size(), 8));
    return __builtin_bswap64(word);
}

}  // namespace

bool Dictionary::is_same(const Slot& slot, const Key& key) const noexcept {
    if (slot.word != key.word || slot.size != key.size) return false;
    return !key.is_long() || std::memcmp(values_[slot.next_code - 1].data(), key.data, key.size) == 0;
}

std::uint32_t Dictionary::code(const Key& key) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t i = key.hash & mask;
    for (; slots_[i].next_code != 0; i = (i + 1) & mask) {
        if (is_same(slots_[i], key)) return slots_[i].next_code - 1;
    }
    values_.emplace_back(key.data, key.size);
    hashes_.push_back(key.hash);
    const auto next_code = static_cast<std::uint32_t>(values_.size());
    slots_[i] = {key.word, static_cast<std::uint32_t>(key.size), next_code};
    if (2 * values_.size() > slots_.size()) grow();
    return next_code - 1;
}

void Dictionary::grow() {
    std::vector<Slot> larger(4 * slots_.size());
    const std::size_t mask = larger.size() - 1;
    for (const Slot& slot : slots_) {
        if (slot.next_code == 0) continue;
        std::size_t i = hashes_[slot.next_code - 1] & mask;
        while (larger[i].next_code != 0) i = (i + 1) & mask;
        larger[i] = slot;
    }
    slots_ = std::move(larger);
}

std::vector<std::uint32_t> Dictionary::sorted() const {
    struct Entry {
        std::uint64_t prefix;
        std::uint32_t code;
    };
    std::vector<Entry> order(values_.size());
    for (std::uint32_t code = 0; code < order.size(); ++code) order[code] = {prefix_of(values_[code]), code};
    std::sort(order.begin(), order.end(), [this](const Entry& a, const Entry& b) {
        return a.prefix != b.prefix ? a.prefix < b.prefix : values_[a.code] < values_[b.code];
    });
    std::vector<std::uint32_t> codes(order.size());
    std::transform(order.begin(), order.end(), codes.begin(), [](const Entry& entry) { return entry.code; });
    return codes;
}

}  // namespace farthing
