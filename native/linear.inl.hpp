// Rows of integers times packed weights, written once over the vector types of the tier that includes this.
//
// A tile of 16 outputs is unpacked to one byte per code, once for all rows of the call. An instruction then sums four
// products u * a of an unsigned code and an input for each output; integer(u) is a multiple of u plus a constant, so
//
//   sum over k of a[k] integer(u[k]) = factor * sum over k of a[k] u[k] + offset * sum over k of a[k].
//
// Where the sums of four products are 16 bits wide (AVX2, NEON), codes have at most 4 bits and 8 steps are summed before
// they are widened: 8 * 2 * 15 * 128 = 30720. A product of 8-bit codes is then the one of their high halves, times 16,
// plus the one of their low halves (or what positive.inl.hpp does).

constexpr std::size_t tile_vectors = integer_tile_outputs / I32::size;
constexpr std::size_t segment_inputs = 32;  // 8 steps of 4; the last segment of a row may be half as long

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

// Unpacked tiles that are multiplied at once, and how far they are apart.
template <std::size_t Tiles>
struct Panel {
    const std::uint8_t* codes;
    std::size_t tile_bytes;

    // Four inputs of the outputs of vector v, those of inputs k to k + 3.
    Codes load(std::size_t k, std::size_t v) const {
        const std::size_t tile = v / tile_vectors, in_tile = v % tile_vectors;
        return Codes::load(codes + tile * tile_bytes + k * integer_tile_outputs + in_tile * Codes::size);
    }
};

template <std::size_t Rows, std::size_t Tiles>
using Sums = I32[Rows][Tiles * tile_vectors];

// Adds to sums[r][v] the sum over inputs first, ..., first + Length - 1 of a[r][k] u[k] for the outputs of vector v.
template <std::size_t Rows, std::size_t Tiles, std::size_t Length>
inline void add_segment(Sums<Rows, Tiles>& sums, Panel<Tiles> panel, const std::uint8_t* rows, std::size_t row_bytes,
                        std::size_t first) {
    constexpr std::size_t vectors = Tiles * tile_vectors;
    Dots dots[Rows][vectors];
    for (std::size_t v = 0; v < vectors; ++v) {
        const Codes codes = panel.load(first, v);
        for (std::size_t r = 0; r < Rows; ++r) {
            dots[r][v] = first_products(sums[r][v], codes, Inputs::all(rows + r * row_bytes + first));
        }
    }
#pragma GCC unroll 7
    for (std::size_t k = 4; k < Length; k += 4) {
        for (std::size_t v = 0; v < vectors; ++v) {
            const Codes codes = panel.load(first + k, v);
            for (std::size_t r = 0; r < Rows; ++r) {
                dots[r][v] = add_products(dots[r][v], codes, Inputs::all(rows + r * row_bytes + first + k));
                keep_here(dots[r][v]);
            }
        }
    }
    for (std::size_t r = 0; r < Rows; ++r) {
        for (std::size_t v = 0; v < vectors; ++v) sums[r][v] = last_sum(sums[r][v], dots[r][v]);
    }
}

template <std::size_t Rows, std::size_t Tiles>
inline void sum_products(Sums<Rows, Tiles>& sums, Panel<Tiles> panel, const std::uint8_t* rows, std::size_t row_bytes) {
    for (std::size_t r = 0; r < Rows; ++r) {
        for (std::size_t v = 0; v < Tiles * tile_vectors; ++v) sums[r][v] = I32::all(0);
    }
    std::size_t first = 0;
    for (; first + segment_inputs <= row_bytes; first += segment_inputs) {
        add_segment<Rows, Tiles, segment_inputs>(sums, panel, rows, row_bytes, first);
    }
    if (first < row_bytes) add_segment<Rows, Tiles, segment_inputs / 2>(sums, panel, rows, row_bytes, first);
}

// The outputs of a row and a tile from the sums over k of a[k] u[k], which start at `sums`, and of a[k].
inline void store_sums(const TiledWeight& weight, const ProductCall& call, const I32* sums, std::int32_t row_sum,
                       std::size_t row, std::size_t tile) {
    const Line line = integer_line(weight.bits);
    const I32 factor = I32::all(line.factor), offset = I32::all(line.offset * row_sum);
    I32 whole[tile_vectors];
    for (std::size_t v = 0; v < tile_vectors; ++v) whole[v] = (line.factor == 1 ? sums[v] : sums[v] * factor) + offset;
    store_outputs(weight, call, whole, row, tile * integer_tile_outputs);
}

template <std::size_t Rows, std::size_t Tiles>
void multiply_rows(const TiledWeight& weight, const ProductCall& call, std::size_t tile, std::size_t row,
                   const std::uint8_t* panel, const std::int32_t* row_sums) {
    const std::uint8_t* rows = call.rows + row * weight.row_bytes;
    const std::size_t tile_bytes = weight.row_bytes * integer_tile_outputs;
    Sums<Rows, Tiles> sums;
    sum_products<Rows, Tiles>(sums, {panel, tile_bytes}, rows, weight.row_bytes);
    if (Codes::max_bits < 8 && weight.bits > Codes::max_bits) {
        Sums<Rows, Tiles> high;
        sum_products<Rows, Tiles>(high, {panel + Tiles * tile_bytes, tile_bytes}, rows, weight.row_bytes);
        for (std::size_t r = 0; r < Rows; ++r) {
            for (std::size_t v = 0; v < Tiles * tile_vectors; ++v) sums[r][v] = sums[r][v] + high[r][v] * I32::all(16);
        }
    }
    for (std::size_t r = 0; r < Rows; ++r) {
        for (std::size_t t = 0; t < Tiles; ++t) {
            store_sums(weight, call, sums[r] + t * tile_vectors, row_sums[row + r], row + r, tile + t);
        }
    }
}

