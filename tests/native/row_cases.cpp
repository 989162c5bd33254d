#include <string>

#include "cases.hpp"
#include "dispatch.hpp"

namespace cases {

using farthing::kernels;

// Long runs of either kind too: no mark in a vector, and one at each byte.
Output find_marks(Random& random) {
    std::string text;
    while (text.size() < 300 && random.integer(0, 20) > 0) {
        const std::size_t longest = random.choice<std::size_t>({3, 80}), count = random.integer(1, longest);
        text.append(count, random.choice({'\t', '\n', ',', 'x', '\0', '\x89'}));
    }
    text.shrink_to_fit();
    std::vector<std::uint32_t> marks(text.size() + 8);
    marks.resize(kernels().find_marks(text.data(), text.size(), random.choice({'\t', ','}), marks.data()));
    return marks;
}

// Sums in one order, of products that are fused in every tier.
Output interact(Random& random) {
    const std::size_t num_rest = random.integer(1, 40), dim = random.integer(1, 40);
    const bool has_first = random.choice({true, false});
    const std::vector<float> first = random.reals(dim), rest = random.reals(num_rest * dim);
    const std::size_t num_vectors = num_rest + has_first;
    std::vector<float> scratch(farthing::interact_scratch(num_vectors, dim));
    std::vector<float> out(num_vectors * (num_vectors - 1) / 2);
    kernels().interact({has_first ? first.data() : nullptr, rest.data(), num_rest, dim}, scratch.data(), out.data());
    return words(out);
}

}  // namespace cases
