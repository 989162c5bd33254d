// The transposition of the AVX2 tier and of the AVX-512 tier: blocks of 8 x 8.

constexpr std::size_t transpose_size = 8;

// Halves of rows i and i + 4 meet while they are loaded, so that what is left to do stays within the halves.
inline void transpose_block(const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
    for (std::size_t half = 0; half < 2; ++half) {
        __m256 rows[4];
        for (std::size_t i = 0; i < 4; ++i) {
            const float* low = from + i * from_stride + 4 * half;
            const __m128 high = _mm_loadu_ps(low + 4 * from_stride);
            rows[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), high, 1);
        }
        const __m256 low01 = _mm256_unpacklo_ps(rows[0], rows[1]), high01 = _mm256_unpackhi_ps(rows[0], rows[1]);
        const __m256 low23 = _mm256_unpacklo_ps(rows[2], rows[3]), high23 = _mm256_unpackhi_ps(rows[2], rows[3]);
        float* const out = to + 4 * half * to_stride;
        _mm256_storeu_ps(out, _mm256_shuffle_ps(low01, low23, 0x44));
        _mm256_storeu_ps(out + to_stride, _mm256_shuffle_ps(low01, low23, 0xee));
        _mm256_storeu_ps(out + 2 * to_stride, _mm256_shuffle_ps(high01, high23, 0x44));
        _mm256_storeu_ps(out + 3 * to_stride, _mm256_shuffle_ps(high01, high23, 0xee));
    }
}
