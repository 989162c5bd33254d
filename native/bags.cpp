#include "bags.hpp"

#include <algorithm>
#include <mutex>
#include <type_traits>

#include "dispatch.hpp"
#include "pool.hpp"

namespace farthing {
namespace {

// Bags that one thread takes at a time: enough work to pay for handing it over, some 10 microseconds.
constexpr std::size_t block_bags = 1024;

template <typename Index>
std::size_t first_outside(const Index* numbers, std::size_t count, std::size_t limit) noexcept {
    if constexpr (std::is_same_v<Index, std::int32_t>) return kernels().first_outside_i32(numbers, count, limit);
    else return kernels().first_outside_i64(numbers, count, limit);
}

template <typename Index>
std::size_t first_descent(const Index* numbers, std::size_t count) noexcept {
    if constexpr (std::is_same_v<Index, std::int32_t>) return kernels().first_descent_i32(numbers, count);
    else return kernels().first_descent_i64(numbers, count);
}

template <typename Index>
void bag_sum(const PackedTable& table, const Bags<Index>& bags, std::size_t first, std::size_t last,
             float* out) noexcept {
    if constexpr (std::is_same_v<Index, std::int32_t>) kernels().bag_sum_i32(table, bags, first, last, out, table.dim);
    else kernels().bag_sum_i64(table, bags, first, last, out, table.dim);
}

// Positions of the first and behind the last index of bags [first, last), or the offset that is bad.
struct Range {
    BagFinding finding;
    std::size_t start = 0;
    std::size_t end = 0;
};

template <typename Index>
Range range_of(const Bags<Index>& bags, std::size_t first, std::size_t last) noexcept {
    if (bags.offsets == nullptr) return {{}, first * bags.bag_size, last * bags.bag_size};
    const std::size_t count = std::min(last + 1, bags.num_offsets) - first;
    const Index* offsets = bags.offsets + first;
    if (const std::size_t i = first_descent(offsets, count); i < count) return {{BagFault::offset, first + i}};
    // What ascends is within [0, num_indices] if its first and its last number are.
    if (offsets[0] < 0 || (first == 0 && offsets[0] != 0)) return {{BagFault::offset, first}};
    const std::size_t start = static_cast<std::size_t>(offsets[0]), end = static_cast<std::size_t>(offsets[count - 1]);
    if (end > bags.num_indices) return {{BagFault::offset, first + count - 1}};
    return {{}, start, last < bags.num_offsets ? end : bags.num_indices};
}

// What the threads share in one call.
template <typename Index>
struct Call {
    const PackedTable& table;
    const Bags<Index>& bags;
    float* out;
    std::mutex mutex;
    BagFinding finding;

    void sum_block(std::size_t block) noexcept {
        const std::size_t first = block * block_bags, last = std::min(first + block_bags, bags.num_bags);
        if (const BagFinding found = check_bags(table, bags, first, last); found.fault == BagFault::none) {
            bag_sum(table, bags, first, last, out + first * table.dim);
        } else {
            const std::lock_guard lock(mutex);
            if (finding.fault == BagFault::none || found.position < finding.position) finding = found;
        }
    }
};

}  // namespace

template <typename Index>
BagFinding check_bags(const PackedTable& table, const Bags<Index>& bags, std::size_t first, std::size_t last) noexcept {
    if (first == last) return {};
    const Range range = range_of(bags, first, last);
    if (range.finding.fault != BagFault::none) return range.finding;
    const std::size_t count = range.end - range.start;
    const std::size_t i = first_outside(bags.indices + range.start, count, table.num_rows);
    return i < count ? BagFinding{BagFault::index, range.start + i} : BagFinding{};
}

template <typename Index>
BagFinding sum_bags(const PackedTable& table, const Bags<Index>& bags, std::size_t num_threads, float* out) noexcept {
    Call<Index> call{table, bags, out, {}, {}};
    parallel_for(
        (bags.num_bags + block_bags - 1) / block_bags, num_threads,
        [](void* context, std::size_t block, std::size_t) { static_cast<Call<Index>*>(context)->sum_block(block); },
        &call);
    return call.finding;
}

template BagFinding check_bags(const PackedTable&, const Bags<std::int32_t>&, std::size_t, std::size_t) noexcept;
template BagFinding check_bags(const PackedTable&, const Bags<std::int64_t>&, std::size_t, std::size_t) noexcept;
template BagFinding sum_bags(const PackedTable&, const Bags<std::int32_t>&, std::size_t, float*) noexcept;
template BagFinding sum_bags(const PackedTable&, const Bags<std::int64_t>&, std::size_t, float*) noexcept;

}  // namespace farthing
