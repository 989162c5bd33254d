// Rows of signs times weights of one bit in tiles of 64 outputs, written once over the vector types of the tier that
// includes this: four inputs choose a table of 16, four weights of each output the entry.
//
// An entry counts how many of the four differ, at most 4, and a byte has room for more: rows go in pairs, the first one's
// count in the low half of each entry, the second one's in the high half. Three of them add up to 12 at most in each half
// before the halves have to be parted.

// How many bits of a and b differ, for numbers below 16.
constexpr unsigned differing_of_four(unsigned a, unsigned b) {
    const unsigned bits = a ^ b;
    return (bits & 1) + (bits >> 1 & 1) + (bits >> 2 & 1) + (bits >> 3);
}

// of[a][w] = how many bits of a and w differ.
struct RowTables {
    alignas(16) std::uint8_t of[16][16];
};

// of[16 * b + a][w] = how many bits of a and w differ, plus 16 times how many of b and w do.
struct PairTables {
    alignas(64) std::uint8_t of[256][16];
};

constexpr RowTables make_row_tables() {
    RowTables tables{};
    for (unsigned a = 0; a < 16; ++a) {
        for (unsigned w = 0; w < 16; ++w) tables.of[a][w] = static_cast<std::uint8_t>(differing_of_four(a, w));
    }
    return tables;
}

constexpr PairTables make_pair_tables() {
    PairTables tables{};
    for (unsigned pair = 0; pair < 256; ++pair) {
        for (unsigned w = 0; w < 16; ++w) {
            const unsigned first = differing_of_four(pair % 16, w), second = differing_of_four(pair / 16, w);
            tables.of[pair][w] = static_cast<std::uint8_t>(first + 16 * second);
        }
    }
    return tables;
}

constexpr RowTables row_tables = make_row_tables();
constexpr PairTables pair_tables = make_pair_tables();

constexpr std::size_t sign_vectors = sign_tile_outputs / Bytes::size;
constexpr std::size_t counted_bytes = 31;  // of a row: 31 * 8 is the last count below 256
constexpr std::size_t added_entries = 3;  // of pairs: 3 * 4 is the last count below 16
constexpr std::size_t counted_entries = 63;  // of pairs: 63 * 4 is the last count below 256

// Where in `pair_tables` the tables are that two rows choose: for the low and the high half of each of their bytes.
inline void choose_tables(const std::uint8_t* first, const std::uint8_t* second, std::size_t row_bytes,
                          std::uint16_t* choices) {
    for (std::size_t g = 0; g < row_bytes; ++g) {
        const unsigned a = first[g], b = second[g];
        choices[2 * g] = static_cast<std::uint16_t>((a & 15) << 4 | (b & 15) << 8);
        choices[2 * g + 1] = static_cast<std::uint16_t>((a & 0xf0) | (b & 0xf0) << 4);
    }
}

// A tile with four weights of one output in each byte: the low half of byte g, then the high half, for all outputs.
inline void unpack_signs(const std::uint8_t* tile, std::size_t row_bytes, std::uint8_t* panel) {
    for (std::size_t g = 0; g < row_bytes; ++g, tile += sign_tile_outputs, panel += 2 * sign_tile_outputs) {
        for (std::size_t at = 0; at < sign_tile_outputs; at += Bytes::size) {
            const Bytes packed = Bytes::load(tile + at);
            low_nibbles(packed).store(panel + at);
            high_nibbles(packed).store(panel + sign_tile_outputs + at);
        }
    }
}

// Adds to the sums of a pair the entries of `Added` groups of four inputs.
template <std::size_t Added>
inline void add_entries(PairSums (&sums)[sign_vectors], const std::uint8_t* panel, const std::uint16_t* choices) {
    Bytes entries[sign_vectors];
    for (std::size_t g = 0; g < Added; ++g) {
        const Table table = Table::load(pair_tables.of[0] + choices[g]);
        for (std::size_t v = 0; v < sign_vectors; ++v) {
            const Bytes entry = lookup(table, Bytes::load(panel + g * sign_tile_outputs + v * Bytes::size));
            entries[v] = g == 0 ? entry : entries[v] + entry;
        }
    }
    for (std::size_t v = 0; v < sign_vectors; ++v) add_halves(sums[v], entries[v]);
}

