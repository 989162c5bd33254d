// Rows of integers times packed weights, written once over the vector types of the tier that includes this.
//
// A tile of 16 outputs is unpacked to one byte per code, once for all rows of the call. An instruction then sums four
// products u * a of an unsigned code and an input for each output; integer(u) is a multiple of u plus a constant, so
//
//   sum over k of a[k] integer(u[k]) = factor * sum over k of a[k] u[k] + offset * sum over k of a[k].
//
// Where the sums of four products are 16 bits wide (AVX2, NEON), codes have at most 4 bits and 8 steps are summed before
// they are widened: 8 * 2 * 15 * 128 = 30720. A product of 8-bit codes is then the one of their high halves, times 16,
// plus the one of their low halves, unless no input of the call is negative, as behind a ReLU: then the input is the unsigned
// operand, two products of it and a level u - 128 fit 16 bits (2 * 127 * 128 = 32512), and one pass is enough.

constexpr std::size_t tile_vectors = integer_tile_outputs / I32::size;
constexpr std::size_t segment_steps = 8;  // of 4 inputs: what rows are padded to
constexpr std::size_t segment_inputs = 4 * segment_steps;

struct Line {
    std::int32_t factor, offset;
};

// integer(u) = factor * u + offset (docs/format.md, "Values").
inline Line integer_line(std::size_t bits) {
    switch (bits) {
        case 1:
            return {-2, 1};
        case 2:
            return {2, -3};
        case 4:
            return {1, -8};
        default:
            return {1, -128};
    }
}

// Unpacks a tile: 64 bytes for each step. Codes wider than a tier's products go to two planes, low halves first.
template <std::size_t Bits>
void unpack_tile(const std::uint8_t* tile, std::size_t num_inputs, std::uint8_t* panel) {
    constexpr bool is_halved = Bits > Codes::max_bits;
    constexpr std::size_t width = is_halved ? Bits / 2 : Bits;
    const std::size_t num_blocks = num_inputs * Bits / 32, plane_bytes = num_inputs * integer_tile_outputs;
    for (std::size_t block = 0; block < num_blocks; ++block) {
        for (std::size_t at = 0; at < block_bytes; at += Codes::size) {
            const Codes packed = Codes::load(tile + block * block_bytes + at);
            for (std::size_t field = 0; field < 8 / width; ++field) {
                const std::size_t to = is_halved ? block * block_bytes + field * plane_bytes
                                                 : (block * (8 / width) + field) * block_bytes;
                field_of<width>(packed, field).store(panel + to + at);
            }
        }
    }
}

inline void unpack_tile(const TiledWeight& weight, std::size_t tile, std::uint8_t* panel) {
    const std::uint8_t* from = weight.tiles + tile * weight.tile_bytes;
    switch (weight.bits) {
        case 1:
            return unpack_tile<1>(from, weight.row_bytes, panel);
        case 2:
            return unpack_tile<2>(from, weight.row_bytes, panel);
        case 4:
            return unpack_tile<4>(from, weight.row_bytes, panel);
        default:
            return unpack_tile<8>(from, weight.row_bytes, panel);
    }
}

// sums[r][v] = sum over k of a[r][k] u[k] for `Rows` rows and the outputs of vector v.
template <std::size_t Rows>
inline void sum_products(const std::uint8_t* panel, const std::uint8_t* rows, std::size_t row_bytes,
                         I32 (&sums)[Rows][tile_vectors]) {
    for (std::size_t r = 0; r < Rows; ++r) {
        for (std::size_t v = 0; v < tile_vectors; ++v) sums[r][v] = I32::all(0);
    }
    for (std::size_t first = 0; first < row_bytes; first += segment_inputs) {
        Dots dots[Rows][tile_vectors] = {};
#pragma GCC unroll 1
        for (std::size_t k = first; k < first + segment_inputs; k += 4) {
            for (std::size_t v = 0; v < tile_vectors; ++v) {
                const Codes codes = Codes::load(panel + k * integer_tile_outputs + v * Codes::size);
                for (std::size_t r = 0; r < Rows; ++r) {
                    dots[r][v] = add_products(dots[r][v], codes, Inputs::all(rows + r * row_bytes + k));
                }
            }
        }
        for (std::size_t r = 0; r < Rows; ++r) {
            for (std::size_t v = 0; v < tile_vectors; ++v) sums[r][v] = sums[r][v] + widen(dots[r][v]);
        }
    }
}

// The outputs of a tile from the sums over k of a[k] u[k] and of a[k].
inline void store_sums(const TiledWeight& weight, const I32 (&sums)[tile_vectors], std::int32_t row_sum,
                       std::size_t tile, float* out) {
    const Line line = integer_line(weight.bits);
    const I32 factor = I32::all(line.factor), offset = I32::all(line.offset * row_sum);
    I32 whole[tile_vectors];
    for (std::size_t v = 0; v < tile_vectors; ++v) whole[v] = sums[v] * factor + offset;
    store_outputs(weight, whole, tile * integer_tile_outputs, out);
}

