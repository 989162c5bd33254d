// Packed tables and bags of their rows, as kernels read them (docs/format.md, "Tables"). Nothing here owns memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace farthing {

// What shares a scale: the rows of a group, a column, or one row. A table with one scale has one group.
enum class Granularity : std::uint8_t { group, dimension, row };

// A packed table. Several tables of one width are one table of all their rows, with a group for each.
struct PackedTable {
    const std::uint8_t* codes;         // [num_rows, stride]
    std::size_t stride;                // row_bytes(dim, bits)
    std::size_t num_rows;
    std::size_t dim;                   // codes in a row
    std::size_t bits;                  // 1, 2, 4 or 8
    Granularity granularity;
    const float* scale;                // as many as the granularity says
    const float* offset;               // like scale: the value of level 0; null means 0
    const std::int64_t* group_starts;  // [num_groups], the first row of each group, ascending from 0; not for others
    std::size_t num_groups;
};

// A batch of bags. Bag b holds the rows indices[start(b)], ..., indices[start(b + 1) - 1], where start(b) is
// offsets[b], or num_indices behind the last offset, or b * bag_size without offsets.
template <typename Index>
struct Bags {
    const Index* indices;      // [num_indices], each in [0, num_rows)
    std::size_t num_indices;
    const Index* offsets;      // [num_offsets], ascending from 0 to at most num_indices; or null
    std::size_t num_offsets;   // as many as bags, or one more
    std::size_t bag_size;      // without offsets: rows of every bag
    std::size_t num_bags;
    const float* weights;      // [num_indices], a factor for each row, or null
    bool mean;                 // divide by the number of rows
};

// What is wrong with a batch of bags, and at which position of its indices or offsets.
enum class BagFault : std::uint8_t { none, index, offset };

struct BagFinding {
    BagFault fault = BagFault::none;
    std::size_t position = 0;
};

// Whether bags [first, last) can be summed: their offsets ascend within the indices, and their indices are rows. What a
// kernel may be given has passed this.
template <typename Index>
BagFinding check_bags(const PackedTable& table, const Bags<Index>& bags, std::size_t first, std::size_t last) noexcept;

// Checks and sums all bags, on up to `num_threads` threads: out[num_bags, dim]. After a fault, of which the first is
// given, `out` holds anything.
template <typename Index>
BagFinding sum_bags(const PackedTable& table, const Bags<Index>& bags, std::size_t num_threads, float* out) noexcept;

}  // namespace farthing
