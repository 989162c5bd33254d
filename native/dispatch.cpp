#include "dispatch.hpp"

#include <atomic>

namespace farthing {
namespace {

const Kernels& kernels_of(Tier tier) noexcept {
    switch (tier) {
#if defined(__x86_64__)
        case Tier::avx2:
            return avx2_kernels;
        case Tier::avx512:
            return avx512_kernels;
#elif defined(__aarch64__)
        case Tier::neon:
            return neon_kernels;
#endif
        default:
            return scalar_kernels;
    }
}

std::atomic<Tier>& active() noexcept {
    static std::atomic<Tier> tier{default_tier()};
    return tier;
}

CpuFeatures probe() noexcept {
    CpuFeatures features;
#if defined(__x86_64__)
    // The compiler's runtime asks CPUID for the instructions and XGETBV for the operating system's part.
    features.avx2 = __builtin_cpu_supports("avx2");
    features.fma = __builtin_cpu_supports("fma");
    features.bmi2 = __builtin_cpu_supports("bmi2");
    features.avx512f = __builtin_cpu_supports("avx512f");
    features.avx512bw = __builtin_cpu_supports("avx512bw");
    features.avx512dq = __builtin_cpu_supports("avx512dq");
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
            return features.avx2 && features.fma && features.bmi2;
        case Tier::avx512:
            return is_usable(Tier::avx2, features) && features.avx512f && features.avx512bw && features.avx512dq &&
                   features.avx512vl && features.avx512vnni;
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

// The tests of all tiers have run: those of AVX2 and AVX-512 on machines, those of NEON in an emulator (`make emulate`).
Tier default_tier() noexcept {
    Tier best = Tier::scalar;
    for (const Tier tier : all_tiers) {
        if (is_usable(tier, cpu_features())) best = tier;
    }
    return best;
}

Tier active_tier() noexcept { return active().load(std::memory_order_relaxed); }

void use_tier(Tier tier) noexcept { active().store(tier, std::memory_order_relaxed); }

const Kernels& kernels() noexcept { return kernels_of(active_tier()); }

}  // namespace farthing
