#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>

#include <array>
#include <optional>

#include "bind.hpp"
#include "conv.hpp"
#include "layout.hpp"

namespace nb = nanobind;

namespace farthing {
namespace {

// Larger kernels and more channels are of no use, and their sizes in bytes could overflow.
constexpr std::size_t max_extent = 4096;
constexpr std::size_t max_channels = std::size_t{1} << 16;

using Axis = std::array<std::size_t, 5>;  // kernel, stride, dilation, padding before and after
using Codes = Array<const std::uint8_t, nb::ndim<2>>;
using Numbers = Array<const float, nb::ndim<1>>;

ConvAxis conv_axis(const Axis& numbers) {
    const auto [kernel, stride, dilation, before, after] = numbers;
    check(kernel > 0 && stride > 0 && dilation > 0, "kernel, stride and dilation must be at least 1");
    check(kernel <= max_extent && dilation <= max_extent, "a kernel must cover at most 4096 pixels");
    check(stride <= max_extent, "stride must be at most 4096");
    const ConvAxis axis{kernel, stride, dilation, before, after};
    check(axis.extent() <= max_extent, "a kernel must cover at most 4096 pixels");
    check(before < axis.extent() && after < axis.extent(), "padding must be less than what the kernel covers");
    return axis;
}

void make_conv(Conv2d* self, Codes codes, Numbers scale, std::optional<Numbers> bias, std::size_t bits,
               float activation_scale, std::size_t activation_bits, std::size_t channels, std::size_t groups,
               const Axis& vertical, const Axis& horizontal, bool has_relu) {
    const ConvAxis y = conv_axis(vertical), x = conv_axis(horizontal);
    const std::size_t num_outputs = codes.shape(0);
    check(is_code_width(bits) && is_code_width(activation_bits), "bits must be 1, 2, 4 or 8");
    check(activation_scale > 0.0f, "activation_scale must be above 0");
    check(channels > 0 && channels <= max_channels, "channels must be from 1 to 65536");
    check(num_outputs > 0 && num_outputs <= max_channels, "outputs must be from 1 to 65536");
    check(groups > 0 && channels % groups == 0 && num_outputs % groups == 0,
            "groups must divide channels and outputs");
    const std::size_t num_inputs = y.kernel * x.kernel * (channels / groups);
    check(num_inputs <= max_product_inputs, "an output must have at most 65535 weights");
    check(codes.shape(1) == row_bytes(num_inputs, bits), "codes must have as many bytes in a row as its weights fill");
    check(scale.size() == 1 || scale.size() == num_outputs, "scale must have one number, or one for each output");
    check(!bias || bias->size() == num_outputs, "bias must have one number for each output");
    check_aligned(scale, bias);
    const ProductSource source{.codes = codes.data(),
                               .num_outputs = num_outputs,
                               .num_inputs = num_inputs,
                               .bits = bits,
                               .scale = scale.data(),
                               .num_scales = scale.size(),
                               .bias = bias ? bias->data() : nullptr,
                               .activation_scale = activation_scale,
                               .activation = static_cast<Activation>(activation_bits),
                               .curve = has_relu ? Curve::relu : Curve::none};
    new (self) Conv2d(source, groups, y, x);
}

nb::object forward(const Conv2d& conv, const Values<const float, 4>& x, std::optional<Values<float, 4>> out,
                   std::size_t num_threads) {
    const Images images{x.shape(0), x.shape(1), x.shape(2)};
    check(x.shape(3) == conv.num_channels(), "x must have the channels of the convolution, last");
    const std::array<std::size_t, 4> shape = {images.num_images, conv.vertical().num_outputs(images.height),
                                              conv.horizontal().num_outputs(images.width), conv.num_outputs()};
    nb::object result = nb::none();
    if (!out) out = new_values<4>(x, {shape.begin(), shape.end()}, result);
    for (std::size_t axis = 0; axis < 4; ++axis) {
        check(out->shape(axis) == shape[axis], "out must have the images, height, width and outputs of the result");
    }
    check_aligned(x, *out);
    check_apart(*out, x);
    const nb::gil_scoped_release unlocked;
    conv.forward(x.data(), images, out->data(), num_threads);
    return result;
}

}  // namespace

void bind_conv(nb::module_& module) {
    nb::class_<Conv2d>(module, "Conv2d", "A convolution with packed weights; quantizes its float32 input itself.")
        .def("__init__", &make_conv, nb::arg("codes").noconvert(), nb::arg("scale").noconvert(),
             nb::arg("bias").noconvert().none(), nb::kw_only(), nb::arg("bits"), nb::arg("activation_scale"),
             nb::arg("activation_bits"), nb::arg("channels"), nb::arg("groups"), nb::arg("vertical"),
             nb::arg("horizontal"), nb::arg("has_relu"),
             "codes: u8 [outputs, stride] of [height, width, channels / groups] each; vertical and horizontal: kernel, "
             "stride, dilation, padding before and after.")
        .def("forward", &forward, nb::arg("x").noconvert(), nb::arg("out").noconvert().none(),
             nb::arg("num_threads"),
             "Writes the convolution of f32 [images, height, width, channels] to f32 `out`, channels last too, or gives "
             "a new tensor.")
        .def_prop_ro("resident_bytes", &Conv2d::resident_bytes, "Bytes of packed weights, scales and biases.");
}

}  // namespace farthing
