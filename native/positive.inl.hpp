// Rows of integers of which none is negative, as behind a ReLU, times weights of 8 bits, for tiers whose sums of four
// products are 16 bits wide.
//
// The input is the unsigned operand then, two products of it and a level u - 128 fit 16 bits (2 * 127 * 128 = 32512), and
// one pass is enough.

// The levels of a tile of 8-bit codes.
inline void unpack_levels(const TiledWeight& weight, std::size_t tile, std::uint8_t* panel) {
    const std::uint8_t* from = weight.tiles + tile * weight.tile_bytes;
    for (std::size_t at = 0, size = weight.tile_bytes; at < size; at += Codes::size) {
        levels_of(Codes::load(from + at)).store(panel + at);
    }
}

inline bool has_negative(const TiledWeight& weight, const ProductCall& call) {
    std::uint64_t all = 0;
    for (std::size_t at = 0; at < call.num_rows * weight.row_bytes; at += 8) {
        std::uint64_t eight;
        __builtin_memcpy(&eight, call.rows + at, 8);
        all |= eight;
    }
    return (all & 0x8080808080808080) != 0;
}

template <std::size_t Rows>
void multiply_positive_rows(const TiledWeight& weight, const ProductCall& call, std::size_t tile, std::size_t row,
                            const std::uint8_t* levels) {
    const std::uint8_t* rows = call.rows + row * weight.row_bytes;
    I32 sums[Rows][tile_vectors];
    for (std::size_t r = 0; r < Rows; ++r) {
        for (std::size_t v = 0; v < tile_vectors; ++v) sums[r][v] = I32::all(0);
    }
#pragma GCC unroll 4
    for (std::size_t k = 0; k < weight.row_bytes; k += 4) {
        Codes level[tile_vectors];
        for (std::size_t v = 0; v < tile_vectors; ++v) {
            level[v] = Codes::load(levels + k * integer_tile_outputs + v * Codes::size);
        }
        for (std::size_t r = 0; r < Rows; ++r) {
            const Inputs inputs = Inputs::all(rows + r * weight.row_bytes + k);
            for (std::size_t v = 0; v < tile_vectors; ++v) sums[r][v] = add_positive(sums[r][v], inputs, level[v]);
        }
    }
    for (std::size_t r = 0; r < Rows; ++r) {
        store_outputs(weight, sums[r], tile * integer_tile_outputs, call.out + (row + r) * call.out_stride);
    }
}

void multiply_positive(const TiledWeight& weight, const ProductCall& call) {
    for (std::size_t tile = call.first_tile; tile < call.last_tile; ++tile) {
        unpack_levels(weight, tile, call.scratch);
        std::size_t row = 0;
        for (; row + positive_block_rows <= call.num_rows; row += positive_block_rows) {
            multiply_positive_rows<positive_block_rows>(weight, call, tile, row, call.scratch);
        }
        for (; row < call.num_rows; ++row) multiply_positive_rows<1>(weight, call, tile, row, call.scratch);
    }
}

// What linear.inl.hpp does, in one pass where that is possible.
void multiply_integers_or_positive(const TiledWeight& weight, const ProductCall& call) {
    const bool is_worth_unpacking = call.num_rows >= positive_block_rows;
    if (is_worth_unpacking && weight.bits == 8 && !has_negative(weight, call)) return multiply_positive(weight, call);
    multiply_integers(weight, call);
}
