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

// The outputs of one row from how many bits differ.
template <typename Count, std::size_t Outputs>
inline void store_counts(const TiledWeight& weight, const ProductCall& call, const Count (&counts)[Outputs],
                         std::size_t row, std::size_t output) {
    const I32 all = I32::all(static_cast<std::int32_t>(weight.num_inputs));
    I32 sums[Outputs / I32::size];
    for (std::size_t v = 0; v < Outputs / I32::size; ++v) {
        const I32 count = I32::load(counts + v * I32::size);
        sums[v] = all - (count + count);
    }
    store_outputs(weight, call, sums, row, output);
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
            store_counts(weight, call, counts, row, tile * integer_tile_outputs);
        }
    }
}
