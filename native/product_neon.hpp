// What products need beside simd_neon.hpp: sums of four products of a code and an input, and bytes that choose from a
// table of 16. Only instructions that every 64-bit ARM has: no dot product.

inline F32 to_float(I32 x) { return {vcvtq_f32_s32(x.lanes)}; }

// Comparisons and selections, because VMAX treats NaN and zeros otherwise than the other tiers.
inline F32 max(F32 a, F32 b) { return {vbslq_f32(vcgtq_f32(a.lanes, b.lanes), a.lanes, b.lanes)}; }

inline F32 select_above_zero(F32 x, F32 above, F32 otherwise) {
    return {vbslq_f32(vcgtzq_f32(x.lanes), above.lanes, otherwise.lanes)};
}

// Bit i is 1 where lane i is in [first, last].
inline std::uint32_t lanes_within(I32 x, I32 first, I32 last) {
    const uint32x4_t is_within = vandq_u32(vcgeq_s32(x.lanes, first.lanes), vcleq_s32(x.lanes, last.lanes));
    const uint32x4_t bits = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(is_within, bits));
}

inline std::uint8_t eight_signs(const float* x) {
    const uint32x4_t low_bits = {1, 2, 4, 8}, high_bits = {16, 32, 64, 128};
    const uint32x4_t low = vandq_u32(vcltzq_f32(vld1q_f32(x)), low_bits);
    const uint32x4_t high = vandq_u32(vcltzq_f32(vld1q_f32(x + 4)), high_bits);
    return static_cast<std::uint8_t>(vaddvq_u32(vorrq_u32(low, high)));
}

constexpr std::size_t positive_block_rows = 2;
constexpr std::size_t block_rows = 2;
constexpr std::size_t block_tiles = 1;

struct Codes {
    static constexpr std::size_t size = 16;
    static constexpr std::size_t max_bits = 4;
    uint8x16_t lanes;
    static Codes load(const std::uint8_t* from) { return {vld1q_u8(from)}; }
    void store(std::uint8_t* to) const { vst1q_u8(to, lanes); }
};

// Field `index` of every byte, `Width` bits wide.
template <std::size_t Width>
inline Codes field_of(Codes x, std::size_t index) {
    const uint8x16_t shifted = vshlq_u8(x.lanes, vdupq_n_s8(static_cast<std::int8_t>(-static_cast<int>(index * Width))));
    return {vandq_u8(shifted, vdupq_n_u8((1 << Width) - 1))};
}

// The same four inputs for every output.
struct Inputs {
    int8x16_t lanes;
    static Inputs all(const std::uint8_t* four) {
        std::int32_t bits;
        __builtin_memcpy(&bits, four, 4);
        return {vreinterpretq_s8_s32(vdupq_n_s32(bits))};
    }
};

// Two sums of 16 bits for each output.
struct Dots {
    int16x8_t lanes;
};

// The first products of a segment, and what its last ones give: together they add the segment to `sums`.
inline Dots first_products(I32, Codes u, Inputs a) {
    const int8x16_t codes = vreinterpretq_s8_u8(u.lanes);
    const int16x8_t low = vmull_s8(vget_low_s8(codes), vget_low_s8(a.lanes));
    return {vpaddq_s16(low, vmull_high_s8(codes, a.lanes))};
}

inline Dots add_products(Dots dots, Codes u, Inputs a) {
    return {vaddq_s16(dots.lanes, first_products(I32::all(0), u, a).lanes)};
}

inline I32 widen(Dots dots) { return {vpaddlq_s16(dots.lanes)}; }
inline I32 last_sum(I32 sums, Dots dots) { return {vpadalq_s16(sums.lanes, dots.lanes)}; }

template <typename Vector>
inline void keep_here(Vector& x) {
    __asm__ volatile("" : "+w"(x.lanes));
}

// u - 128 for 8-bit codes.
inline Codes levels_of(Codes u) { return {veorq_u8(u.lanes, vdupq_n_u8(128))}; }

// Sums of two products of inputs in [0, 127] and levels.
inline Dots positive_products(Inputs a, Codes levels) { return first_products(I32::all(0), levels, a); }
inline Dots add_positive(Dots dots, Inputs a, Codes levels) { return add_products(dots, levels, a); }

// Of int8 integers, a multiple of 16 of them.
inline std::int32_t sum_of(const std::uint8_t* integers, std::size_t count) {
    int32x4_t sums = vdupq_n_s32(0);
    for (std::size_t i = 0; i < count; i += 16) {
        sums = vpadalq_s16(sums, vpaddlq_s8(vreinterpretq_s8_u8(vld1q_u8(integers + i))));
    }
    return vaddvq_s32(sums);
}

struct Bytes {
    static constexpr std::size_t size = 16;
    uint8x16_t lanes;
    static Bytes load(const std::uint8_t* from) { return {vld1q_u8(from)}; }
    void store(std::uint8_t* to) const { vst1q_u8(to, lanes); }
};

inline Bytes operator+(Bytes a, Bytes b) { return {vaddq_u8(a.lanes, b.lanes)}; }
inline Bytes low_nibbles(Bytes x) { return {vandq_u8(x.lanes, vdupq_n_u8(15))}; }
inline Bytes high_nibbles(Bytes x) { return {vshrq_n_u8(x.lanes, 4)}; }

struct Table {
    uint8x16_t entries;
    static Table load(const std::uint8_t* sixteen) { return {vld1q_u8(sixteen)}; }
};

inline Bytes lookup(Table table, Bytes nibbles) { return {vqtbl1q_u8(table.entries, nibbles.lanes)}; }

// to[i] += byte i.
inline void add_widened(std::uint16_t* to, Bytes x) {
    vst1q_u16(to, vaddw_u8(vld1q_u16(to), vget_low_u8(x.lanes)));
    vst1q_u16(to + 8, vaddw_high_u8(vld1q_u16(to + 8), x.lanes));
}

// Sums of the low halves of bytes, and of the high ones.
struct PairSums {
    uint8x16_t low, high;
    static PairSums zero() { return {vdupq_n_u8(0), vdupq_n_u8(0)}; }
};

inline void add_halves(PairSums& sums, Bytes x) {
    sums.low = vaddq_u8(sums.low, low_nibbles(x).lanes);
    sums.high = vsraq_n_u8(sums.high, x.lanes, 4);
}

// Counts of 16 outputs for two rows.
struct PairCounts {
    uint16x8_t of_rows[2][2];
    static PairCounts zero() {
        const uint16x8_t zeros = vdupq_n_u16(0);
        return {{{zeros, zeros}, {zeros, zeros}}};
    }
};

inline void add_widened(PairCounts& counts, PairSums sums) {
    const uint8x16_t of_rows[2] = {sums.low, sums.high};
    for (std::size_t r = 0; r < 2; ++r) {
        counts.of_rows[r][0] = vaddw_u8(counts.of_rows[r][0], vget_low_u8(of_rows[r]));
        counts.of_rows[r][1] = vaddw_high_u8(counts.of_rows[r][1], of_rows[r]);
    }
}

inline void store(const PairCounts& counts, std::uint16_t* first, std::uint16_t* second) {
    std::uint16_t* const to[2] = {first, second};
    for (std::size_t r = 0; r < 2; ++r) {
        for (std::size_t half = 0; half < 2; ++half) vst1q_u16(to[r] + 8 * half, counts.of_rows[r][half]);
    }
}