// Two rows, from the entries that they choose of an unpacked tile.
inline void multiply_pair(const TiledWeight& weight, const ProductCall& call, const std::uint8_t* panel,
                          const std::uint16_t* choices, std::size_t tile, std::size_t first_row) {
    const std::size_t num_entries = 2 * weight.row_bytes;
    PairCounts counts[sign_vectors];
    for (std::size_t v = 0; v < sign_vectors; ++v) counts[v] = PairCounts::zero();
    for (std::size_t g = 0; g < num_entries;) {
        const std::size_t end = g + counted_entries < num_entries ? g + counted_entries : num_entries;
        PairSums sums[sign_vectors];
        for (std::size_t v = 0; v < sign_vectors; ++v) sums[v] = PairSums::zero();
#pragma GCC unroll 1
        for (; g + added_entries <= end; g += added_entries) {
            add_entries<added_entries>(sums, panel + g * sign_tile_outputs, choices + g);
        }
        for (; g < end; ++g) add_entries<1>(sums, panel + g * sign_tile_outputs, choices + g);
        for (std::size_t v = 0; v < sign_vectors; ++v) add_widened(counts[v], sums[v]);
    }
    std::uint16_t of_rows[2][sign_tile_outputs];
    for (std::size_t v = 0; v < sign_vectors; ++v) {
        store(counts[v], of_rows[0] + v * Bytes::size, of_rows[1] + v * Bytes::size);
    }
    for (std::size_t r = 0; r < 2; ++r) store_counts(weight, call, of_rows[r], first_row + r, tile * sign_tile_outputs);
}

// One row, whose tables are chosen and whose weights are parted on the way.
void multiply_sign_row(const TiledWeight& weight, const ProductCall& call, std::size_t row, std::size_t tile) {
    const std::uint8_t* signs = call.rows + row * weight.row_bytes;
    const std::uint8_t* codes = weight.tiles + tile * weight.tile_bytes;
    std::uint16_t counts[sign_tile_outputs] = {};
    for (std::size_t first = 0; first < weight.row_bytes; first += counted_bytes) {
        const std::size_t last = first + counted_bytes < weight.row_bytes ? first + counted_bytes : weight.row_bytes;
        Bytes sums[sign_vectors] = {};
#pragma GCC unroll 4
        for (std::size_t g = first; g < last; ++g) {
            const Table low = Table::load(row_tables.of[0] + (signs[g] << 4 & 0xf0));
            const Table high = Table::load(row_tables.of[0] + (signs[g] & 0xf0));
            for (std::size_t v = 0; v < sign_vectors; ++v) {
                const Bytes packed = Bytes::load(codes + g * sign_tile_outputs + v * Bytes::size);
                sums[v] = sums[v] + lookup(low, low_nibbles(packed)) + lookup(high, high_nibbles(packed));
            }
        }
        for (std::size_t v = 0; v < sign_vectors; ++v) add_widened(counts + v * Bytes::size, sums[v]);
    }
    store_counts(weight, call, counts, row, tile * sign_tile_outputs);
}

// For at most 65535 inputs, what a count holds.
void multiply_signs_by_lookup(const TiledWeight& weight, const ProductCall& call) {
    const std::size_t row_bytes = weight.row_bytes, num_pairs = call.num_rows / 2;
    std::uint8_t* panel = call.scratch;
    std::uint16_t* choices = reinterpret_cast<std::uint16_t*>(call.scratch + 2 * row_bytes * sign_tile_outputs);
    for (std::size_t p = 0; p < num_pairs; ++p) {
        const std::uint8_t* first = call.rows + 2 * p * row_bytes;
        choose_tables(first, first + row_bytes, row_bytes, choices + p * 2 * row_bytes);
    }
    for (std::size_t tile = call.first_tile; tile < call.last_tile; ++tile) {
        if (num_pairs > 0) unpack_signs(weight.tiles + tile * weight.tile_bytes, row_bytes, panel);
        for (std::size_t p = 0; p < num_pairs; ++p) {
            multiply_pair(weight, call, panel, choices + p * 2 * row_bytes, tile, 2 * p);
        }
        if (call.num_rows % 2 == 1) multiply_sign_row(weight, call, call.num_rows - 1, tile);
    }
}
