// What products need beside simd_avx512.hpp: sums of four products of a code and an input, and bytes that choose from a
// table of 16.

inline F32 to_float(I32 x) { return {_mm512_cvtepi32_ps(x.lanes)}; }
inline F32 max(F32 a, F32 b) { return {_mm512_max_ps(a.lanes, b.lanes)}; }

inline F32 select_above_zero(F32 x, F32 above, F32 otherwise) {
    return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(x.lanes, _mm512_setzero_ps(), _CMP_GT_OQ), otherwise.lanes,
                                 above.lanes)};
}

inline std::uint8_t eight_signs(const float* x) {
    return static_cast<std::uint8_t>(_mm256_cmp_ps_mask(_mm256_loadu_ps(x), _mm256_setzero_ps(), _CMP_LT_OQ));
}

constexpr std::size_t positive_block_rows = 8;
constexpr std::size_t block_rows = 8;

struct Codes {
    static constexpr std::size_t size = 64;
    static constexpr std::size_t max_bits = 8;
    __m512i lanes;
    static Codes load(const std::uint8_t* from) { return {_mm512_load_si512(from)}; }
    void store(std::uint8_t* to) const { _mm512_store_si512(to, lanes); }
};

// Field `index` of every byte, `Width` bits wide.
template <std::size_t Width>
inline Codes field_of(Codes x, std::size_t index) {
    const __m512i shifted = _mm512_srli_epi16(x.lanes, static_cast<unsigned>(index * Width));
    return {_mm512_and_si512(shifted, _mm512_set1_epi8(static_cast<char>((1 << Width) - 1)))};
}

// The same four inputs for every output.
struct Inputs {
    __m512i lanes;
    static Inputs all(const std::uint8_t* four) {
        std::int32_t bits;
        __builtin_memcpy(&bits, four, 4);
        return {_mm512_set1_epi32(bits)};
    }
};

struct Dots {
    __m512i lanes;
};

inline Dots add_products(Dots dots, Codes u, Inputs a) {
    return {_mm512_dpbusd_epi32(dots.lanes, u.lanes, a.lanes)};
}

inline I32 widen(Dots dots) { return {dots.lanes}; }

// u - 128 for 8-bit codes.
inline Codes levels_of(Codes u) { return {_mm512_xor_si512(u.lanes, _mm512_set1_epi8(-128))}; }

// sums + sums of four products of inputs in [0, 127] and levels.
inline I32 add_positive(I32 sums, Inputs a, Codes levels) {
    return {_mm512_dpbusd_epi32(sums.lanes, a.lanes, levels.lanes)};
}

// Of int8 integers, a multiple of 32 of them.
inline std::int32_t sum_of(const std::uint8_t* integers, std::size_t count) {
    __m256i sums = _mm256_setzero_si256();
    for (std::size_t i = 0; i < count; i += 32) {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(integers + i));
        sums = _mm256_dpbusd_epi32(sums, _mm256_set1_epi8(1), bytes);
    }
    return _mm512_reduce_add_epi32(_mm512_zextsi256_si512(sums));
}

constexpr std::size_t sign_block_rows = 8;

struct Bytes {
    static constexpr std::size_t size = 64;
    __m512i lanes;
    static Bytes load(const std::uint8_t* from) { return {_mm512_load_si512(from)}; }
};

inline Bytes operator+(Bytes a, Bytes b) { return {_mm512_add_epi8(a.lanes, b.lanes)}; }
inline Bytes low_nibbles(Bytes x) { return {_mm512_and_si512(x.lanes, _mm512_set1_epi8(15))}; }
inline Bytes high_nibbles(Bytes x) { return low_nibbles({_mm512_srli_epi16(x.lanes, 4)}); }

// Makes the compiler compute x here and in a register. Left alone it reorders the sums, which then need more registers
// than there are (measured: a third slower).
inline void keep_here(Bytes& x) { __asm__ volatile("" : "+v"(x.lanes)); }

struct Table {
    __m512i entries;
    static Table load(const std::uint8_t* sixteen) {
        return {_mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(sixteen)))};
    }
};

inline Bytes lookup(Table table, Bytes nibbles) { return {_mm512_shuffle_epi8(table.entries, nibbles.lanes)}; }

// to[i] += byte i.
inline void add_widened(std::uint16_t* to, Bytes x) {
    const __m256i halves[2] = {_mm512_castsi512_si256(x.lanes), _mm512_extracti64x4_epi64(x.lanes, 1)};
    for (std::size_t h = 0; h < 2; ++h) {
        std::uint16_t* at = to + 32 * h;
        _mm512_storeu_si512(at, _mm512_add_epi16(_mm512_loadu_si512(at), _mm512_cvtepu8_epi16(halves[h])));
    }
}