// What one row and a tile as it is packed add up to: sums of the planes of its codes.
template <std::size_t Bits>
struct PackedSums {
    static constexpr bool is_halved = Bits > Codes::max_bits;
    static constexpr std::size_t width = is_halved ? Bits / 2 : Bits, num_planes = is_halved ? 2 : 1;
    I32 sums[num_planes][tile_vectors];

    // Adds the `Length` inputs from `row` on, whose blocks start at `codes`.
    template <std::size_t Length>
    void add_segment(const std::uint8_t* codes, const std::uint8_t* row) {
        Dots dots[num_planes][tile_vectors] = {};
#pragma GCC unroll 8
        for (std::size_t k = 0; k < Length; k += 32 / Bits) {
            for (std::size_t v = 0; v < tile_vectors; ++v) {
                const Codes packed = Codes::load(codes + k * Bits / 32 * block_bytes + v * Codes::size);
                for (std::size_t field = 0; field < 8 / width; ++field) {
                    Dots& sum = dots[is_halved ? field : 0][v];
                    const std::uint8_t* inputs = row + k + (is_halved ? 0 : 4 * field);
                    sum = add_products(sum, field_of<width>(packed, field), Inputs::all(inputs));
                    keep_here(sum);
                }
            }
        }
        for (std::size_t p = 0; p < num_planes; ++p) {
            for (std::size_t v = 0; v < tile_vectors; ++v) sums[p][v] = sums[p][v] + widen(dots[p][v]);
        }
    }
};

template <std::size_t Bits>
void multiply_packed_row(const TiledWeight& weight, const ProductCall& call, std::size_t row, std::int32_t row_sum,
                         std::size_t tile) {
    const std::uint8_t* codes = weight.tiles + tile * weight.tile_bytes;
    const std::uint8_t* inputs = call.rows + row * weight.row_bytes;
    PackedSums<Bits> planes = {};
    constexpr std::size_t segment_bytes = segment_inputs * Bits / 32 * block_bytes;
    std::size_t left = weight.row_bytes;
    for (; left >= segment_inputs; left -= segment_inputs, codes += segment_bytes, inputs += segment_inputs) {
        planes.template add_segment<segment_inputs>(codes, inputs);
    }
    if constexpr (Bits > 1) {
        if (left > 0) planes.template add_segment<segment_inputs / 2>(codes, inputs);
    }
    if constexpr (PackedSums<Bits>::is_halved) {
        for (std::size_t v = 0; v < tile_vectors; ++v) {
            planes.sums[0][v] = planes.sums[0][v] + planes.sums[1][v] * I32::all(16);
        }
    }
    store_sums(weight, call, planes.sums[0], row_sum, row, tile);
}

inline void multiply_packed_row(const TiledWeight& weight, const ProductCall& call, std::size_t row,
                                std::int32_t row_sum, std::size_t tile) {
    switch (weight.bits) {
        case 1:
            return multiply_packed_row<1>(weight, call, row, row_sum, tile);
        case 2:
            return multiply_packed_row<2>(weight, call, row, row_sum, tile);
        case 4:
            return multiply_packed_row<4>(weight, call, row, row_sum, tile);
        default:
            return multiply_packed_row<8>(weight, call, row, row_sum, tile);
    }
}

// All rows times `Tiles` tiles, unpacked first.
template <std::size_t Tiles>
void multiply_tiles(const TiledWeight& weight, const ProductCall& call, std::size_t tile, std::uint8_t* panel,
                    const std::int32_t* row_sums) {
    for (std::size_t t = 0; t < Tiles; ++t) {
        unpack_tile(weight, tile + t, panel + t * weight.row_bytes * integer_tile_outputs);
    }
    std::size_t row = 0;
    for (; row + block_rows <= call.num_rows; row += block_rows) {
        multiply_rows<block_rows, Tiles>(weight, call, tile, row, panel, row_sums);
    }
    for (; row < call.num_rows; ++row) multiply_rows<1, Tiles>(weight, call, tile, row, panel, row_sums);
}

void multiply_integers(const TiledWeight& weight, const ProductCall& call) {
    std::int32_t* row_sums = reinterpret_cast<std::int32_t*>(call.scratch);
    std::uint8_t* panel = call.scratch + max_call_rows * sizeof(std::int32_t);
    for (std::size_t row = 0; row < call.num_rows; ++row) {
        row_sums[row] = sum_of(call.rows + row * weight.row_bytes, weight.row_bytes);
    }
    std::size_t tile = call.first_tile;
    if (call.num_rows >= block_rows) {  // fewer are not worth unpacking
        for (; tile + block_tiles <= call.last_tile; tile += block_tiles) {
            multiply_tiles<block_tiles>(weight, call, tile, panel, row_sums);
        }
        for (; tile < call.last_tile; ++tile) multiply_tiles<1>(weight, call, tile, panel, row_sums);
    }
    for (; tile < call.last_tile; ++tile) {
        for (std::size_t row = 0; row < call.num_rows; ++row) {
            multiply_packed_row(weight, call, row, row_sums[row], tile);
        }
    }
}
