// The vector types of the AVX-512 tier: 16 lanes of 32 bits.

struct I32 {
    static constexpr std::size_t size = 16;
    __m512i lanes;
    static I32 all(std::int32_t value) { return {_mm512_set1_epi32(value)}; }
    static I32 load(const std::int32_t* from) { return {_mm512_loadu_si512(from)}; }
    static I32 load(const std::uint16_t* from) {
        return {_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)))};
    }
};

struct F32 {
    static constexpr std::size_t size = 16;
    __m512 lanes;
    static F32 all(float value) { return {_mm512_set1_ps(value)}; }
    static F32 load(const float* from) { return {_mm512_loadu_ps(from)}; }
    void store(float* to) const { _mm512_storeu_ps(to, lanes); }
};

inline I32 operator+(I32 a, I32 b) { return {_mm512_add_epi32(a.lanes, b.lanes)}; }
inline I32 operator-(I32 a, I32 b) { return {_mm512_sub_epi32(a.lanes, b.lanes)}; }
inline I32 operator*(I32 a, I32 b) { return {_mm512_mullo_epi32(a.lanes, b.lanes)}; }
inline F32 operator+(F32 a, F32 b) { return {_mm512_add_ps(a.lanes, b.lanes)}; }
inline F32 operator-(F32 a, F32 b) { return {_mm512_sub_ps(a.lanes, b.lanes)}; }
inline F32 operator*(F32 a, F32 b) { return {_mm512_mul_ps(a.lanes, b.lanes)}; }
inline F32 operator/(F32 a, F32 b) { return {_mm512_div_ps(a.lanes, b.lanes)}; }

inline F32 fused(F32 a, F32 b, F32 c) { return {_mm512_fmadd_ps(a.lanes, b.lanes, c.lanes)}; }

inline F32 clip(F32 x, float lowest, float highest) {
    return {_mm512_max_ps(_mm512_min_ps(x.lanes, _mm512_set1_ps(highest)), _mm512_set1_ps(lowest))};
}

inline I32 round_even(F32 x) { return {_mm512_cvtps_epi32(x.lanes)}; }

inline I32 select_below_zero(F32 x, I32 below, I32 otherwise) {
    const __mmask16 is_below = _mm512_cmp_ps_mask(x.lanes, _mm512_setzero_ps(), _CMP_LT_OQ);
    return {_mm512_mask_blend_epi32(is_below, otherwise.lanes, below.lanes)};
}

inline void store_i8(std::int8_t* to, I32 x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(x.lanes));
}

template <unsigned Bits>
inline F32 levels(const std::uint8_t* row, std::size_t column) {
    const std::uint8_t* codes = row + column * Bits / 8;
    if constexpr (Bits == 1) {
        std::uint16_t is_negative;
        __builtin_memcpy(&is_negative, codes, 2);
        return {_mm512_mask_blend_ps(is_negative, _mm512_set1_ps(1.0f), _mm512_set1_ps(-1.0f))};
    } else if constexpr (Bits == 2) {
        std::uint32_t word;
        __builtin_memcpy(&word, codes, 4);
        const __m512i shifts = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        // A permutation looks at the four lowest bits: the levels are repeated, so that those of later codes do not
        // count.
        const __m512 table = _mm512_broadcast_f32x4(_mm_setr_ps(-1.5f, -0.5f, 0.5f, 1.5f));
        return {_mm512_permutexvar_ps(_mm512_srlv_epi32(_mm512_set1_epi32(static_cast<int>(word)), shifts), table)};
    } else if constexpr (Bits == 4) {
        const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(codes));
        const __m128i low = _mm_set1_epi8(15);
        const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), low);
        const __m128i nibbles = _mm_unpacklo_epi8(_mm_and_si128(bytes, low), high);
        return {_mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_cvtepu8_epi32(nibbles), _mm512_set1_epi32(8)))};
    } else {
        const __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
        return {_mm512_cvtepi32_ps(_mm512_sub_epi32(bytes, _mm512_set1_epi32(128)))};
    }
}

// Bit i is set if byte i of 64 is `a` or `b`.
struct Text {
    static constexpr std::size_t size = 64;
    static std::uint64_t equal(const char* from, char a, char b) {
        const __m512i bytes = _mm512_loadu_si512(from);
        return _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(a)) | _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(b));
    }
};
