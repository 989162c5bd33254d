// Every tier that this machine can run against the scalar one, bit for bit, on the same random arguments. Prints what
// differs and, for each kernel, a checksum of all outputs, which is the same on every machine.
#include <algorithm>
#include <cstdio>
#include <string_view>

#include "cases.hpp"
#include "dispatch.hpp"

namespace {

struct Case {
    const char* name;
    cases::Output (*run)(cases::Random& random);
    std::uint64_t num_seeds;
};

constexpr Case all_cases[] = {
    {"quantize", cases::quantize, 2000},
    {"pack_signs", cases::pack_signs, 1000},
    {"linear", cases::linear, 500},
    {"signs", cases::signs, 1000},
    {"bags", cases::bags, 1000},
    {"conv", cases::conv, 300},
    {"find_marks", cases::find_marks, 2000},
    {"interact", cases::interact, 300},
};

cases::Output run(const Case& kernel, farthing::Tier tier, std::uint64_t seed) {
    cases::Random random(seed);
    farthing::use_tier(tier);
    return kernel.run(random);
}

// Prints the first difference, if there is one.
bool are_equal(const Case& kernel, std::uint64_t seed, std::string_view tier, const cases::Output& expected,
               const cases::Output& given) {
    const auto [left, right] = std::ranges::mismatch(expected, given);
    if (left == expected.end() && right == given.end()) return true;
    if (left == expected.end() || right == given.end()) {
        std::fprintf(stderr, "%s, seed %llu: scalar gives %zu words, %s %zu\n", kernel.name,
                     static_cast<unsigned long long>(seed), expected.size(), tier.data(), given.size());
        return false;
    }
    std::fprintf(stderr, "%s, seed %llu, word %td: scalar %08x, %s %08x\n", kernel.name,
                 static_cast<unsigned long long>(seed), left - expected.begin(), *left, tier.data(), *right);
    return false;
}

// Fowler, Noll, Vo: FNV-1a over words.
std::uint64_t add_to_checksum(std::uint64_t checksum, const cases::Output& output) {
    for (const std::uint32_t word : output) checksum = (checksum ^ word) * 0x100000001b3;
    return checksum;
}

bool compare(const Case& kernel) {
    std::uint64_t checksum = 0xcbf29ce484222325;
    bool equal = true;
    for (std::uint64_t seed = 0; seed < kernel.num_seeds; ++seed) {
        const cases::Output expected = run(kernel, farthing::Tier::scalar, seed);
        checksum = add_to_checksum(checksum, expected);
        for (const farthing::Tier tier : farthing::all_tiers) {
            if (!farthing::is_usable(tier, farthing::cpu_features())) continue;
            equal &= are_equal(kernel, seed, farthing::tier_name(tier), expected, run(kernel, tier, seed));
        }
    }
    std::printf("%s %016llx\n", kernel.name, static_cast<unsigned long long>(checksum));
    return equal;
}

}  // namespace

int main() {
    for (const farthing::Tier tier : farthing::all_tiers) {
        if (farthing::is_usable(tier, farthing::cpu_features())) std::fprintf(stderr, "%s ", farthing::tier_name(tier).data());
    }
    std::fprintf(stderr, "\n");
    bool equal = true;
    for (const Case& kernel : all_cases) equal &= compare(kernel);
    return equal ? 0 : 1;
}
