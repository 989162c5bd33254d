// What products need beside simd_avx512.hpp: sums of four products of a code and an input, and bytes that choose from a
// table of 16.

inline F32 to_float(I32 x) { return {_mm512_cvtepi32_ps(x.lanes)}; }
inline F32 max(F32 a, F32 b) { return {_mm512_max_ps(a.lanes, b.lanes)}; }

inline F32 select_above_zero(F32 x, F32 above, F32 otherwise) {
    return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(x.lanes, _mm512_setzero_ps(), _CMP_GT_OQ), otherwise.lanes,
                                 above.lanes)};
}

// Bit i is 1 where lane i is in [first, last].
inline std::uint32_t lanes_within(I32 x, I32 first, I32 last) {
    return _mm512_mask_cmple_epi32_mask(_mm512_cmple_epi32_mask(first.lanes, x.lanes), x.lanes, last.lanes);
}

inline std::uint8_t eight_signs(const float* x) {
    return static_cast<std::uint8_t>(_mm256_cmp_ps_mask(_mm256_loadu_ps(x), _mm256_setzero_ps(), _CMP_LT_OQ));
}

constexpr std::size_t block_rows = 8;
constexpr std::size_t block_tiles = 2;  // with one alone, reading the inputs takes longer than multiplying them

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

// Sums of four products have as many bits as all sums.
using Dots = I32;

inline Dots add_products(Dots dots, Codes u, Inputs a) { return {_mm512_dpbusd_epi32(dots.lanes, u.lanes, a.lanes)}; }
inline I32 widen(Dots dots) { return dots; }

// The first products of a segment, and what its last ones give: together they add the segment to `sums`.
inline Dots first_products(I32 sums, Codes u, Inputs a) { return add_products(sums, u, a); }
inline I32 last_sum(I32, Dots dots) { return dots; }

inline void keep_here(Dots&) {}

// Of int8 integers, a multiple of 16 of them.
inline std::int32_t sum_of(const std::uint8_t* integers, std::size_t count) {
    __m128i sums = _mm_setzero_si128();
    for (std::size_t i = 0; i < count; i += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(integers + i));
        sums = _mm_dpbusd_epi32(sums, _mm_set1_epi8(1), bytes);
    }
    return _mm512_reduce_add_epi32(_mm512_zextsi128_si512(sums));
}

struct Bytes {
    static constexpr std::size_t size = 64;
    __m512i lanes;
    static Bytes load(const std::uint8_t* from) { return {_mm512_load_si512(from)}; }
    void store(std::uint8_t* to) const { _mm512_store_si512(to, lanes); }
};

inline Bytes operator+(Bytes a, Bytes b) { return {_mm512_add_epi8(a.lanes, b.lanes)}; }
inline Bytes low_nibbles(Bytes x) { return {_mm512_and_si512(x.lanes, _mm512_set1_epi8(15))}; }
inline Bytes high_nibbles(Bytes x) { return low_nibbles({_mm512_srli_epi16(x.lanes, 4)}); }

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

// Sums of the low halves of bytes x0, x1 of every 16 bits, and of the whole 16 bits shifted right by 4: of the high half
// of x0, 16 times the low half of x1 and 256 times its high half. There is no shift of bytes.
struct PairSums {
    __m512i low, shifted;
    static PairSums zero() { return {_mm512_setzero_si512(), _mm512_setzero_si512()}; }
};

inline void add_halves(PairSums& sums, Bytes x) {
    sums.low = _mm512_add_epi8(sums.low, low_nibbles(x).lanes);
    sums.shifted = _mm512_add_epi16(sums.shifted, _mm512_srli_epi16(x.lanes, 4));
}

// Counts of 64 outputs for two rows, those of even and of odd outputs apart.
struct PairCounts {
    __m512i even[2], odd[2];
    static PairCounts zero() {
        const __m512i zeros = _mm512_setzero_si512();
        return {{zeros, zeros}, {zeros, zeros}};
    }
};

inline void add_widened(PairCounts& counts, PairSums sums) {
    const __m512i odd = _mm512_srli_epi16(sums.low, 8);
    const __m512i of_rows[2] = {sums.low, _mm512_sub_epi16(sums.shifted, _mm512_slli_epi16(odd, 4))};
    for (std::size_t r = 0; r < 2; ++r) {
        const __m512i even_bytes = _mm512_and_si512(of_rows[r], _mm512_set1_epi16(255));
        counts.even[r] = _mm512_add_epi16(counts.even[r], even_bytes);
        counts.odd[r] = _mm512_add_epi16(counts.odd[r], _mm512_srli_epi16(of_rows[r], 8));
    }
}

inline void store(const PairCounts& counts, std::uint16_t* first, std::uint16_t* second) {
    const __m512i quarters[2] = {_mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15)};
    std::uint16_t* const to[2] = {first, second};
    for (std::size_t r = 0; r < 2; ++r) {
        const __m512i low = _mm512_unpacklo_epi16(counts.even[r], counts.odd[r]);
        const __m512i high = _mm512_unpackhi_epi16(counts.even[r], counts.odd[r]);
        for (std::size_t half = 0; half < 2; ++half) {
            _mm512_storeu_si512(to[r] + 32 * half, _mm512_permutex2var_epi64(low, quarters[half], high));
        }
    }
}
