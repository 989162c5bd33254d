#include <nanobind/stl/optional.h>

#include <memory>
#include <optional>

#include "bind.hpp"
#include "dispatch.hpp"

namespace nb = nanobind;

namespace farthing {
namespace {

using Floats2 = Array<const float, nb::ndim<2>>;
using Floats3 = Array<const float, nb::ndim<3>>;

void interact(std::optional<Floats2> first, Floats3 rest, Array<float, nb::ndim<2>> out) {
    const std::size_t batch = rest.shape(0), num_rest = rest.shape(1), dim = rest.shape(2);
    if (first && (first->shape(0) != batch || first->shape(1) != dim)) throw nb::value_error("first must fit rest");
    const std::size_t num_vectors = num_rest + first.has_value(), num_pairs = num_vectors * (num_vectors - 1) / 2;
    if (num_vectors == 0) throw nb::value_error("rest must hold a vector");
    if (out.shape(0) != batch || out.shape(1) != num_pairs) throw nb::value_error("out must be [batch, pairs]");
    const auto scratch = std::make_unique<float[]>(interact_scratch(num_vectors, dim));
    for (std::size_t sample = 0; sample < batch; ++sample) {
        const float* own = first ? first->data() + sample * dim : nullptr;
        const Vectors vectors{own, rest.data() + sample * num_rest * dim, num_rest, dim};
        kernels().interact(vectors, scratch.get(), out.data() + sample * num_pairs);
    }
}

}  // namespace

void bind_ranker(nb::module_& module) {
    module.def("interact", &interact, nb::arg("first").noconvert().none(), nb::arg("rest").noconvert(),
               nb::arg("out").noconvert(),
               "Writes the dot products of all pairs i > j of each sample's vectors to out [batch, pairs].");
}

}  // namespace farthing
