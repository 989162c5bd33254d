// Float inputs of a product to integers, written once over the vector type `F32` of the tier that includes this.
//
// integer = round(clip(x / scale, lowest, highest)), ties to even, for 8 and 4 bits; two bits round to the odd integers of
// [-3, 3]; one bit is the sign, 1 for both zeros. The division is a real one: a product with 1 / scale would round
// differently from the definition in docs/format.md. NaN becomes the highest integer (1 for one bit), as good as any.

// The integers of one vector. `Bits` is a template parameter so that a loop has no branch.
template <Activation Bits>
inline I32 integers_of(F32 x, F32 scale) {
    if constexpr (Bits == Activation::bits1) {
        return select_below_zero(x, I32::all(-1), I32::all(1));
    } else if constexpr (Bits == Activation::bits2) {
        const I32 half = round_even(clip(x / scale, -1.5f, 1.5f) - F32::all(0.5f));
        return half + half + I32::all(1);
    } else {
        constexpr float highest = Bits == Activation::bits8 ? 127.0f : 7.0f;
        return round_even(clip(x / scale, -highest - 1.0f, highest));
    }
}

// How far ahead of their use inputs are fetched: half a page, since what the processor fetches by itself ends with one
// (measured on a layer whose inputs are not in the cache: a fortieth less time).
constexpr std::size_t input_bytes_ahead = 2048;

template <Activation Bits>
void quantize_bits(const float* x, std::size_t count, float scale, std::int8_t* out) {
    const F32 scales = F32::all(scale);
    std::size_t i = 0;
    for (; i + F32::size <= count; i += F32::size) {
        __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(x + i) + input_bytes_ahead));
        store_i8(out + i, integers_of<Bits>(F32::load(x + i), scales));
    }
    if (i < count) {
        const std::size_t rest = count - i;
        float padded[F32::size] = {};
        std::int8_t integers[F32::size];
        for (std::size_t j = 0; j < rest; ++j) padded[j] = x[i + j];
        store_i8(integers, integers_of<Bits>(F32::load(padded), scales));
        for (std::size_t j = 0; j < rest; ++j) out[i + j] = integers[j];
    }
}

void quantize(const float* x, std::size_t count, float scale, Activation bits, std::int8_t* out) {
    switch (bits) {
        case Activation::bits1:
            return quantize_bits<Activation::bits1>(x, count, scale, out);
        case Activation::bits2:
            return quantize_bits<Activation::bits2>(x, count, scale, out);
        case Activation::bits4:
            return quantize_bits<Activation::bits4>(x, count, scale, out);
        case Activation::bits8:
            return quantize_bits<Activation::bits8>(x, count, scale, out);
    }
}
