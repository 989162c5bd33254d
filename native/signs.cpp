#include "signs.hpp"

namespace farthing {
namespace {

// As outputs.inl.hpp computes it.
bool is_negative(const TiledWeight& weight, std::size_t output, std::int32_t sum) noexcept {
    float y = static_cast<float>(sum) * weight.scale[output];
    y = y + weight.bias[output];
    if (weight.curve == Curve::relu) return false;
    if (weight.curve == Curve::prelu && !(y > 0.0f)) y = weight.slope[output] * y;
    return y < 0.0f;
}

// The largest sum from `low` on that is as negative as `low` is, where `high` is not.
std::int32_t last_like(const TiledWeight& weight, std::size_t output, std::int32_t low, std::int32_t high) noexcept {
    const bool is_low = is_negative(weight, output, low);
    while (high - low > 1) {
        const std::int32_t middle = low + (high - low) / 2;
        (is_negative(weight, output, middle) == is_low ? low : high) = middle;
    }
    return low;
}

}  // namespace

NegativeSums negative_sums(const TiledWeight& weight, std::size_t num_padded, std::int32_t largest) {
    NegativeSums sums{std::vector<std::int32_t>(num_padded, 1), std::vector<std::int32_t>(num_padded, 0)};
    for (std::size_t output = 0; output < weight.num_outputs; ++output) {
        const bool is_first = is_negative(weight, output, -largest), is_last = is_negative(weight, output, largest);
        if (!is_first && !is_last) continue;
        sums.first[output] = is_first ? -largest : last_like(weight, output, -largest, largest) + 1;
        sums.last[output] = is_last ? largest : last_like(weight, output, -largest, largest);
    }
    return sums;
}

}  // namespace farthing
