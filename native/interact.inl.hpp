// Dot products of all pairs of a sample's vectors, written once over the vector type `F32` of the tier that includes this.
//
// The vectors are transposed first, so that one dimension of all of them is a row: a lane then holds one pair, and no sum
// runs across lanes. Each sum is a chain of fused multiply-adds from the first dimension to the last, in every tier, and
// so the same bits.

// Dimension d of vector i is at data[d * stride + i]; vectors from `size` to `stride` are zeros.
struct Transposed {
    float* data;
    std::size_t stride;
    std::size_t size;
    std::size_t dim;
};

// Where one side is no multiple of a block, the last block overlaps the one before it.
inline void transpose_rows(const float* rows, std::size_t num_rows, std::size_t dim, float* to, std::size_t stride) {
    if (num_rows < transpose_size || dim < transpose_size) {
        for (std::size_t i = 0; i < num_rows; ++i) {
            for (std::size_t d = 0; d < dim; ++d) to[d * stride + i] = rows[i * dim + d];
        }
        return;
    }
    const auto before_end = [](std::size_t at, std::size_t end) {
        return at + transpose_size <= end ? at : end - transpose_size;
    };
    for (std::size_t i = 0; i < num_rows; i += transpose_size) {
        for (std::size_t d = 0; d < dim; d += transpose_size) {
            const std::size_t row = before_end(i, num_rows), column = before_end(d, dim);
            transpose_block(rows + row * dim + column, dim, to + column * stride + row, stride);
        }
    }
}

inline Transposed transpose(const Vectors& vectors, float* scratch) {
    const std::size_t num_first = vectors.first != nullptr, dim = vectors.dim;
    const std::size_t size = num_first + vectors.num_rest, stride = interact_scratch(size, 1);
    for (std::size_t d = 0; d < dim; ++d) {
        for (std::size_t i = stride - 16; i < stride; i += F32::size) F32::all(0.0f).store(scratch + d * stride + i);
    }
    transpose_rows(vectors.first, num_first, dim, scratch, stride);
    transpose_rows(vectors.rest, vectors.num_rest, dim, scratch + num_first, stride);
    return {scratch, stride, size, dim};
}

constexpr std::size_t tile_rows = 4;

// The pairs of vectors row, row + 1, ... with those from `column` on. A vector register may hold more pairs than a row
// has; what is written too much belongs to pairs that are written later.
template <std::size_t Width>
inline void interact_tile(const Transposed& x, std::size_t row, std::size_t column, float* out) {
    F32 sums[tile_rows][Width];
    for (std::size_t r = 0; r < tile_rows; ++r) {
        for (std::size_t v = 0; v < Width; ++v) sums[r][v] = F32::all(0.0f);
    }
    for (std::size_t d = 0; d < x.dim; ++d) {
        const float* dimension = x.data + d * x.stride;
        for (std::size_t r = 0; r < tile_rows; ++r) {
            const F32 factor = F32::all(dimension[row + r]);
            for (std::size_t v = 0; v < Width; ++v) {
                sums[r][v] = fused(factor, F32::load(dimension + column + v * F32::size), sums[r][v]);
            }
        }
    }
    const float* end = out + x.size * (x.size - 1) / 2;
    for (std::size_t v = Width; v-- > 0;) {
        const std::size_t j = column + v * F32::size;
        for (std::size_t i = row; i < row + tile_rows && i < x.size; ++i) {
            if (j >= i) continue;
            float* to = out + i * (i - 1) / 2 + j;
            if (static_cast<std::size_t>(end - to) >= F32::size) {
                sums[i - row][v].store(to);
            } else {
                float lanes[F32::size];
                sums[i - row][v].store(lanes);
                for (std::size_t lane = 0; to + lane < end; ++lane) to[lane] = lanes[lane];
            }
        }
    }
}

void interact(const Vectors& vectors, float* scratch, float* out) {
    const Transposed x = transpose(vectors, scratch);
    for (std::size_t row = 0; row < x.size; row += tile_rows) {
        const std::size_t last = (row + tile_rows < x.size ? row + tile_rows : x.size) - 1;
        std::size_t column = (last + F32::size - 1) / F32::size * F32::size;
        if (column / F32::size % 2 == 1) interact_tile<1>(x, row, column -= F32::size, out);
        while (column > 0) interact_tile<2>(x, row, column -= 2 * F32::size, out);
    }
}
