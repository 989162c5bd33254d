#include "bags.hpp"

#include <limits>

#include "cases.hpp"

namespace cases {
namespace {

std::size_t num_scales(farthing::Granularity granularity, std::size_t num_groups, std::size_t num_rows, std::size_t dim) {
    if (granularity == farthing::Granularity::group) return num_groups;
    return granularity == farthing::Granularity::dimension ? dim : num_rows;
}

// Bags of rows; sometimes with an index or offset outside, whose position is then the output.
template <typename Index>
Output bags_of(Random& random) {
    const std::size_t num_rows = random.integer(2, 40), dim = random.integer(1, 70), num_bags = random.integer(0, 20);
    const std::size_t bits = random.choice<std::size_t>({1, 2, 4, 8});
    const auto granularity = random.choice(
        {farthing::Granularity::group, farthing::Granularity::dimension, farthing::Granularity::row});
    const std::vector<std::uint8_t> codes = random.packed_rows(num_rows, dim, bits);
    std::vector<std::int64_t> group_starts{0};
    if (granularity == farthing::Granularity::group && random.choice({true, false})) {
        group_starts.push_back(static_cast<std::int64_t>(random.integer(1, num_rows - 1)));
    }
    const std::vector<float> scale = random.reals(num_scales(granularity, group_starts.size(), num_rows, dim));
    const std::vector<float> offset = random.reals(scale.size());
    std::vector<Index> indices, offsets;
    const bool is_one_each = random.choice({true, false, false});
    for (std::size_t bag = 0; bag < num_bags; ++bag) {
        offsets.push_back(static_cast<Index>(indices.size()));
        for (std::size_t left = is_one_each ? 1 : random.integer(0, 4); left > 0; --left) {
            indices.push_back(static_cast<Index>(random.integer(0, num_rows - 1)));
        }
    }
    if (random.integer(0, 9) == 0 && !indices.empty()) {
        const Index outside = random.choice<Index>({-1, static_cast<Index>(num_rows), std::numeric_limits<Index>::max()});
        std::vector<Index>& bad = random.choice({true, false}) ? indices : offsets;
        bad[random.integer(0, bad.size() - 1)] = outside;
    }
    const std::vector<float> weights = random.reals(indices.size());
    const farthing::PackedTable table{.codes = codes.data(),
                                      .stride = farthing::row_bytes(dim, bits),
                                      .num_rows = num_rows,
                                      .dim = dim,
                                      .bits = bits,
                                      .granularity = granularity,
                                      .scale = scale.data(),
                                      .offset = random.choice({true, false}) ? offset.data() : nullptr,
                                      .group_starts = group_starts.data(),
                                      .num_groups = group_starts.size()};
    const farthing::Bags<Index> bags{.indices = indices.data(),
                                     .num_indices = indices.size(),
                                     .offsets = offsets.data(),
                                     .num_offsets = offsets.size(),
                                     .bag_size = 0,
                                     .num_bags = num_bags,
                                     .weights = random.choice({true, false}) ? weights.data() : nullptr,
                                     .mean = random.choice({true, false})};
    std::vector<float> out(num_bags * dim);
    const farthing::BagFinding finding = farthing::sum_bags(table, bags, 1, out.data());
    return finding.fault == farthing::BagFault::none ? words(out) : Output{static_cast<std::uint32_t>(finding.position)};
}

}  // namespace

Output bags(Random& random) {
    return random.choice({true, false}) ? bags_of<std::int32_t>(random) : bags_of<std::int64_t>(random);
}

}  // namespace cases
