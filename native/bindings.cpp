// farthing._native: checks arguments, releases the GIL, forwards. No arithmetic lives here.
//
// Every array argument is `.noconvert()`: otherwise nanobind silently copies one of the wrong type or stride, and what is
// written to an output is lost. Each component binds itself in a bind_*.cpp.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string_view.h>

#include <string_view>

#include "bind.hpp"
#include "dispatch.hpp"
#include "layout.hpp"

namespace nb = nanobind;

namespace {

nb::dict cpu_features() {
    const farthing::CpuFeatures& features = farthing::cpu_features();
    nb::dict result;
    result["avx2"] = features.avx2;
    result["fma"] = features.fma;
    result["bmi2"] = features.bmi2;
    result["avx512f"] = features.avx512f;
    result["avx512bw"] = features.avx512bw;
    result["avx512dq"] = features.avx512dq;
    result["avx512vl"] = features.avx512vl;
    result["avx512vnni"] = features.avx512vnni;
    result["neon"] = features.neon;
    return result;
}

nb::str name_of(farthing::Tier tier) {
    const std::string_view name = farthing::tier_name(tier);
    return nb::str(name.data(), name.size());
}

nb::list usable_tiers() {
    nb::list result;
    for (const farthing::Tier tier : farthing::all_tiers) {
        if (farthing::is_usable(tier, farthing::cpu_features())) {
            result.append(name_of(tier));
        }
    }
    return result;
}

nb::str active_tier() { return name_of(farthing::active_tier()); }

nb::str default_tier() { return name_of(farthing::default_tier()); }

void use_tier(std::string_view name) {
    for (const farthing::Tier tier : farthing::all_tiers) {
        if (farthing::tier_name(tier) == name && farthing::is_usable(tier, farthing::cpu_features())) {
            farthing::use_tier(tier);
            return;
        }
    }
    throw nb::value_error("this machine cannot run that tier, or there is none of that name");
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
    module.def("active_tier", &active_tier, "Name of the tier in use.");
    module.def("default_tier", &default_tier, "Name of the tier that is used where nothing else is asked for.");
    module.def("use_tier", &use_tier, nb::arg("name"), "Uses this tier from the next call on.");
    farthing::bind_bags(module);
    farthing::bind_conv(module);
    farthing::bind_quantize(module);
    farthing::bind_product(module);
    farthing::bind_clicks(module);
    farthing::bind_rows(module);
    farthing::bind_coder(module);
    farthing::bind_ranker(module);
}
