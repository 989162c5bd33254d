// The transposition of the NEON tier: blocks of 4 x 4.

constexpr std::size_t transpose_size = 4;

inline void transpose_block(const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
    const float32x4x2_t top = vtrnq_f32(vld1q_f32(from), vld1q_f32(from + from_stride));
    const float32x4x2_t bottom = vtrnq_f32(vld1q_f32(from + 2 * from_stride), vld1q_f32(from + 3 * from_stride));
    for (std::size_t j = 0; j < 2; ++j) {
        vst1q_f32(to + j * to_stride, vcombine_f32(vget_low_f32(top.val[j]), vget_low_f32(bottom.val[j])));
        vst1q_f32(to + (j + 2) * to_stride, vcombine_f32(vget_high_f32(top.val[j]), vget_high_f32(bottom.val[j])));
    }
}
