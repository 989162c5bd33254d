#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>

#include <algorithm>
#include <string>

#include "bind_table.hpp"
#include "layout.hpp"

namespace nb = nanobind;

namespace farthing {
namespace {

template <typename T>
using Vector = Array<T, nb::ndim<1>>;

// Bags with fewer indices are summed in some microseconds.
constexpr std::size_t min_unlocked_indices = 512;

// The first row of the one group of a table that has one scale.
constexpr std::int64_t only_group = 0;

Granularity granularity_of(std::string_view name) {
    if (name == "table" || name == "group") return Granularity::group;
    if (name == "dimension") return Granularity::dimension;
    check(name == "row", "granularity must be table, group, dimension or row");
    return Granularity::row;
}

std::size_t num_scales(const PackedTable& table) {
    switch (table.granularity) {
        case Granularity::group:
            return table.num_groups;
        case Granularity::dimension:
            return table.dim;
        case Granularity::row:
            return table.num_rows;
    }
    return 0;
}

void check_groups(const PackedTable& table) {
    const std::int64_t* starts = table.group_starts;
    check(table.num_groups > 0, "group_starts must not be empty");
    const bool ascends = std::is_sorted(starts, starts + table.num_groups, std::less_equal<std::int64_t>());
    check(ascends && starts[0] == 0 && static_cast<std::size_t>(starts[table.num_groups - 1]) < table.num_rows,
          "group_starts must ascend from 0 to below the number of rows");
}

void make(BoundTable* self, Array<const std::uint8_t, nb::ndim<2>> codes, std::size_t dim, std::size_t bits,
          std::string_view granularity, Vector<const float> scale, std::optional<Vector<const float>> offset,
          std::optional<Vector<const std::int64_t>> group_starts) {
    check(is_code_width(bits), "bits must be 1, 2, 4 or 8");
    check(dim >= 1 && codes.shape(1) == row_bytes(dim, bits), "codes must have row_bytes(dim, bits) columns");
    const PackedTable table{.codes = codes.data(),
                      .stride = codes.shape(1),
                      .num_rows = codes.shape(0),
                      .dim = dim,
                      .bits = bits,
                      .granularity = granularity_of(granularity),
                      .scale = scale.data(),
                      .offset = offset ? offset->data() : nullptr,
                      .group_starts = group_starts ? group_starts->data() : &only_group,
                      .num_groups = group_starts ? group_starts->size() : 1};
    check_aligned(scale, offset, group_starts);
    check((granularity == "group") == group_starts.has_value(),
          "group_starts go with granularity group and only with it");
    if (group_starts) check_groups(table);
    check(scale.size() == num_scales(table), "scale must have as many values as its granularity says");
    check(!offset || offset->size() == scale.size(), "offset must be as long as scale");
    new (self) BoundTable{table, codes, scale, offset, group_starts};
}

// Throws what the caller sees of a fault.
template <typename Index>
void raise(const BagFinding& finding, const PackedTable& table, const Bags<Index>& bags) {
    const std::string at = " at position " + std::to_string(finding.position);
    if (finding.fault == BagFault::index) {
        const std::string index = std::to_string(bags.indices[finding.position]);
        const std::string range = ", which is not in [0, " + std::to_string(table.num_rows) + ")";
        throw nb::index_error(("indices: " + index + at + range).c_str());
    }
    if (finding.fault == BagFault::offset) {
        const std::string offset = std::to_string(bags.offsets[finding.position]);
        const std::string range = "; they ascend from 0 to at most " + std::to_string(bags.num_indices);
        throw nb::value_error(("offsets: " + offset + at + range).c_str());
    }
}

template <typename Index>
struct BagArguments {
    const Values<const Index>& indices;
    const std::optional<Values<const Index, 1>>& offsets;
    const std::optional<Values<const float>>& weights;
};

// Throws unless the arrays of a call fit the table and each other.
template <typename Index>
void check_arrays(const BoundTable& bound, const BagArguments<Index>& given, const Values<float>& out) {
    const auto& [indices, offsets, weights] = given;
    check(out.ndim() == 2 && out.shape(1) == bound.table.dim, "out must have as many columns as the table");
    const std::size_t num_bags = out.shape(0);
    if (offsets) {
        check(offsets->size() == num_bags || offsets->size() == num_bags + 1,
              "offsets must be as many as out has rows, or one more");
    } else {
        check(num_bags == 0 ? indices.size() == 0 : indices.size() % num_bags == 0,
              "without offsets the indices must be a multiple of the rows of out");
    }
    check(!weights || weights->size() == indices.size(), "weights must be as many as indices");
    check_aligned(indices, offsets, weights, out);
    check_apart(out, indices, offsets, weights, bound.codes, bound.scale, bound.offset, bound.group_starts);
}

// The bags of arguments that come without `out`.
template <typename Index>
std::size_t count_bags(const BagArguments<Index>& given, bool has_end) {
    if (!given.offsets) {
        check(given.indices.ndim() == 2, "without offsets and out the indices must be [bags, length]");
        return given.indices.shape(0);
    }
    check(given.offsets->size() >= has_end, "offsets must hold the end of the last bag");
    return given.offsets->size() - has_end;
}

template <typename Index>
nb::object sum_bags_into(const BoundTable& bound, const Values<const Index>& indices,
                         const std::optional<Values<const Index, 1>>& offsets,
                         const std::optional<Values<const float>>& weights, bool mean,
                         std::optional<Values<float>> out, std::size_t num_threads, bool has_end) {
    const BagArguments<Index> given{indices, offsets, weights};
    nb::object result = nb::none();
    if (!out) {
        const auto rows = static_cast<std::int64_t>(count_bags(given, has_end));
        out = new_values(indices, {rows, static_cast<std::int64_t>(bound.table.dim)}, result);
    }
    check_arrays(bound, given, *out);
    const std::size_t num_bags = out->shape(0);
    const Bags<Index> bags{.indices = indices.data(),
                           .num_indices = indices.size(),
                           .offsets = offsets ? offsets->data() : nullptr,
                           .num_offsets = offsets ? offsets->size() : 0,
                           .bag_size = num_bags == 0 ? 0 : indices.size() / num_bags,
                           .num_bags = num_bags,
                           .weights = weights ? weights->data() : nullptr,
                           .mean = mean};
    BagFinding finding;
    {
        const Unlocked unlocked(std::max(num_bags, indices.size()) >= min_unlocked_indices);
        finding = sum_bags(bound.table, bags, num_threads, out->data());
    }
    raise(finding, bound.table, bags);
    return result;
}

}  // namespace

void bind_bags(nb::module_& module) {
    constexpr const char* sum_bags_doc =
        "Writes the pooled rows of every bag (docs/format.md, \"Tables\") to float32 `out` [bags, dim]. Without `out` the "
        "result is a new tensor, for which `has_end` says whether the last offset is the end of the last bag.";
    auto table = nb::class_<BoundTable>(module, "Table", "A packed table in the memory of the arrays it is made of.");
    table.def("__init__", &make, nb::arg("codes").noconvert(), nb::arg("dim"), nb::arg("bits"), nb::arg("granularity"),
              nb::arg("scale").noconvert(), nb::arg("offset").noconvert().none(),
              nb::arg("group_starts").noconvert().none());
    const auto def_sum = [&](auto method) {
        table.def("sum_bags", method, nb::arg("indices").noconvert(), nb::arg("offsets").noconvert().none(),
                  nb::arg("weights").noconvert().none(), nb::arg("mean"), nb::arg("out").noconvert().none(),
                  nb::arg("num_threads"), nb::arg("has_end") = false, sum_bags_doc);
    };
    def_sum(&sum_bags_into<std::int64_t>);
    def_sum(&sum_bags_into<std::int32_t>);
}

}  // namespace farthing
