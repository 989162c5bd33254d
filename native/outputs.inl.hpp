// Integer sums to outputs, written once over the vector types of the tier that includes this.
//
// y = float(sum) * s + bias, rounded after each of the three steps, then the curve of the layer.

inline F32 curved(const TiledWeight& weight, F32 y, std::size_t output) {
    switch (weight.curve) {
        case Curve::relu:
            return max(F32::all(0.0f), y);
        case Curve::prelu:
            return select_above_zero(y, y, F32::load(weight.slope + output) * y);
        default:
            return y;
    }
}

// Writes the outputs from `output` on that exist, at most as many as `Vectors` vectors hold.
template <std::size_t Vectors>
inline void store_outputs(const TiledWeight& weight, const I32* sums, std::size_t output, float* row) {
    for (std::size_t v = 0; v < Vectors; ++v, output += F32::size) {
        const F32 y = to_float(sums[v]) * F32::load(weight.scale + output) + F32::load(weight.bias + output);
        const F32 z = curved(weight, y, output);
        if (output + F32::size <= weight.num_outputs) {
            z.store(row + output);
        } else {
            float last[F32::size];
            z.store(last);
            for (std::size_t i = 0; output + i < weight.num_outputs; ++i) row[output + i] = last[i];
        }
    }
}
