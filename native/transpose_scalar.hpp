// The transposition of the scalar tier.

constexpr std::size_t transpose_size = 1;

// to[j * to_stride + i] = from[i * from_stride + j] for i and j below transpose_size.
inline void transpose_block(const float* from, std::size_t, float* to, std::size_t) { *to = *from; }
