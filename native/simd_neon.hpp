// The vector types of the NEON tier: 4 lanes of 32 bits.

struct I32 {
    static constexpr std::size_t size = 4;
    int32x4_t lanes;
    static I32 all(std::int32_t value) { return {vdupq_n_s32(value)}; }
    static I32 load(const std::int32_t* from) { return {vld1q_s32(from)}; }
    static I32 load(const std::uint16_t* from) { return {vreinterpretq_s32_u32(vmovl_u16(vld1_u16(from)))}; }
};

struct F32 {
    static constexpr std::size_t size = 4;
    float32x4_t lanes;
    static F32 all(float value) { return {vdupq_n_f32(value)}; }
    static F32 load(const float* from) { return {vld1q_f32(from)}; }
    void store(float* to) const { vst1q_f32(to, lanes); }
};

inline I32 operator+(I32 a, I32 b) { return {vaddq_s32(a.lanes, b.lanes)}; }
inline I32 operator-(I32 a, I32 b) { return {vsubq_s32(a.lanes, b.lanes)}; }
inline I32 operator*(I32 a, I32 b) { return {vmulq_s32(a.lanes, b.lanes)}; }
inline F32 operator+(F32 a, F32 b) { return {vaddq_f32(a.lanes, b.lanes)}; }
inline F32 operator-(F32 a, F32 b) { return {vsubq_f32(a.lanes, b.lanes)}; }
inline F32 operator*(F32 a, F32 b) { return {vmulq_f32(a.lanes, b.lanes)}; }
inline F32 operator/(F32 a, F32 b) { return {vdivq_f32(a.lanes, b.lanes)}; }

inline F32 fused(F32 a, F32 b, F32 c) { return {vfmaq_f32(c.lanes, a.lanes, b.lanes)}; }

// Comparisons and selections, because VMIN hands on NaN.
inline F32 clip(F32 x, float lowest, float highest) {
    const float32x4_t low = vdupq_n_f32(lowest), high = vdupq_n_f32(highest);
    const float32x4_t capped = vbslq_f32(vcltq_f32(x.lanes, high), x.lanes, high);
    return {vbslq_f32(vcgtq_f32(capped, low), capped, low)};
}

inline I32 round_even(F32 x) { return {vcvtnq_s32_f32(x.lanes)}; }

inline I32 select_below_zero(F32 x, I32 below, I32 otherwise) {
    return {vbslq_s32(vcltzq_f32(x.lanes), below.lanes, otherwise.lanes)};
}

inline void store_i8(std::int8_t* to, I32 x) {
    const int16x4_t words = vmovn_s32(x.lanes);
    const int8x8_t bytes = vmovn_s16(vcombine_s16(words, words));
    vst1_lane_s32(reinterpret_cast<std::int32_t*>(to), vreinterpret_s32_s8(bytes), 0);
}

template <unsigned Bits>
inline F32 levels(const std::uint8_t* row, std::size_t column) {
    std::uint32_t word = 0;  // four codes: at 1 bit one half of a byte
    __builtin_memcpy(&word, row + column * Bits / 8, Bits == 1 ? 1 : Bits / 2);
    const int bits = static_cast<int>(Bits), first = static_cast<int>(column * Bits % 8);
    const std::int32_t right[4] = {-first, -first - bits, -first - 2 * bits, -first - 3 * bits};
    const uint32x4_t shifted = vshlq_u32(vdupq_n_u32(word), vld1q_s32(right));
    const float32x4_t codes = vcvtq_f32_u32(vandq_u32(shifted, vdupq_n_u32((1u << Bits) - 1)));
    if constexpr (Bits == 1) return {vsubq_f32(vdupq_n_f32(1.0f), vaddq_f32(codes, codes))};
    constexpr float lowest = Bits == 8 ? -128.0f : Bits == 4 ? -8.0f : -1.5f;
    return {vaddq_f32(codes, vdupq_n_f32(lowest))};
}

// Bit i is set if byte i of 16 is `a` or `b`.
struct Text {
    static constexpr std::size_t size = 16;
    static std::uint64_t equal(const char* from, char a, char b) {
        static constexpr std::uint8_t bits_of_lanes[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
        const uint8x16_t bytes = vld1q_u8(reinterpret_cast<const std::uint8_t*>(from));
        const uint8x16_t is_a = vceqq_u8(bytes, vdupq_n_u8(static_cast<std::uint8_t>(a)));
        const uint8x16_t is_b = vceqq_u8(bytes, vdupq_n_u8(static_cast<std::uint8_t>(b)));
        const uint8x16_t bits = vandq_u8(vorrq_u8(is_a, is_b), vld1q_u8(bits_of_lanes));
        return vaddv_u8(vget_low_u8(bits)) | std::uint64_t{vaddv_u8(vget_high_u8(bits))} << 8;
    }
};
