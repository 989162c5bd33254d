// The vector types of the AVX2 tier: 8 lanes of 32 bits.

struct I32 {
    static constexpr std::size_t size = 8;
    __m256i lanes;
    static I32 all(std::int32_t value) { return {_mm256_set1_epi32(value)}; }
    static I32 load(const std::int32_t* from) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))}; }
    static I32 load(const std::uint16_t* from) {
        return {_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)))};
    }
};

struct F32 {
    static constexpr std::size_t size = 8;
    __m256 lanes;
    static F32 all(float value) { return {_mm256_set1_ps(value)}; }
    static F32 load(const float* from) { return {_mm256_loadu_ps(from)}; }
    void store(float* to) const { _mm256_storeu_ps(to, lanes); }
};

inline I32 operator+(I32 a, I32 b) { return {_mm256_add_epi32(a.lanes, b.lanes)}; }
inline I32 operator-(I32 a, I32 b) { return {_mm256_sub_epi32(a.lanes, b.lanes)}; }
inline I32 operator*(I32 a, I32 b) { return {_mm256_mullo_epi32(a.lanes, b.lanes)}; }
inline F32 operator+(F32 a, F32 b) { return {_mm256_add_ps(a.lanes, b.lanes)}; }
inline F32 operator-(F32 a, F32 b) { return {_mm256_sub_ps(a.lanes, b.lanes)}; }
inline F32 operator*(F32 a, F32 b) { return {_mm256_mul_ps(a.lanes, b.lanes)}; }
inline F32 operator/(F32 a, F32 b) { return {_mm256_div_ps(a.lanes, b.lanes)}; }

inline F32 fused(F32 a, F32 b, F32 c) { return {_mm256_fmadd_ps(a.lanes, b.lanes, c.lanes)}; }

inline F32 clip(F32 x, float lowest, float highest) {
    return {_mm256_max_ps(_mm256_min_ps(x.lanes, _mm256_set1_ps(highest)), _mm256_set1_ps(lowest))};
}

inline I32 round_even(F32 x) { return {_mm256_cvtps_epi32(x.lanes)}; }

inline I32 select_below_zero(F32 x, I32 below, I32 otherwise) {
    const __m256 is_below = _mm256_cmp_ps(x.lanes, _mm256_setzero_ps(), _CMP_LT_OQ);
    return {_mm256_blendv_epi8(otherwise.lanes, below.lanes, _mm256_castps_si256(is_below))};
}

inline void store_i8(std::int8_t* to, I32 x) {
    const __m128i low = _mm256_castsi256_si128(x.lanes), high = _mm256_extracti128_si256(x.lanes, 1);
    const __m128i words = _mm_packs_epi32(low, high);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(words, words));
}

// Shifts that bring the code of each lane to the lowest bits of a word with all eight.
template <unsigned Bits>
inline __m256i codes_of_lanes(std::uint32_t word) {
    const __m256i shifts = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(Bits));
    return _mm256_srlv_epi32(_mm256_set1_epi32(static_cast<int>(word)), shifts);
}

template <unsigned Bits>
inline F32 levels(const std::uint8_t* row, std::size_t column) {
    std::uint8_t bytes[Bits];
    __builtin_memcpy(bytes, row + column * Bits / 8, Bits);
    if constexpr (Bits == 8) {
        const __m256i codes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes)));
        return {_mm256_cvtepi32_ps(_mm256_sub_epi32(codes, _mm256_set1_epi32(128)))};
    } else {
        std::uint32_t word = 0;
        __builtin_memcpy(&word, bytes, Bits);
        const __m256i codes = codes_of_lanes<Bits>(word);
        if constexpr (Bits == 4) {
            const __m256i nibbles = _mm256_and_si256(codes, _mm256_set1_epi32(15));
            return {_mm256_cvtepi32_ps(_mm256_sub_epi32(nibbles, _mm256_set1_epi32(8)))};
        }
        // A permutation looks at the three lowest bits: the levels are repeated, so that those of later codes do not
        // count.
        constexpr float a = Bits == 2 ? -1.5f : 1.0f, b = Bits == 2 ? -0.5f : -1.0f;
        constexpr float c = Bits == 2 ? 0.5f : 1.0f, d = Bits == 2 ? 1.5f : -1.0f;
        return {_mm256_permutevar8x32_ps(_mm256_setr_ps(a, b, c, d, a, b, c, d), codes)};
    }
}

// Bit i is set if byte i of 64 is `a` or `b`.
struct Text {
    static constexpr std::size_t size = 64;
    static std::uint32_t equal_half(const char* from, char a, char b) {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
        const __m256i is_a = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(a));
        const __m256i is_b = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b));
        return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_or_si256(is_a, is_b)));
    }
    static std::uint64_t equal(const char* from, char a, char b) {
        return std::uint64_t{equal_half(from + 32, a, b)} << 32 | equal_half(from, a, b);
    }
};