template <std::size_t Rows>
void multiply_rows(const TiledWeight& weight, const ProductCall& call, std::size_t tile, std::size_t row,
                   const std::uint8_t* panel, const std::int32_t* row_sums) {
    const std::uint8_t* rows = call.rows + row * weight.row_bytes;
    I32 sums[Rows][tile_vectors];
    sum_products<Rows>(panel, rows, weight.row_bytes, sums);
    if (weight.bits > Codes::max_bits) {
        I32 high[Rows][tile_vectors];
        sum_products<Rows>(panel + weight.row_bytes * integer_tile_outputs, rows, weight.row_bytes, high);
        for (std::size_t r = 0; r < Rows; ++r) {
            for (std::size_t v = 0; v < tile_vectors; ++v) sums[r][v] = sums[r][v] + high[r][v] * I32::all(16);
        }
    }
    for (std::size_t r = 0; r < Rows; ++r) {
        store_sums(weight, sums[r], row_sums[row + r], tile, call.out + (row + r) * call.out_stride);
    }
}

// The product of one row and a tile as it is packed.
template <std::size_t Bits>
void multiply_packed_row(const TiledWeight& weight, const std::uint8_t* row, std::int32_t row_sum, std::size_t tile,
                         float* out) {
    constexpr bool is_halved = Bits > Codes::max_bits;
    constexpr std::size_t width = is_halved ? Bits / 2 : Bits, num_planes = is_halved ? 2 : 1;
    const std::uint8_t* codes = weight.tiles + tile * weight.tile_bytes;
    I32 sums[num_planes][tile_vectors] = {};
    for (std::size_t first = 0, size = weight.row_bytes; first < size; first += segment_inputs) {
        Dots dots[num_planes][tile_vectors] = {};
        for (std::size_t k = first; k < first + segment_inputs; k += 32 / Bits) {
            for (std::size_t v = 0; v < tile_vectors; ++v) {
                const Codes packed = Codes::load(codes + k * Bits / 32 * block_bytes + v * Codes::size);
                for (std::size_t field = 0; field < 8 / width; ++field) {
                    Dots& sum = dots[is_halved ? field : 0][v];
                    const std::uint8_t* inputs = row + k + (is_halved ? 0 : 4 * field);
                    sum = add_products(sum, field_of<width>(packed, field), Inputs::all(inputs));
                }
            }
        }
        for (std::size_t p = 0; p < num_planes; ++p) {
            for (std::size_t v = 0; v < tile_vectors; ++v) sums[p][v] = sums[p][v] + widen(dots[p][v]);
        }
    }
    if constexpr (is_halved) {
        for (std::size_t v = 0; v < tile_vectors; ++v) sums[0][v] = sums[0][v] + sums[1][v] * I32::all(16);
    }
    store_sums(weight, sums[0], row_sum, tile, out);
}

inline void multiply_packed_row(const TiledWeight& weight, const std::uint8_t* row, std::int32_t row_sum,
                                std::size_t tile, float* out) {
    switch (weight.bits) {
        case 1:
            return multiply_packed_row<1>(weight, row, row_sum, tile, out);
        case 2:
            return multiply_packed_row<2>(weight, row, row_sum, tile, out);
        case 4:
            return multiply_packed_row<4>(weight, row, row_sum, tile, out);
        default:
            return multiply_packed_row<8>(weight, row, row_sum, tile, out);
    }
}

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
#pragma GCC unroll 1
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
        store_outputs(weight, sums[r], tile * integer_tile_outputs,
                                    call.out + (row + r) * call.out_stride);
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

void multiply_integers(const TiledWeight& weight, const ProductCall& call) {
    const bool is_worth_unpacking = call.num_rows >= block_rows;
    if (is_worth_unpacking && weight.bits == 8 && !has_negative(weight, call)) return multiply_positive(weight, call);
    std::int32_t* row_sums = reinterpret_cast<std::int32_t*>(call.scratch);
    std::uint8_t* panel = call.scratch + max_call_rows * sizeof(std::int32_t);
    for (std::size_t row = 0; row < call.num_rows; ++row) {
        row_sums[row] = sum_of(call.rows + row * weight.row_bytes, weight.row_bytes);
    }
    for (std::size_t tile = call.first_tile; tile < call.last_tile; ++tile) {
        std::size_t row = 0;
        if (is_worth_unpacking) {
            unpack_tile(weight, tile, panel);
            for (; row + block_rows <= call.num_rows; row += block_rows) {
                multiply_rows<block_rows>(weight, call, tile, row, panel, row_sums);
            }
        }
        for (; row < call.num_rows; ++row) {
            multiply_packed_row(weight, call.rows + row * weight.row_bytes, row_sums[row], tile,
                                call.out + row * call.out_stride);
        }
    }
}
