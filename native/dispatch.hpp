// What the processor and the operating system can run, which kernel tiers follow from it, and which one is in use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernels.hpp"

namespace farthing {

// Instruction-set extensions the tiers ask for. A flag is set only if the operating system also saves the registers
// that the extension adds; without that an instruction the CPU knows would still fault.
struct CpuFeatures {
    bool avx2 = false;
    bool fma = false;
    bool bmi2 = false;
    bool avx512f = false;
    bool avx512bw = false;
    bool avx512dq = false;
    bool avx512vl = false;
    bool avx512vnni = false;
    bool neon = false;
};

// Kernel tiers, slowest first. `scalar` defines the correct result and runs everywhere.
enum class Tier : std::uint8_t { scalar, avx2, avx512, neon };

inline constexpr std::size_t num_tiers = 4;
inline constexpr std::array<Tier, num_tiers> all_tiers{Tier::scalar, Tier::avx2, Tier::avx512, Tier::neon};

// Features of the machine this runs on; probed on the first call, then remembered.
const CpuFeatures& cpu_features() noexcept;

// Whether a machine with `features` can run `tier`, and this build has it.
bool is_usable(Tier tier, const CpuFeatures& features) noexcept;

std::string_view tier_name(Tier tier) noexcept;

// The best usable tier, which is used unless another is asked for.
Tier default_tier() noexcept;

// The tier in use: the default one until `use_tier` says otherwise.
Tier active_tier() noexcept;

// Uses `tier`, which is usable, from the next call of a kernel on.
void use_tier(Tier tier) noexcept;

// The kernels of the tier in use.
const Kernels& kernels() noexcept;

}  // namespace farthing
