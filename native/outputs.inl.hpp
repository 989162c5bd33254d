// Integer sums to outputs, written once over the vector types of the tier that includes this.
//
// y = float(sum) * s + bias, rounded after each of the three steps, then the curve of the layer. Or only whether that
// is negative.

template <Curve Kind>
inline F32 bend(F32 y, const float* slope) {
    if constexpr (Kind == Curve::relu) return max(F32::all(0.0f), y);
    if constexpr (Kind == Curve::prelu) return select_above_zero(y, y, F32::load(slope) * y);
    return y;
}

// Writes what `sums` holds, the outputs from `output` on, to `to`.
template <Curve Kind, std::size_t Vectors>
inline void store_bent(const TiledWeight& weight, const I32 (&sums)[Vectors], std::size_t output, float* to) {
    for (std::size_t v = 0; v < Vectors; ++v, output += F32::size, to += F32::size) {
        const F32 y = to_float(sums[v]) * F32::load(weight.scale + output) + F32::load(weight.bias + output);
        bend<Kind>(y, weight.slope + output).store(to);
    }
}

template <std::size_t Vectors>
inline void store_tile(const TiledWeight& weight, const I32 (&sums)[Vectors], std::size_t output, float* to) {
    switch (weight.curve) {
        case Curve::none:
            return store_bent<Curve::none>(weight, sums, output, to);
        case Curve::relu:
            return store_bent<Curve::relu>(weight, sums, output, to);
        case Curve::prelu:
            return store_bent<Curve::prelu>(weight, sums, output, to);
    }
}

template <std::size_t Vectors>
inline void store_signs(const SignOutputs& signs, const I32 (&sums)[Vectors], std::size_t output, std::uint8_t* row) {
    std::uint64_t bits = 0;
    for (std::size_t v = 0; v < Vectors; ++v) {
        const std::size_t lane = v * I32::size, at = output + lane;
        bits |= std::uint64_t{lanes_within(sums[v], I32::load(signs.first + at), I32::load(signs.last + at))} << lane;
    }
    __builtin_memcpy(row + output / 8, &bits, Vectors * I32::size / 8);
}

// Writes those outputs of a row that exist of the ones from `output` on that `sums` holds.
template <std::size_t Vectors>
inline void store_outputs(const TiledWeight& weight, const ProductCall& call, const I32 (&sums)[Vectors],
                          std::size_t row_index, std::size_t output) {
    constexpr std::size_t count = Vectors * F32::size;
    if (call.signs.rows != nullptr) {
        return store_signs(call.signs, sums, output, call.signs.rows + row_index * call.signs.row_bytes);
    }
    float* row = call.out + row_index * call.out_stride;
    if (output + count <= weight.num_outputs) return store_tile(weight, sums, output, row + output);
    float last[count];
    store_tile(weight, sums, output, last);
    for (std::size_t i = 0; output + i < weight.num_outputs; ++i) row[output + i] = last[i];
}
