// The weight of a product as its kernels read it: tiles of outputs, the same for all tiers.
//
// A row is the quantized input of one sample. There are two forms of it, and of the tiles that go with it:
//
//   integers  int8, one for each input; zeros up to a multiple of 16, or of 32 for codes of one bit. A tile has 16
//             outputs. Blocks of 64 bytes follow each other along the inputs, 32 / bits of them in each: field j (bits
//             wide, lowest first) of byte 4 o + k is the code of output o and input 4 j + k of the block. Field j of a
//             whole block is then four inputs of all outputs, what one instruction for sums of four products takes.
//   signs     one bit for each input as in docs/format.md (1 is negative); zeros up to a multiple of 64. Both operands
//             have one bit. With many outputs a tile has 64 of them: byte g of all its outputs, then byte g + 1. With few
//             a tile is 16 rows as they are stored.
//
// Codes beyond the last input or output are zero. A code beyond the last input meets a zero in every row and counts for
// nothing; what is computed beyond the last output is not stored.
#pragma once

#include <cstddef>
#include <cstdint>

namespace farthing {

inline constexpr std::size_t integer_tile_outputs = 16;
inline constexpr std::size_t sign_tile_outputs = 64;
inline constexpr std::size_t block_bytes = 64;
inline constexpr std::size_t octet_inputs = 8;
// 65535 * 255 * 128 fits 32 bits, and a count of differing bits 16.
inline constexpr std::size_t max_product_inputs = 65535;
// Rows of one call, so that they stay in the cache beside a tile (measured: with 256 a third slower).
inline constexpr std::size_t max_call_rows = 64;

// What follows y = sum * scale + bias: nothing, max(y, 0), or y > 0 ? y : slope * y.
enum class Curve : std::uint8_t { none, relu, prelu };

struct TiledWeight {
    const std::uint8_t* tiles;  // aligned to 64 bytes
    std::size_t tile_bytes;     // from one tile to the next
    std::size_t row_bytes;      // of a row of integers or signs
    std::size_t num_inputs;
    std::size_t num_outputs;
    std::size_t bits;
    // One for each output, readable up to the end of the last tile.
    const float* scale;
    const float* bias;
    const float* slope;
    Curve curve;
    // Of 8-bit codes for rows of integers, in which order a tile's inputs are taken: octets.hpp.
    const std::uint16_t* octets;      // row_bytes / octet_inputs for each tile
    const std::uint16_t* num_narrow;  // one for each tile
};

// Where only the signs of outputs are asked for, one bit for each as in rows of signs. A curve and a rounded sum never
// turn the order of sums around, so that those with a negative output lie next to each other: signs.hpp.
struct SignOutputs {
    std::uint8_t* rows;  // [num_rows, row_bytes], zeros beyond the last output; or null
    std::size_t row_bytes;
    // The first and the last sum with a negative output (first > last: none), for each output of all tiles.
    const std::int32_t *first, *last;
};

// Rows times some tiles of a weight.
struct ProductCall {
    const std::uint8_t* rows;  // [num_rows, row_bytes], aligned to 4 bytes
    std::size_t num_rows;      // at most max_call_rows
    std::size_t first_tile;
    std::size_t last_tile;  // exclusive
    float* out;             // [num_rows, out_stride], of which the outputs of the tiles are written,
    std::size_t out_stride;
    SignOutputs signs;      // or here
    std::uint8_t* scratch;  // as long as Product::scratch_bytes, aligned to 64 bytes
};

}  // namespace farthing
