#include "cases.hpp"
#include "dispatch.hpp"
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

// All of multiply_*: which one runs follows from the widths and the number of outputs.
Output linear(Random& random) {
    const std::size_t num_inputs = random.choice<std::size_t>({1, 13, 16, 17, 31, 32, 33, 63, 65, 100, 248, 249, 600});
    const std::size_t num_outputs = random.integer(0, 90), num_rows = random.integer(0, 9);
    const std::size_t bits = random.choice<std::size_t>({1, 2, 4, 8});
    const Activation activation = random.choice({Activation::bits1, Activation::bits4, Activation::bits8});
    const std::vector<std::uint8_t> codes = random.weight_rows(num_outputs, num_inputs, bits);
    const std::vector<float> scale = random.reals(num_outputs), bias = random.reals(num_outputs);
    const std::vector<float> slope = random.reals(num_outputs), x = random.layer_inputs(num_rows * num_inputs);
    const bool has_signs = bits == 1 && activation == Activation::bits1;
    const farthing::Product product({
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
    });
    std::vector<float> out(num_rows * num_outputs);
    product.forward(x.data(), num_rows, out.data(), random.integer(1, 3));
    return words(out);
}

}  // namespace cases
