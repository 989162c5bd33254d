// Many texts in one piece of memory, as Arrow keeps them (large_utf8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace farthing {

struct Strings {
    std::vector<std::int64_t> offsets{0};  // of each text in `bytes`, and behind the last
    std::string bytes;

    std::size_t size() const noexcept { return offsets.size() - 1; }

    // Throws std::bad_alloc.
    void append(std::string_view text) {
        bytes += text;
        offsets.push_back(static_cast<std::int64_t>(bytes.size()));
    }
};

}  // namespace farthing
