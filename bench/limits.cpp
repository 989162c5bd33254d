// What this machine can do at most, on one thread, as one line of JSON: what a kernel's figure is compared with.
//
//     c++ -O2 -std=c++20 -o limits bench/limits.cpp && ./limits
//
// Random lines are read in the first 1, 4, .. 1024 MiB of memory: the ns of one line, many on their way at once.
// Instruction rates are of registers only, with enough chains to hide their latency; an operation is a multiply
// or an add (a multiply-add is two), of pshufb one byte looked up. Each figure is the best of several rounds.
#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <sys/mman.h>
#include <vector>

namespace {

constexpr std::size_t line_bytes = 64;
constexpr std::size_t mebibyte = std::size_t{1} << 20;
// Larger than any cache that one core can count on.
constexpr std::size_t memory_bytes = 1024 * mebibyte;
constexpr int steps = 20'000, instruction_rounds = 300, memory_rounds = 5;

template <typename Work>
double best_seconds(int rounds, Work work) {
    double best = 1e30;
    for (int round = 0; round < rounds; ++round) {
        const auto start = std::chrono::steady_clock::now();
        work();
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        best = std::min(best, taken.count());
    }
    return best;
}

// Keeps the compiler from knowing a value, or from dropping it.
template <typename Value>
void keep(Value& value) {
    asm volatile("" : "+x"(value));
}

void keep_integer(std::uint64_t& value) { asm volatile("" : "+r"(value)); }

// Twelve independent chains of one instruction: more than two ports times its latency, and few enough for 16 registers.
#define EACH(apply) \
    apply(0) apply(1) apply(2) apply(3) apply(4) apply(5) apply(6) apply(7) apply(8) apply(9) apply(10) apply(11)
#define BEGIN(n)          \
    Vector sum##n = zero; \
    keep(sum##n);
#define STEP(n) sum##n = step(sum##n);
#define END(n) keep(sum##n);
constexpr int num_chains = 12;

#define DEFINE_RATE(name, features, type, make_zero)                  \
    __attribute__((target(features))) double name() {                \
        const auto work = []() __attribute__((target(features))) {   \
            using Vector = type;                                      \
            const Vector zero = make_zero();                          \
            Vector a = zero, b = zero;                                \
            keep(a);                                                  \
            keep(b);                                                  \
            EACH(BEGIN)                                               \
            for (int i = 0; i < steps; ++i) {                         \
                EACH(STEP)                                            \
            }                                                         \
            EACH(END)                                                 \
        };                                                            \
        return best_seconds(instruction_rounds, work);                \
    }

#define step(sum) _mm256_fmadd_ps(a, b, sum)
DEFINE_RATE(fma_256, "avx2,fma", __m256, _mm256_setzero_ps)
#undef step
// Without VNNI every product of u8 and i8 goes through this; what sums the pairs to 32 bits comes on top.
#define step(sum) (keep(a), _mm256_maddubs_epi16(a, b)); keep(sum)
DEFINE_RATE(maddubs_256, "avx2", __m256i, _mm256_setzero_si256)
#undef step
#define step(sum) (keep(b), _mm256_shuffle_epi8(a, b)); keep(sum)
DEFINE_RATE(pshufb_256, "avx2", __m256i, _mm256_setzero_si256)
#undef step
#define step(sum) _mm512_fmadd_ps(a, b, sum)
DEFINE_RATE(fma_512, "avx512f", __m512, _mm512_setzero_ps)
#undef step
#define step(sum) _mm512_dpbusd_epi32(sum, a, b)
DEFINE_RATE(dpbusd_512, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512)
#undef step
#define step(sum) _mm512_shuffle_epi8(a, sum)
DEFINE_RATE(pshufb_512, "avx512f,avx512bw", __m512i, _mm512_setzero_si512)
#undef step

double gops(double seconds, int operations) { return 1e-9 * steps * num_chains * operations / seconds; }

// `memory_bytes` in huge pages, so that the page table is not what is measured.
std::uint64_t* new_memory() {
    void* block = mmap(nullptr, memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) {
        std::fprintf(stderr, "limits: no memory\n");
        std::exit(1);
    }
    madvise(block, memory_bytes, MADV_HUGEPAGE);
    return static_cast<std::uint64_t*>(block);
}

__attribute__((target("avx2"))) double read_gb_per_second(const std::uint64_t* memory) {
    const auto* vectors = reinterpret_cast<const __m256i*>(memory);
    constexpr std::size_t count = memory_bytes / sizeof(__m256i);
    const double seconds = best_seconds(memory_rounds, [&]() __attribute__((target("avx2"))) {
        __m256i sum[4] = {};
        for (std::size_t i = 0; i < count; i += 4) {
            for (std::size_t k = 0; k < 4; ++k) sum[k] = _mm256_xor_si256(sum[k], _mm256_load_si256(vectors + i + k));
        }
        for (__m256i& value : sum) keep(value);
    });
    return 1e-9 * memory_bytes / seconds;
}

// Lines of memory in random order: a cycle through all of them, each holding the place of the next.
void link_lines(std::uint64_t* memory) {
    constexpr std::size_t words = line_bytes / sizeof(std::uint64_t), count = memory_bytes / line_bytes;
    std::vector<std::uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), std::mt19937(0));
    for (std::size_t i = 0; i < count; ++i) memory[order[i] * words] = order[(i + 1) % count] * words;
}

constexpr int num_lines = 400'000;

double line_latency_ns(const std::uint64_t* memory) {
    std::uint64_t place = 0;
    const double seconds = best_seconds(memory_rounds, [&] {
        for (int i = 0; i < num_lines; ++i) place = memory[place];
        keep_integer(place);
    });
    return 1e9 * seconds / num_lines;
}

// As many reads at once as the core has buffers for, within the first `size` bytes: places come from a generator.
double line_throughput_ns(const std::uint64_t* memory, std::size_t size) {
    const std::uint64_t num_words = size / sizeof(std::uint64_t);
    std::uint64_t state = 1, sum = 0;
    const double seconds = best_seconds(memory_rounds, [&] {
        for (int i = 0; i < num_lines; ++i) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            sum += memory[((state >> 32) * num_words) >> 32];
        }
        keep_integer(sum);
    });
    return 1e9 * seconds / num_lines;
}

}  // namespace

int main() {
    const bool has_512 = __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni");
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        std::fprintf(stderr, "limits: needs AVX2 and FMA\n");
        return 1;
    }
    std::uint64_t* memory = new_memory();
    link_lines(memory);
    const double fp32 = std::max(gops(fma_256(), 16), has_512 ? gops(fma_512(), 32) : 0.0);
    // 32 products and as many sums; twice as many on 512 bits.
    const double int8 = std::max(gops(maddubs_256(), 64), has_512 ? gops(dpbusd_512(), 128) : 0.0);
    const double shuffles = std::max(gops(pshufb_256(), 32), has_512 ? gops(pshufb_512(), 64) : 0.0);
    std::printf("{\"instructions\": \"%s\", \"fp32_gflops\": %.0f, \"int8_gops\": %.0f, \"pshufb_gops\": %.0f, ",
                has_512 ? "AVX-512 VNNI" : "AVX2", fp32, int8, shuffles);
    std::printf("\"dram_gb_per_s\": %.1f, \"line_latency_ns\": %.1f, \"line_ns_of_mib\": {",
                read_gb_per_second(memory), line_latency_ns(memory));
    for (std::size_t size = 1; size <= 1024; size *= 4) {
        std::printf("\"%zu\": %.2f%s", size, line_throughput_ns(memory, size * mebibyte), size == 1024 ? "}}\n" : ", ");
    }
}
