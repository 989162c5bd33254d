#include <stdexcept>

#include "cases.hpp"
#include "dispatch.hpp"
#include "memory.hpp"
#include "product.hpp"

namespace cases {

using farthing::Activation;
using farthing::kernels;

Output quantize(Random& random) {
    const std::vector<float> x = random.inputs(random.integer(0, 70));
    const Activation bits = random.choice({Activation::bits1, Activation::bits2, Activation::bits4, Activation::bits8});
    std::vector<std::int8_t> out(x.size());
    kernels().quantize(x.data(), x.size(), random.choice({1.0f, 0.5f, 0.3f, 20.0f, 1e-30f, 1e30f}), bits, out.data());
    return words(out);
}

Output pack_signs(Random& random) {
    const std::vector<float> x = random.inputs(random.integer(0, 70));
    std::vector<std::uint8_t> out(farthing::row_bytes(x.size(), 1));
    kernels().pack_signs(x.data(), x.size(), out.data());
    return words(out);
}

namespace {

struct Drawn {
    std::size_t num_inputs, num_outputs, num_rows;
    farthing::Product product;
};

// A product of any width and curve, its numbers extreme ones where `has_extremes`.
Drawn draw(Random& random, bool has_extremes) {
    const std::size_t num_inputs = random.choice<std::size_t>({1, 13, 16, 17, 31, 32, 33, 63, 65, 100, 248, 249, 600});
    const std::size_t num_outputs = random.integer(0, 90), num_rows = random.integer(0, 9);
    const std::size_t bits = random.choice<std::size_t>({1, 2, 4, 8});
    const Activation activation = random.choice({Activation::bits1, Activation::bits4, Activation::bits8});
    const std::vector<std::uint8_t> codes = random.weight_rows(num_outputs, num_inputs, bits);
    const auto numbers = [&] { return has_extremes ? random.inputs(num_outputs) : random.reals(num_outputs); };
    const std::vector<float> scale = numbers(), bias = numbers(), slope = numbers();
    const bool has_signs = bits == 1 && activation == Activation::bits1;
    return {num_inputs, num_outputs, num_rows,
            farthing::Product({
                .codes = codes.data(),
                .num_outputs = num_outputs,
                .num_inputs = num_inputs,
                .bits = bits,
                .scale = scale.data(),
                .num_scales = num_outputs,
                .bias = random.choice({true, false}) ? bias.data() : nullptr,
                .activation_scale = 1.5f,
                .activation = activation,
                .form = has_signs ? farthing::RowForm::signs : farthing::RowForm::integers,
                .curve = random.choice({farthing::Curve::none, farthing::Curve::relu, farthing::Curve::prelu}),
                .slope = slope.data(),
            })};
}

// A layer that takes the signs of so many numbers.
farthing::Product layer_of_signs(std::size_t num_inputs) {
    const std::vector<std::uint8_t> codes(farthing::row_bytes(num_inputs, 1));
    const float scale = 1.0f;
    return farthing::Product({.codes = codes.data(),
                              .num_outputs = 1,
                              .num_inputs = num_inputs,
                              .bits = 1,
                              .scale = &scale,
                              .num_scales = 1,
                              .activation = Activation::bits1,
                              .form = farthing::RowForm::signs});
}

}  // namespace

// All of multiply_*: which one runs follows from the widths and the number of outputs.
Output linear(Random& random) {
    const Drawn drawn = draw(random, false);
    const std::vector<float> x = random.layer_inputs(drawn.num_rows * drawn.num_inputs);
    std::vector<float> out(drawn.num_rows * drawn.num_outputs);
    drawn.product.forward(x.data(), drawn.num_rows, out.data(), random.integer(1, 3));
    return words(out);
}

// The signs of outputs, which must be those of the outputs themselves.
Output signs(Random& random) {
    const Drawn drawn = draw(random, random.choice({true, false}));
    const std::size_t num_rows = drawn.num_rows, width = drawn.num_outputs;
    if (width == 0) return {};  // a layer has inputs
    const std::vector<float> x = random.layer_inputs(num_rows * drawn.num_inputs);
    const farthing::Product next = layer_of_signs(width);
    farthing::Memory rows(num_rows * drawn.product.row_bytes()), scratch(drawn.product.scratch_bytes());
    std::vector<float> out(num_rows * width);
    std::vector<std::uint8_t> expected(num_rows * next.row_bytes()), given(expected.size(), 0xff);
    drawn.product.quantize(x.data(), num_rows, drawn.num_inputs, rows.data());
    drawn.product.multiply(rows.data(), num_rows, out.data(), width, scratch.data());
    next.quantize(out.data(), num_rows, width, expected.data());
    const farthing::NegativeSums negative = drawn.product.negative_sums();
    drawn.product.multiply_to_signs(rows.data(), num_rows, negative, next, given.data(), scratch.data());
    if (given != expected) throw std::logic_error("signs differ from those of the outputs");
    return words(given);
}

}  // namespace cases
