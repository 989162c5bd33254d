// Rows of signs times weights of one bit, written once over the vector types of the tier that includes this.
//
// With bit 1 for -1 the sum over k of a[k] w[k] is num_inputs - 2 * (number of k where the bits of a and w differ).

// 1 for x < 0: not for -0 and not for NaN.
void pack_signs(const float* x, std::size_t count, std::uint8_t* out) {
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8) out[i / 8] = eight_signs(x + i);
    if (i < count) {
        float padded[8] = {};
        for (std::size_t j = 0; i + j < count; ++j) padded[j] = x[i + j];
        out[i / 8] = eight_signs(padded);
    }
}

// of[a][w] = how many bits of a and w differ.
struct NibbleTables {
    alignas(16) std::uint8_t of[16][16];
};

constexpr NibbleTables make_nibble_tables() {
    NibbleTables tables{};
    for (unsigned a = 0; a < 16; ++a) {
        for (unsigned w = 0; w < 16; ++w) {
            const unsigned bits = a ^ w;
            const unsigned count = (bits & 1) + (bits >> 1 & 1) + (bits >> 2 & 1) + (bits >> 3);
            tables.of[a][w] = static_cast<std::uint8_t>(count);
        }
    }
    return tables;
}

constexpr NibbleTables differing = make_nibble_tables();

constexpr std::size_t sign_vectors = sign_tile_outputs / Bytes::size;
constexpr std::size_t counted_bytes = 31;  // of a row: 31 * 8 is the last count below 256

// Where in `differing` the tables are that a row of signs chooses: for the low and the high half of each of its bytes.
inline void choose_tables(const std::uint8_t* signs, std::size_t row_bytes, std::uint8_t* choices) {
    for (std::size_t g = 0; g < row_bytes; ++g) {
        choices[2 * g] = static_cast<std::uint8_t>(signs[g] << 4);
        choices[2 * g + 1] = signs[g] & 0xf0;
    }
}

// sums[r] += how many bits of four inputs of row r and of their weights differ.
template <std::size_t Rows>
inline void add_differing(Bytes (&sums)[Rows][sign_vectors], const Bytes (&weights)[sign_vectors],
                          const std::uint8_t* choices, std::size_t stride) {
    for (std::size_t r = 0; r < Rows; ++r) {
        const Table table = Table::load(differing.of[0] + choices[r * stride]);
        for (std::size_t v = 0; v < sign_vectors; ++v) {
            sums[r][v] = sums[r][v] + lookup(table, weights[v]);
            keep_here(sums[r][v]);
        }
    }
}

// Adds to counts[r] of each output how many bits of row r and its weight differ, for bytes [first, last) of the row. By
// lookup: four inputs choose one of 16 tables, four weights of each output the entry.
template <std::size_t Rows>
inline void count_by_lookup(const std::uint8_t* tile, const std::uint8_t* choices, std::size_t row_bytes,
                            std::size_t first, std::size_t last, std::uint16_t (&counts)[Rows][sign_tile_outputs]) {
    Bytes sums[Rows][sign_vectors] = {};
#pragma GCC unroll 1
    for (std::size_t g = first; g < last; ++g) {
        Bytes low[sign_vectors], high[sign_vectors];
        for (std::size_t v = 0; v < sign_vectors; ++v) {
            const Bytes packed = Bytes::load(tile + g * sign_tile_outputs + v * Bytes::size);
            low[v] = low_nibbles(packed);
            high[v] = high_nibbles(packed);
        }
        add_differing<Rows>(sums, low, choices + 2 * g, 2 * row_bytes);
        add_differing<Rows>(sums, high, choices + 2 * g + 1, 2 * row_bytes);
    }
    for (std::size_t r = 0; r < Rows; ++r) {
        for (std::size_t v = 0; v < sign_vectors; ++v) add_widened(counts[r] + v * Bytes::size, sums[r][v]);
    }
}

// The outputs of one row from how many bits differ.
template <typename Count, std::size_t Outputs>
inline void store_counts(const TiledWeight& weight, const Count (&counts)[Outputs], std::size_t output, float* row) {
    const I32 all = I32::all(static_cast<std::int32_t>(weight.num_inputs));
    I32 sums[Outputs / I32::size];
    for (std::size_t v = 0; v < Outputs / I32::size; ++v) {
        const I32 count = I32::load(counts + v * I32::size);
        sums[v] = all - (count + count);
    }
    store_outputs(weight, sums, output, row);
}

template <std::size_t Rows>
void multiply_sign_rows(const TiledWeight& weight, const ProductCall& call, std::size_t tile, std::size_t row) {
    std::uint16_t counts[Rows][sign_tile_outputs] = {};
    const std::uint8_t* choices = call.scratch + row * 2 * weight.row_bytes;
    for (std::size_t first = 0; first < weight.row_bytes; first += counted_bytes) {
        const std::size_t last = first + counted_bytes < weight.row_bytes ? first + counted_bytes : weight.row_bytes;
        count_by_lookup<Rows>(weight.tiles + tile * weight.tile_bytes, choices, weight.row_bytes, first, last, counts);
    }
    for (std::size_t r = 0; r < Rows; ++r) {
        store_counts(weight, counts[r], tile * sign_tile_outputs, call.out + (row + r) * call.out_stride);
    }
}

// For tiles of 64 outputs; at most 65535 inputs, what a count holds.
void multiply_signs_by_lookup(const TiledWeight& weight, const ProductCall& call) {
    for (std::size_t row = 0; row < call.num_rows; ++row) {
        choose_tables(call.rows + row * weight.row_bytes, weight.row_bytes, call.scratch + row * 2 * weight.row_bytes);
    }
    for (std::size_t tile = call.first_tile; tile < call.last_tile; ++tile) {
        std::size_t row = 0;
        for (; row + sign_block_rows <= call.num_rows; row += sign_block_rows) {
            multiply_sign_rows<sign_block_rows>(weight, call, tile, row);
        }
        for (; row + 2 <= call.num_rows; row += 2) multiply_sign_rows<2>(weight, call, tile, row);
        if (row < call.num_rows) multiply_sign_rows<1>(weight, call, tile, row);
    }
}

inline std::int32_t differing_bits(const std::uint8_t* a, const std::uint8_t* b, std::size_t num_bytes) {
    std::int32_t count = 0;
    for (std::size_t at = 0; at < num_bytes; at += 8) {
        std::uint64_t a_word, b_word;
        __builtin_memcpy(&a_word, a + at, 8);
        __builtin_memcpy(&b_word, b + at, 8);
        count += __builtin_popcountll(a_word ^ b_word);
    }
    return count;
}

// For tiles of 16 rows as they are stored: 64 inputs are one xor and one count of its bits. Few outputs would leave most
// lanes of a lookup idle.
void multiply_signs_by_popcount(const TiledWeight& weight, const ProductCall& call) {
    for (std::size_t tile = call.first_tile; tile < call.last_tile; ++tile) {
        const std::uint8_t* codes = weight.tiles + tile * weight.tile_bytes;
        for (std::size_t row = 0; row < call.num_rows; ++row) {
            const std::uint8_t* signs = call.rows + row * weight.row_bytes;
            std::int32_t counts[integer_tile_outputs];
            for (std::size_t o = 0; o < integer_tile_outputs; ++o) {
                counts[o] = differing_bits(signs, codes + o * weight.row_bytes, weight.row_bytes);
            }
            store_counts(weight, counts, tile * integer_tile_outputs, call.out + row * call.out_stride);
        }
    }
}
