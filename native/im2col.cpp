#include "im2col.hpp"

#include <cstring>

namespace farthing {
namespace {

constexpr std::size_t vector_bytes = 16;

// What it writes beyond the end is written again by the next run, or lies in the slack.
void copy_run(const std::int8_t* from, std::size_t size, std::uint8_t* to) noexcept {
    for (std::size_t at = 0; at < size; at += vector_bytes) std::memcpy(to + at, from + at, vector_bytes);
}

}  // namespace

void im2col(const std::int8_t* first, std::size_t step, const Window& window, std::uint8_t* rows, std::size_t num_rows,
            std::size_t row_bytes) noexcept {
    const bool has_rest = window.size() < row_bytes;
    for (std::size_t row = 0; row < num_rows; ++row) {
        const std::int8_t* line = first + row * step;
        std::uint8_t* to = rows + row * row_bytes;
        for (std::size_t i = 0; i < window.num_lines; ++i, line += window.line_step) {
            const std::int8_t* run = line;
            for (std::size_t j = 0; j < window.num_runs; ++j, run += window.run_step, to += window.run_bytes) {
                copy_run(run, window.run_bytes, to);
            }
        }
        if (has_rest) std::memset(to, 0, im2col_slack);
    }
}

}  // namespace farthing
