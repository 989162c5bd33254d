// The integers under the kernel of a convolution, as the rows of a product.
#pragma once

#include <cstddef>
#include <cstdint>

namespace farthing {

// Bytes behind the rows, and behind the image that they are read from, that may be touched: copies are in whole vectors.
inline constexpr std::size_t im2col_slack = 32;

// Where the bytes under the kernel lie, from the first of them: `num_lines` lines of the image, in each `num_runs` runs of
// neighbouring bytes.
struct Window {
    std::size_t num_lines, line_step;
    std::size_t num_runs, run_step;
    std::size_t run_bytes;

    std::size_t size() const noexcept { return num_lines * num_runs * run_bytes; }
};

// Copies the windows that start at `first`, `first + step`, ... to rows of `row_bytes`, with zeros behind each of them.
// `row_bytes` is at least window.size(), and at most im2col_slack more.
void im2col(const std::int8_t* first, std::size_t step, const Window& window, std::uint8_t* rows, std::size_t num_rows,
            std::size_t row_bytes) noexcept;

}  // namespace farthing
