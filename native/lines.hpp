// Lines of text cut into columns, for lines that are beyond doubt.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "dispatch.hpp"
#include "hashing.hpp"

namespace farthing {

// Where the features of a row stand in a line.
struct LineLayout {
    char separator;
    std::size_t num_columns;                   // of a line, at least 1
    std::vector<std::uint32_t> dense_columns;  // position of each number
    std::vector<std::uint32_t> field_columns;  // position of each categorical value
};

// Text whose separators are found together, so that it stays in level 1; a longer line is not clean.
inline constexpr std::size_t window_bytes = 8192;

// A line of `window`; its columns end at ends[0], ends[1], ..., and the line before at ends[-1].
struct Line {
    const char* text;  // what may be read starts here
    const char* window;
    const std::uint32_t* ends;

    // The first end may be that of no line, -1 as an unsigned number: adding 1 gives 0 again.
    Value column(std::uint32_t i) const noexcept {
        const std::uint32_t begin = (ends - 1)[i] + 1;
        return {text, window + begin, ends[i] - begin};
    }

    // Whether the line ends after so many columns, and not in a carriage return.
    bool is_whole(std::size_t num_columns) const noexcept {
        const char* begin = window + static_cast<std::uint32_t>(ends[-1] + 1);
        const char* end = window + ends[num_columns - 1];
        const std::size_t size = static_cast<std::size_t>(end - begin);
        return std::memchr(begin, '\n', size + 1) == end && (size == 0 || end[-1] != '\r');
    }
};

// How far reading came.
struct Parsed {
    std::size_t num_rows;
    std::size_t end;  // of their lines in the text, bytes
};

// Gives up to `max_rows` lines to `take`, one after the other; ends before the first one that does not have `num_columns`
// columns, or for which `take` is false.
template <typename Take>
Parsed read_lines(const char* text, std::size_t size, char separator, std::size_t num_columns, std::size_t max_rows,
                  const Take& take) {
    std::array<std::uint32_t, 1 + window_bytes + 8> marks;
    marks[0] = std::numeric_limits<std::uint32_t>::max();
    Parsed parsed{0, 0};
    while (parsed.num_rows < max_rows) {
        const char* window = text + parsed.end;
        const std::size_t window_size = std::min(size - parsed.end, window_bytes);
        const std::size_t num_marks = kernels().find_marks(window, window_size, separator, marks.data() + 1);
        std::size_t num_taken = 0;
        for (; num_taken + num_columns <= num_marks && parsed.num_rows < max_rows; ++parsed.num_rows) {
            const Line line{text, window, marks.data() + 1 + num_taken};
            if (!line.is_whole(num_columns) || !take(line)) break;
            num_taken += num_columns;
        }
        if (num_taken == 0) break;
        parsed.end += marks[num_taken] + 1;
    }
    return parsed;
}

}  // namespace farthing
