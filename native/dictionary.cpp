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

std::uint32_t Dictionary::add(const Key& key, Slot& empty) {
    values_.emplace_back(key.data, key.size);
    hashes_.push_back(key.hash);
    const auto next_code = static_cast<std::uint32_t>(values_.size());
    empty = {key.word, static_cast<std::uint32_t>(key.size), next_code};
    if (2 * values_.size() > mask_) grow();
    return next_code - 1;
}

void Dictionary::grow() {
    const Memory smaller = std::exchange(slots_, Memory(4 * slots_.size()));
    mask_ = slots_.size() / sizeof(Slot) - 1;
    const Slot* end = reinterpret_cast<const Slot*>(smaller.data() + smaller.size());
    for (const Slot* slot = reinterpret_cast<const Slot*>(smaller.data()); slot != end; ++slot) {
        if (slot->next_code == 0) continue;
        std::size_t i = hashes_[slot->next_code - 1] & mask_;
        while (slots()[i].next_code != 0) i = (i + 1) & mask_;
        slots()[i] = *slot;
    }
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
