#include "cases.hpp"
#include "conv.hpp"

namespace cases {

// Padding, stride, dilation and groups; signs and integers.
Output conv(Random& random) {
    const auto axis = [&random] {
        farthing::ConvAxis drawn{random.integer(1, 3), random.integer(1, 2), random.integer(1, 2), 0, 0};
        drawn.pad_before = random.integer(0, drawn.extent() - 1);
        drawn.pad_after = random.integer(0, drawn.extent() - 1);
        return drawn;
    };
    const farthing::ConvAxis vertical = axis(), horizontal = axis();
    const std::size_t groups = random.choice<std::size_t>({1, 2}), channels = groups * random.integer(1, 20);
    const std::size_t num_outputs = groups * random.integer(1, 40), bits = random.choice<std::size_t>({1, 2, 4, 8});
    const std::size_t num_inputs = vertical.kernel * horizontal.kernel * (channels / groups);
    const std::vector<std::uint8_t> codes = random.weight_rows(num_outputs, num_inputs, bits);
    const std::vector<float> scale = random.reals(num_outputs), bias = random.reals(num_outputs);
    const farthing::Images images{random.integer(0, 2), random.integer(1, 9), random.integer(1, 9)};
    const std::vector<float> x = random.layer_inputs(images.num_images * images.height * images.width * channels);
    const farthing::Conv2d conv({.codes = codes.data(),
                                 .num_outputs = num_outputs,
                                 .num_inputs = num_inputs,
                                 .bits = bits,
                                 .scale = scale.data(),
                                 .num_scales = num_outputs,
                                 .bias = random.choice({true, false}) ? bias.data() : nullptr,
                                 .activation_scale = 1.5f,
                                 .activation = random.choice({farthing::Activation::bits1, farthing::Activation::bits4,
                                                              farthing::Activation::bits8}),
                                 .curve = random.choice({farthing::Curve::none, farthing::Curve::relu})},
                                groups, vertical, horizontal);
    const std::size_t num_pixels = vertical.num_outputs(images.height) * horizontal.num_outputs(images.width);
    std::vector<float> out(images.num_images * num_pixels * num_outputs);
    conv.forward(x.data(), images, out.data(), random.integer(1, 3));
    return words(out);
}

}  // namespace cases
