// Integer sums to outputs, written once over the vector types of the tier that includes this.
//
// y = float(sum) * s + bias, rounded after each of the three steps, then the curve of the layer.

template <std::size_t Vectors>
inline void apply_curve(const TiledWeight& weight, F32 (&y)[Vectors], std::size_t output) {
    if (weight.curve == Curve::relu) {
        for (std::size_t v = 0; v < Vectors; ++v) y[v] = max(F32::all(0.0f), y[v]);
    } else if (weight.curve == Curve::prelu) {
        for (std::size_t v = 0; v < Vectors; ++v) {
            const F32 below = F32::load(weight.slope + output + v * F32::size) * y[v];
            y[v] = select_above_zero(y[v], y[v], below);
        }
    }
}

// Writes those outputs that exist of the ones from `output` on that `sums` holds.
template <std::size_t Vectors>
inline void store_outputs(const TiledWeight& weight, const I32 (&sums)[Vectors], std::size_t output, float* row) {
    const float *scale = weight.scale + output, *bias = weight.bias + output;
    F32 y[Vectors];
    for (std::size_t v = 0; v < Vectors; ++v) {
        y[v] = to_float(sums[v]) * F32::load(scale + v * F32::size) + F32::load(bias + v * F32::size);
    }
    if (weight.curve != Curve::none) apply_curve(weight, y, output);
    constexpr std::size_t count = Vectors * F32::size;
    if (output + count <= weight.num_outputs) {
        for (std::size_t v = 0; v < Vectors; ++v) y[v].store(row + output + v * F32::size);
    } else {
        float last[count];
        for (std::size_t v = 0; v < Vectors; ++v) y[v].store(last + v * F32::size);
        for (std::size_t i = 0; output + i < weight.num_outputs; ++i) row[output + i] = last[i];
    }
}
