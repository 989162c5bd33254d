#include "bind.hpp"
#include "dispatch.hpp"

namespace nb = nanobind;

namespace farthing {
namespace {

Activation activation(unsigned bits) {
    if (bits != 1 && bits != 2 && bits != 4 && bits != 8) throw nb::value_error("bits must be 1, 2, 4 or 8");
    return static_cast<Activation>(bits);
}

void quantize(Array<const float, nb::ndim<1>> x, float scale, unsigned bits, Array<std::int8_t, nb::ndim<1>> out) {
    if (out.size() != x.size()) throw nb::value_error("out must be as long as x");
    if (!(scale > 0.0f)) throw nb::value_error("scale must be above 0");
    check_aligned(x);
    check_apart(out, x);
    const Activation kind = activation(bits);
    const nb::gil_scoped_release unlocked;
    kernels().quantize(x.data(), x.size(), scale, kind, out.data());
}

}  // namespace

void bind_quantize(nb::module_& module) {
    module.def("quantize", &quantize, nb::arg("x").noconvert(), nb::arg("scale"), nb::arg("bits"),
               nb::arg("out").noconvert(), "Writes the integers of float inputs (docs/format.md) to int8 `out`.");
}

}  // namespace farthing
