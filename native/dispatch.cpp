#include "dispatch.hpp"

namespace farthing {
namespace {

CpuFeatures probe() noexcept {
    CpuFeatures features;
#if defined(__x86_64__)
    // The compiler's runtime asks CPUID for the instructions and XGETBV for the operating system's part.
    features.avx2 = __builtin_cpu_supports("avx2");
    features.fma = __builtin_cpu_supports("fma");
    features.avx512f = __builtin_cpu_supports("avx512f");
    features.avx512bw = __builtin_cpu_supports("avx512bw");
    features.avx512vl = __builtin_cpu_supports("avx512vl");
    features.avx512vnni = __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__)
    features.neon = true;  // part of the AArch64 baseline
#endif
    return features;
}

}  // namespace

const CpuFeatures& cpu_features() noexcept {
    static const CpuFeatures features = probe();
    return features;
}

bool is_usable(Tier tier, const CpuFeatures& features) noexcept {
    switch (tier) {
        case Tier::scalar:
            return true;
        case Tier::avx2:
            return features.avx2 && features.fma;
        case Tier::avx512:
            return is_usable(Tier::avx2, features) && features.avx512f && features.avx512bw && features.avx512vl &&
                   features.avx512vnni;
        case Tier::neon:
            return features.neon;
    }
    return false;
}

std::string_view tier_name(Tier tier) noexcept {
    switch (tier) {
        case Tier::scalar:
            return "scalar";
        case Tier::avx2:
            return "avx2";
        case Tier::avx512:
            return "avx512";
        case Tier::neon:
            return "neon";
    }
    return "";
}

}  // namespace farthing
