// What products need beside simd_avx2.hpp: sums of four products of a code and an input, and bytes that choose from a
// table of 16.

inline F32 to_float(I32 x) { return {_mm256_cvtepi32_ps(x.lanes)}; }
inline F32 max(F32 a, F32 b) { return {_mm256_max_ps(a.lanes, b.lanes)}; }

inline F32 select_above_zero(F32 x, F32 above, F32 otherwise) {
    return {_mm256_blendv_ps(otherwise.lanes, above.lanes, _mm256_cmp_ps(x.lanes, _mm256_setzero_ps(), _CMP_GT_OQ))};
}

// Bit i is 1 where lane i is in [first, last].
inline std::uint32_t lanes_within(I32 x, I32 first, I32 last) {
    const __m256i is_below = _mm256_cmpgt_epi32(first.lanes, x.lanes);
    const __m256i is_above = _mm256_cmpgt_epi32(x.lanes, last.lanes);
    return static_cast<std::uint8_t>(~_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_or_si256(is_below, is_above))));
}

inline std::uint8_t eight_signs(const float* x) {
    const __m256 is_below = _mm256_cmp_ps(_mm256_loadu_ps(x), _mm256_setzero_ps(), _CMP_LT_OQ);
    return static_cast<std::uint8_t>(_mm256_movemask_ps(is_below));
}

constexpr std::size_t positive_block_rows = 4;
constexpr std::size_t block_rows = 4;  // with two vectors of outputs what is summed stays in registers
constexpr std::size_t block_tiles = 1;

struct Codes {
    static constexpr std::size_t size = 32;
    static constexpr std::size_t max_bits = 4;
    __m256i lanes;
    static Codes load(const std::uint8_t* from) { return {_mm256_load_si256(reinterpret_cast<const __m256i*>(from))}; }
    void store(std::uint8_t* to) const { _mm256_store_si256(reinterpret_cast<__m256i*>(to), lanes); }
};

// Field `index` of every byte, `Width` bits wide.
template <std::size_t Width>
inline Codes field_of(Codes x, std::size_t index) {
    const __m256i shifted = _mm256_srli_epi16(x.lanes, static_cast<int>(index * Width));
    return {_mm256_and_si256(shifted, _mm256_set1_epi8((1 << Width) - 1))};
}

// The same four inputs for every output.
struct Inputs {
    __m256i lanes;
    static Inputs all(const std::uint8_t* four) {
        std::int32_t bits;
        __builtin_memcpy(&bits, four, 4);
        return {_mm256_set1_epi32(bits)};
    }
};

// Two sums of 16 bits for each output.
struct Dots {
    __m256i lanes;
};

inline Dots add_products(Dots dots, Codes u, Inputs a) {
    return {_mm256_add_epi16(dots.lanes, _mm256_maddubs_epi16(u.lanes, a.lanes))};
}

inline I32 widen(Dots dots) { return {_mm256_madd_epi16(dots.lanes, _mm256_set1_epi16(1))}; }

// The first products of a segment, and what its last ones give: together they add the segment to `sums`.
inline Dots first_products(I32, Codes u, Inputs a) { return {_mm256_maddubs_epi16(u.lanes, a.lanes)}; }
inline I32 last_sum(I32 sums, Dots dots) { return sums + widen(dots); }

// Makes the compiler compute x here and in a register. Left alone it reorders the sums, which then need more registers
// than there are (measured: a third slower).
template <typename Vector>
inline void keep_here(Vector& x) {
    __asm__ volatile("" : "+x"(x.lanes));
}

// u - 128 for 8-bit codes.
inline Codes levels_of(Codes u) { return {_mm256_xor_si256(u.lanes, _mm256_set1_epi8(-128))}; }

// Sums of two products of inputs in [0, 127] and levels.
inline Dots positive_products(Inputs a, Codes levels) { return {_mm256_maddubs_epi16(a.lanes, levels.lanes)}; }

inline Dots add_positive(Dots dots, Inputs a, Codes levels) {
    return {_mm256_add_epi16(dots.lanes, positive_products(a, levels).lanes)};
}

