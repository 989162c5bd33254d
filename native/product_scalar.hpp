// What products need beside simd_scalar.hpp: sums of four products of a code and an input, and bytes that choose from a
// table of 16.

inline F32 to_float(I32 x) { return {static_cast<float>(x.lane)}; }
inline F32 max(F32 a, F32 b) { return a.lane > b.lane ? a : b; }
inline F32 select_above_zero(F32 x, F32 above, F32 otherwise) { return x.lane > 0.0f ? above : otherwise; }

// Bit i is 1 where lane i is in [first, last].
inline std::uint32_t lanes_within(I32 x, I32 first, I32 last) {
    return first.lane <= x.lane && x.lane <= last.lane ? 1 : 0;
}

inline std::uint8_t eight_signs(const float* x) {
    unsigned signs = 0;
    for (unsigned i = 0; i < 8; ++i) signs |= (x[i] < 0.0f ? 1u : 0u) << i;
    return static_cast<std::uint8_t>(signs);
}

constexpr std::size_t block_rows = 4;
constexpr std::size_t block_tiles = 1;

struct Codes {
    static constexpr std::size_t size = 4;
    static constexpr std::size_t max_bits = 8;
    std::uint8_t lanes[4];
    static Codes load(const std::uint8_t* from) { return {{from[0], from[1], from[2], from[3]}}; }
    void store(std::uint8_t* to) const {
        for (std::size_t i = 0; i < size; ++i) to[i] = lanes[i];
    }
};

// Field `index` of every byte, `Width` bits wide.
template <std::size_t Width>
inline Codes field_of(Codes x, std::size_t index) {
    for (std::uint8_t& lane : x.lanes) lane = static_cast<std::uint8_t>(lane >> (index * Width) & ((1u << Width) - 1));
    return x;
}

// The same four inputs for every output.
struct Inputs {
    std::int8_t lanes[4];
    static Inputs all(const std::uint8_t* four) {
        Inputs inputs;
        __builtin_memcpy(inputs.lanes, four, 4);
        return inputs;
    }
};

// Sums of four products have as many bits as all sums.
using Dots = I32;

inline Dots add_products(Dots dots, Codes u, Inputs a) {
    for (std::size_t i = 0; i < 4; ++i) dots.lane += u.lanes[i] * a.lanes[i];
    return dots;
}

inline I32 widen(Dots dots) { return dots; }

// The first products of a segment, and what its last ones give: together they add the segment to `sums`.
inline Dots first_products(I32 sums, Codes u, Inputs a) { return add_products(sums, u, a); }
inline I32 last_sum(I32, Dots dots) { return dots; }

inline void keep_here(Dots&) {}

inline std::int32_t sum_of(const std::uint8_t* integers, std::size_t count) {
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += static_cast<std::int8_t>(integers[i]);
    return sum;
}

struct Bytes {
    static constexpr std::size_t size = 1;
    std::uint8_t lane;
    static Bytes load(const std::uint8_t* from) { return {*from}; }
    void store(std::uint8_t* to) const { *to = lane; }
};

inline Bytes operator+(Bytes a, Bytes b) { return {static_cast<std::uint8_t>(a.lane + b.lane)}; }
inline Bytes low_nibbles(Bytes x) { return {static_cast<std::uint8_t>(x.lane & 15)}; }
inline Bytes high_nibbles(Bytes x) { return {static_cast<std::uint8_t>(x.lane >> 4)}; }

struct Table {
    const std::uint8_t* entries;
    static Table load(const std::uint8_t* sixteen) { return {sixteen}; }
};

inline Bytes lookup(Table table, Bytes nibbles) { return {table.entries[nibbles.lane]}; }

// to[i] += byte i.
inline void add_widened(std::uint16_t* to, Bytes x) { *to = static_cast<std::uint16_t>(*to + x.lane); }

// Sums of the low and of the high halves of bytes.
struct PairSums {
    std::uint8_t low, high;
    static PairSums zero() { return {0, 0}; }
};

inline void add_halves(PairSums& sums, Bytes x) {
    sums.low = static_cast<std::uint8_t>(sums.low + (x.lane & 15));
    sums.high = static_cast<std::uint8_t>(sums.high + (x.lane >> 4));
}

// Counts for two rows.
struct PairCounts {
    std::uint16_t first, second;
    static PairCounts zero() { return {0, 0}; }
};

inline void add_widened(PairCounts& counts, PairSums sums) {
    counts.first = static_cast<std::uint16_t>(counts.first + sums.low);
    counts.second = static_cast<std::uint16_t>(counts.second + sums.high);
}

inline void store(const PairCounts& counts, std::uint16_t* first, std::uint16_t* second) {
    *first = counts.first;
    *second = counts.second;
}
