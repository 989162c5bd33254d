// Rows of integers of which none is negative, as behind a ReLU, times weights of 8 bits, for tiers whose sums of four
// products are 16 bits wide.
//
// The input is the unsigned operand then, two products of it and a level u - 128 fit 16 bits (2 * 127 * 128 = 32512), and
// one pass is enough. For inputs that are narrow (octets.hpp) even four products fit, and half as many sums are widened.

// The levels of a tile of 8-bit codes, in the order of its octets.
inline void unpack_levels(const TiledWeight& weight, std::size_t tile, const std::uint16_t* octets,
                          std::uint8_t* panel) {
    const std::uint8_t* from = weight.tiles + tile * weight.tile_bytes;
    for (std::size_t i = 0; i < weight.row_bytes / octet_inputs; ++i) {
        const std::uint8_t* octet = from + octets[i] * integer_tile_outputs;
        for (std::size_t at = 0; at < octet_inputs * integer_tile_outputs; at += Codes::size, panel += Codes::size) {
            levels_of(Codes::load(octet + at)).store(panel);
        }
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

// The levels of a tile and the inputs they belong to.
struct Levels {
    const std::uint8_t* panel;
    const std::uint16_t* octets;
    std::size_t num_octets, num_narrow;

    // Of four inputs, the first or the last of eight, for the outputs of vector v.
    Codes load(std::size_t octet, std::size_t half, std::size_t v) const {
        return Codes::load(panel + (2 * octet + half) * block_bytes + v * Codes::size);
    }
};

// Adds the products of the eight inputs at `rows` to the sums; of narrow ones four at a time.
template <bool IsNarrow, std::size_t Rows, std::size_t Vectors>
inline void add_octet(I32 (&sums)[Rows][Vectors], const Levels& levels, std::size_t octet, const std::uint8_t* rows,
                      std::size_t row_bytes) {
    for (std::size_t r = 0; r < Rows; ++r) {
        const Inputs first = Inputs::all(rows + r * row_bytes), last = Inputs::all(rows + r * row_bytes + 4);
        for (std::size_t v = 0; v < Vectors; ++v) {
            Dots dots = positive_products(first, levels.load(octet, 0, v));
            I32 sum = sums[r][v];  // a copy, or `keep_here` would bind all of them to memory
            if constexpr (IsNarrow) {
                dots = add_positive(dots, last, levels.load(octet, 1, v));
            } else {
                sum = last_sum(sum, dots);
                dots = positive_products(last, levels.load(octet, 1, v));
            }
            sum = last_sum(sum, dots);
            keep_here(sum);
            sums[r][v] = sum;
        }
    }
}

template <std::size_t Rows, std::size_t Vectors>
void multiply_positive_rows(const TiledWeight& weight, const ProductCall& call, std::size_t tile, std::size_t row,
                            const Levels& levels) {
    const std::uint8_t* rows = call.rows + row * weight.row_bytes;
    I32 sums[Rows][Vectors];
    for (std::size_t r = 0; r < Rows; ++r) {
        for (std::size_t v = 0; v < Vectors; ++v) sums[r][v] = I32::all(0);
    }
    std::size_t i = 0;
    for (; i < levels.num_narrow; ++i) add_octet<true>(sums, levels, i, rows + levels.octets[i], weight.row_bytes);
    for (; i < levels.num_octets; ++i) add_octet<false>(sums, levels, i, rows + levels.octets[i], weight.row_bytes);
    for (std::size_t r = 0; r < Rows; ++r) {
        store_outputs(weight, call, sums[r], row + r, tile * integer_tile_outputs);
    }
}

// All rows times the outputs of a tile that `Vectors` hold.
template <std::size_t Vectors>
void multiply_positive_tile(const TiledWeight& weight, const ProductCall& call, std::size_t tile,
                            const Levels& levels) {
    std::size_t row = 0;
    for (; row + positive_block_rows <= call.num_rows; row += positive_block_rows) {
        multiply_positive_rows<positive_block_rows, Vectors>(weight, call, tile, row, levels);
    }
    for (; row < call.num_rows; ++row) multiply_positive_rows<1, Vectors>(weight, call, tile, row, levels);
}

void multiply_positive(const TiledWeight& weight, const ProductCall& call) {
    constexpr std::size_t half = tile_vectors / 2;
    const std::size_t num_octets = weight.row_bytes / octet_inputs;
    for (std::size_t tile = call.first_tile; tile < call.last_tile; ++tile) {
        const std::uint16_t* octets = weight.octets + tile * num_octets;
        unpack_levels(weight, tile, octets, call.scratch);
        const Levels levels{call.scratch, octets, num_octets, weight.num_narrow[tile]};
        if (weight.num_outputs - tile * integer_tile_outputs <= half * I32::size) {
            multiply_positive_tile<half>(weight, call, tile, levels);
        } else {
            multiply_positive_tile<tile_vectors>(weight, call, tile, levels);
        }
    }
}

// What linear.inl.hpp does, in one pass where that is possible.
void multiply_integers_or_positive(const TiledWeight& weight, const ProductCall& call) {
    const bool is_worth_unpacking = call.num_rows >= positive_block_rows;
    if (is_worth_unpacking && weight.bits == 8 && !has_negative(weight, call)) return multiply_positive(weight, call);
    multiply_integers(weight, call);
}