// Of int8 integers, a multiple of 16 of them.
inline std::int32_t sum_of(const std::uint8_t* integers, std::size_t count) {
    __m256i sums = _mm256_setzero_si256();
    for (std::size_t i = 0; i < count; i += 16) {
        const __m256i words = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(integers + i)));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(words, _mm256_set1_epi16(1)));
    }
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1)));
}

struct Bytes {
    static constexpr std::size_t size = 32;
    __m256i lanes;
    static Bytes load(const std::uint8_t* from) { return {_mm256_load_si256(reinterpret_cast<const __m256i*>(from))}; }
    void store(std::uint8_t* to) const { _mm256_store_si256(reinterpret_cast<__m256i*>(to), lanes); }
};

inline Bytes operator+(Bytes a, Bytes b) { return {_mm256_add_epi8(a.lanes, b.lanes)}; }
inline Bytes low_nibbles(Bytes x) { return {_mm256_and_si256(x.lanes, _mm256_set1_epi8(15))}; }
inline Bytes high_nibbles(Bytes x) { return low_nibbles({_mm256_srli_epi16(x.lanes, 4)}); }

struct Table {
    __m256i entries;
    static Table load(const std::uint8_t* sixteen) {
        return {_mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(sixteen)))};
    }
};

inline Bytes lookup(Table table, Bytes nibbles) { return {_mm256_shuffle_epi8(table.entries, nibbles.lanes)}; }

// to[i] += byte i.
inline void add_widened(std::uint16_t* to, Bytes x) {
    const __m128i halves[2] = {_mm256_castsi256_si128(x.lanes), _mm256_extracti128_si256(x.lanes, 1)};
    for (std::size_t h = 0; h < 2; ++h) {
        __m256i* at = reinterpret_cast<__m256i*>(to + 16 * h);
        _mm256_storeu_si256(at, _mm256_add_epi16(_mm256_loadu_si256(at), _mm256_cvtepu8_epi16(halves[h])));
    }
}

// Sums of the low halves of bytes x0, x1 of every 16 bits, and of the whole 16 bits shifted right by 4: of the high half
// of x0, 16 times the low half of x1 and 256 times its high half. There is no shift of bytes.
struct PairSums {
    __m256i low, shifted;
    static PairSums zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
};

inline void add_halves(PairSums& sums, Bytes x) {
    sums.low = _mm256_add_epi8(sums.low, low_nibbles(x).lanes);
    sums.shifted = _mm256_add_epi16(sums.shifted, _mm256_srli_epi16(x.lanes, 4));
}

// Counts of 32 outputs for two rows, those of even and of odd outputs apart.
struct PairCounts {
    __m256i even[2], odd[2];
    static PairCounts zero() {
        const __m256i zeros = _mm256_setzero_si256();
        return {{zeros, zeros}, {zeros, zeros}};
    }
};

inline void add_widened(PairCounts& counts, PairSums sums) {
    const __m256i odd = _mm256_srli_epi16(sums.low, 8);
    const __m256i of_rows[2] = {sums.low, _mm256_sub_epi16(sums.shifted, _mm256_slli_epi16(odd, 4))};
    for (std::size_t r = 0; r < 2; ++r) {
        const __m256i even_bytes = _mm256_and_si256(of_rows[r], _mm256_set1_epi16(255));
        counts.even[r] = _mm256_add_epi16(counts.even[r], even_bytes);
        counts.odd[r] = _mm256_add_epi16(counts.odd[r], _mm256_srli_epi16(of_rows[r], 8));
    }
}

inline void store(const PairCounts& counts, std::uint16_t* first, std::uint16_t* second) {
    std::uint16_t* const to[2] = {first, second};
    for (std::size_t r = 0; r < 2; ++r) {
        const __m256i low = _mm256_unpacklo_epi16(counts.even[r], counts.odd[r]);
        const __m256i high = _mm256_unpackhi_epi16(counts.even[r], counts.odd[r]);
        __m256i* at = reinterpret_cast<__m256i*>(to[r]);
        _mm256_storeu_si256(at, _mm256_permute2x128_si256(low, high, 0x20));
        _mm256_storeu_si256(at + 1, _mm256_permute2x128_si256(low, high, 0x31));
    }
}
