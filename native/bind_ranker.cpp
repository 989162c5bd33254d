#include <nanobind/stl/optional.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bind_table.hpp"
#include "dispatch.hpp"
#include "ranker.hpp"

namespace nb = nanobind;

namespace farthing {
namespace {

using Floats2 = Array<const float, nb::ndim<2>>;
using Floats3 = Array<const float, nb::ndim<3>>;

void interact(std::optional<Floats2> first, Floats3 rest, Array<float, nb::ndim<2>> out) {
    const std::size_t batch = rest.shape(0), num_rest = rest.shape(1), dim = rest.shape(2);
    check(!first || (first->shape(0) == batch && first->shape(1) == dim), "first must fit rest");
    check(num_rest >= 1, "rest must hold a vector");
    const std::size_t num_vectors = num_rest + first.has_value(), num_pairs = num_vectors * (num_vectors - 1) / 2;
    check(out.shape(0) == batch && out.shape(1) == num_pairs, "out must be [batch, pairs]");
    check_aligned(rest, first, out);
    check_apart(out, rest, first);
    const auto scratch = std::make_unique<float[]>(interact_scratch(num_vectors, dim));
    for (std::size_t sample = 0; sample < batch; ++sample) {
        const float* own = first ? first->data() + sample * dim : nullptr;
        const Vectors vectors{own, rest.data() + sample * num_rest * dim, num_rest, dim};
        kernels().interact(vectors, scratch.get(), out.data() + sample * num_pairs);
    }
}

std::vector<const Product*> layers_of(nb::tuple products) {
    std::vector<const Product*> layers;
    for (const nb::handle product : products) {
        const Product* layer = nullptr;
        check(nb::try_cast(product, layer) && layer != nullptr, "layers must be Products");
        layers.push_back(layer);
    }
    return layers;
}

// The layers come in tuples, which keep what is in them alive; from a list one could be removed.
void make_ranker(Ranker* self, const BoundTable& table, std::size_t num_fields, nb::tuple bottom, nb::tuple top) {
    new (self) Ranker({table.table, num_fields, layers_of(bottom), layers_of(top)});
}

// Throws what the caller sees of a fault.
template <typename Index>
void raise(const BagFinding& finding, const Bags<Index>& bags, std::size_t num_fields, std::size_t num_rows) {
    const std::size_t at = finding.position;
    if (finding.fault == BagFault::index) {
        const Index* next = std::upper_bound(bags.offsets, bags.offsets + bags.num_offsets, static_cast<Index>(at));
        const std::size_t bag = static_cast<std::size_t>(next - bags.offsets) - 1;
        const std::string place = "row " + std::to_string(bag / num_fields) + ", field " + std::to_string(bag % num_fields);
        const std::string range = " is not in [0, " + std::to_string(num_rows) + ")";
        throw nb::index_error((place + ": index " + std::to_string(bags.indices[at]) + range).c_str());
    }
    if (finding.fault == BagFault::offset) {
        const std::string range = " must ascend from 0 to at most " + std::to_string(bags.num_indices);
        throw nb::value_error(("offsets" + range + ", not so at position " + std::to_string(at)).c_str());
    }
}

template <typename Index>
nb::object score(const Ranker& ranker, const Values<const float, 2>& dense, const Values<const Index, 1>& indices,
                 const Values<const Index, 1>& offsets, std::optional<Values<float>> logits, std::size_t num_threads) {
    const std::size_t num_samples = dense.shape(0), num_bags = num_samples * ranker.num_fields();
    nb::object result = nb::none();
    if (!logits) logits = new_values(dense, {static_cast<std::int64_t>(num_samples)}, result);
    check(logits->ndim() == 1 && logits->size() == num_samples && dense.shape(1) == ranker.num_dense(),
          "dense must be [batch, num_dense]");
    check(offsets.size() == num_bags + 1, "offsets must be [batch * num_fields + 1]");
    check_aligned(dense, indices, offsets, *logits);
    check_apart(*logits, dense, indices, offsets);
    const Bags<Index> bags{.indices = indices.data(),
                           .num_indices = indices.size(),
                           .offsets = offsets.data(),
                           .num_offsets = offsets.size(),
                           .bag_size = 0,
                           .num_bags = num_bags,
                           .weights = nullptr,
                           .mean = false};
    BagFinding finding;
    {
        const nb::gil_scoped_release unlocked;
        finding = ranker.score(Clicks<Index>{dense.data(), bags, num_samples}, num_threads, logits->data());
    }
    raise(finding, bags, ranker.num_fields(), ranker.num_rows());
    return result;
}

}  // namespace

void bind_ranker(nb::module_& module) {
    module.def("interact", &interact, nb::arg("first").noconvert().none(), nb::arg("rest").noconvert(),
               nb::arg("out").noconvert(),
               "Writes the dot products of all pairs i > j of each sample's vectors to out [batch, pairs].");
    auto ranker = nb::class_<Ranker>(module, "Ranker", "A DLRM of packed parts, which it keeps.");
    ranker.def("__init__", &make_ranker, nb::arg("table"), nb::arg("num_fields"), nb::arg("bottom"), nb::arg("top"),
               nb::keep_alive<1, 2>(), nb::keep_alive<1, 4>(), nb::keep_alive<1, 5>());
    const auto def_score = [&](auto method) {
        ranker.def("score", method, nb::arg("dense").noconvert(), nb::arg("indices").noconvert(),
                   nb::arg("offsets").noconvert(), nb::arg("logits").noconvert().none(), nb::arg("num_threads"),
                   "Writes the logit of every sample, or gives them as a new tensor.");
    };
    def_score(&score<std::int64_t>);
    def_score(&score<std::int32_t>);
}

}  // namespace farthing
