// farthing._native: checks arguments, releases the GIL, forwards. No arithmetic lives here.
#include <nanobind/nanobind.h>

#include "dispatch.hpp"
#include "layout.hpp"

namespace nb = nanobind;

namespace {

nb::dict cpu_features() {
    const farthing::CpuFeatures& features = farthing::cpu_features();
    nb::dict result;
    result["avx2"] = features.avx2;
    result["fma"] = features.fma;
    result["avx512f"] = features.avx512f;
    result["avx512bw"] = features.avx512bw;
    result["avx512vl"] = features.avx512vl;
    result["avx512vnni"] = features.avx512vnni;
    result["neon"] = features.neon;
    return result;
}

nb::list usable_tiers() {
    nb::list result;
    for (const farthing::Tier tier : farthing::all_tiers) {
        if (farthing::is_usable(tier, farthing::cpu_features())) {
            const std::string_view name = farthing::tier_name(tier);
            result.append(nb::str(name.data(), name.size()));
        }
    }
    return result;
}

std::size_t row_bytes(std::size_t num_codes, std::size_t bits) {
    if (!farthing::is_code_width(bits)) {
        throw nb::value_error("bits must be 1, 2, 4 or 8");
    }
    return farthing::row_bytes(num_codes, bits);
}

}  // namespace

NB_MODULE(_native, module) {
    module.doc() = "Native part of farthing; import it through farthing.lowbit.ops.";
    module.def("cpu_features", &cpu_features, "Instruction-set extension -> whether CPU and operating system offer it.");
    module.def("usable_tiers", &usable_tiers, "Names of the kernel tiers this machine can run, slowest first.");
    module.def("row_bytes", &row_bytes, nb::arg("num_codes"), nb::arg("bits"),
               "Bytes of one packed row of `num_codes` codes of `bits` bits (docs/format.md).");
}
