#include <nanobind/stl/optional.h>
#include <nanobind/stl/string_view.h>

#include "bind.hpp"
#include "dispatch.hpp"
#include "layout.hpp"
#include "product.hpp"

namespace nb = nanobind;

namespace farthing {
namespace {

using Floats = Array<const float, nb::ndim<1>>;

// Fewer products take some microseconds.
constexpr std::size_t min_unlocked_products = std::size_t{1} << 18;

Curve curve_of(std::string_view name) {
    if (name == "relu") return Curve::relu;
    if (name == "prelu") return Curve::prelu;
    check(name == "none", "curve must be none, relu or prelu");
    return Curve::none;
}

void make(Product* self, Array<const std::uint8_t, nb::ndim<2>> codes, std::size_t bits, std::size_t num_inputs,
          Floats scale, std::optional<Floats> bias, float activation_scale, unsigned activation_bits,
          std::string_view curve, std::optional<Floats> slope) {
    const std::size_t num_outputs = codes.shape(0);
    check(is_code_width(bits) && is_code_width(activation_bits), "bits must be 1, 2, 4 or 8");
    check(num_inputs >= 1 && num_inputs <= max_product_inputs, "num_inputs must be in [1, 65535]");
    check(codes.shape(1) == row_bytes(num_inputs, bits), "codes must have row_bytes(num_inputs, bits) columns");
    check(scale.size() == 1 || scale.size() == num_outputs, "scale must have 1 value or one for each output");
    check(!bias || bias->size() == num_outputs, "bias must have one value for each output");
    check(activation_scale > 0.0f, "activation_scale must be above 0");
    check((curve == "prelu") == slope.has_value(), "slope goes with the curve prelu");
    check(!slope || slope->size() == num_outputs, "slope must have one value for each output");
    check_aligned(scale, bias, slope);
    const bool has_signs = bits == 1 && activation_bits == 1;
    new (self) Product({.codes = codes.data(),
                        .num_outputs = num_outputs,
                        .num_inputs = num_inputs,
                        .bits = bits,
                        .scale = scale.data(),
                        .num_scales = scale.size(),
                        .bias = bias ? bias->data() : nullptr,
                        .activation_scale = activation_scale,
                        .activation = static_cast<Activation>(activation_bits),
                        .form = has_signs ? RowForm::signs : RowForm::integers,
                        .curve = curve_of(curve),
                        .slope = slope ? slope->data() : nullptr});
}

nb::object linear(const Product& product, const Values<const float>& x, std::optional<Values<float>> out,
                  std::size_t num_threads) {
    check(x.ndim() >= 1 && x.shape(x.ndim() - 1) == product.num_inputs(),
          "x must have as many columns as the product has inputs");
    std::vector<std::int64_t> shape(x.ndim(), static_cast<std::int64_t>(product.num_outputs()));
    std::size_t num_rows = 1;
    for (std::size_t axis = 0; axis + 1 < x.ndim(); ++axis) {
        shape[axis] = static_cast<std::int64_t>(x.shape(axis));
        num_rows *= x.shape(axis);
    }
    nb::object result = nb::none();
    if (!out) out = new_values(x, shape, result);
    check(out->ndim() == x.ndim() && out->shape(x.ndim() - 1) == product.num_outputs(),
          "out must have as many columns as the product has outputs");
    for (std::size_t axis = 0; axis + 1 < x.ndim(); ++axis) {
        check(out->shape(axis) == x.shape(axis), "out must have as many rows as x");
    }
    check_aligned(x, *out);
    check_apart(*out, x);
    const Unlocked unlocked(num_rows * product.num_inputs() * product.num_outputs() >= min_unlocked_products);
    product.forward(x.data(), num_rows, out->data(), num_threads);
    return result;
}

}  // namespace

void bind_product(nb::module_& module) {
    nb::class_<Product>(module, "Product", "The packed weight of a Linear layer, ready to be multiplied.")
        .def("__init__", &make, nb::arg("codes").noconvert(), nb::arg("bits"), nb::arg("num_inputs"),
             nb::arg("scale").noconvert(), nb::arg("bias").noconvert().none(), nb::arg("activation_scale"),
             nb::arg("activation_bits"), nb::arg("curve") = "none",
             nb::arg("slope").noconvert().none() = nb::none())
        .def("linear", &linear, nb::arg("x").noconvert(), nb::arg("out").noconvert().none(), nb::arg("num_threads"),
             "Writes the layer's outputs (docs/format.md, \"Products\") to float32 `out` [..., outputs], or gives a new tensor.")
        .def_prop_ro("resident_bytes", &Product::resident_bytes, "Bytes of packed weights, scales and biases.");
}

}  // namespace farthing
