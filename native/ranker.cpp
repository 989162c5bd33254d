#include "ranker.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "dispatch.hpp"
#include "memory.hpp"
#include "pool.hpp"

namespace farthing {
namespace {

// Samples that go through all layers together: enough to use an unpacked weight often, few enough to stay in L2.
constexpr std::size_t block_samples = 64;

constexpr std::size_t line_bytes = 64;

constexpr std::size_t round_up(std::size_t size, std::size_t unit) noexcept { return (size + unit - 1) / unit * unit; }

void require(bool holds, const char* rule) {
    if (!holds) throw std::invalid_argument(rule);
}

template <typename Index>
void bag_sum(const PackedTable& table, const Bags<Index>& bags, std::size_t first, std::size_t last, float* out) noexcept {
    if constexpr (std::is_same_v<Index, std::int32_t>) kernels().bag_sum_i32(table, bags, first, last, out, table.dim);
    else kernels().bag_sum_i64(table, bags, first, last, out, table.dim);
}

// Whether all samples have the numbers of the first one, as the candidates of one context do.
bool are_alike(const float* dense, std::size_t count, std::size_t num_dense) noexcept {
    return std::memcmp(dense, dense + num_dense, (count - 1) * num_dense * sizeof(float)) == 0;
}

void check_chain(const std::vector<const Product*>& layers) {
    for (std::size_t i = 1; i < layers.size(); ++i) {
        require(layers[i]->num_inputs() == layers[i - 1]->num_outputs(), "a layer must take what the one before it gives");
    }
}

}  // namespace

Ranker::Mlp::Mlp(const std::vector<const Product*>& products) : layers(products), negative(products.size()) {
    check_chain(layers);
    for (std::size_t i = 1; i < layers.size(); ++i) {
        if (layers[i]->form() == RowForm::signs) negative[i - 1] = layers[i - 1]->negative_sums();
    }
}

Ranker::Ranker(RankerParts parts) : parts_(std::move(parts)), bottom_(parts_.bottom), top_(parts_.top) {
    const bool has_bottom = !parts_.bottom.empty();
    const std::size_t dim = parts_.table.dim;
    require(parts_.num_fields >= 1 && parts_.num_fields <= max_product_inputs, "there must be 1 to 65535 fields");
    require(!parts_.top.empty(), "there must be a top layer");
    num_vectors_ = parts_.num_fields + has_bottom;
    num_passed_on_ = has_bottom ? dim : parts_.num_fields * dim;
    const std::size_t num_inputs = num_passed_on_ + num_vectors_ * (num_vectors_ - 1) / 2;
    require(!has_bottom || parts_.bottom.back()->num_outputs() == dim, "the bottom must give a vector like the table's");
    require(parts_.top.front()->num_inputs() == num_inputs, "the top must take the vectors and their products");
    require(parts_.top.back()->num_outputs() == 1, "the top must give one logit");

    std::size_t outputs = dim, rows = 0, product = 0;
    for (const auto* layers : {&parts_.bottom, &parts_.top}) {
        for (const Product* layer : *layers) {
            outputs = std::max(outputs, layer->num_outputs());
            rows = std::max(rows, layer->row_bytes());
            product = std::max(product, layer->scratch_bytes());
        }
    }
    std::size_t end = 0;
    const auto place = [&end](std::size_t size) { return std::exchange(end, end + round_up(size, line_bytes)); };
    scratch_.embedded = place(block_samples * parts_.num_fields * dim * sizeof(float));
    scratch_.outputs = place(block_samples * outputs * sizeof(float));
    scratch_.rows = place(block_samples * rows);
    scratch_.next_rows = place(block_samples * rows);
    scratch_.product = place(product);
    scratch_.interact = place(interact_scratch(num_vectors_, dim) * sizeof(float));
    scratch_.top_input = place(num_inputs * sizeof(float));
    scratch_.size = end;
}

template <typename Index>
BagFinding Ranker::score(const Clicks<Index>& clicks, std::size_t num_threads, float* logits) const {
    struct Work {
        const Ranker& ranker;
        const Clicks<Index>& clicks;
        std::uint8_t* scratch;
        float* logits;
        std::mutex mutex;
        BagFinding finding;

        void score_block(std::size_t block, std::size_t worker) {
            const std::size_t first = block * block_samples;
            const std::size_t count = std::min(block_samples, clicks.num_samples - first);
            std::uint8_t* own = scratch + worker * ranker.scratch_.size;
            const BagFinding found = ranker.score_block(clicks, first, count, own, logits + first);
            if (found.fault == BagFault::none) return;
            const std::lock_guard lock(mutex);
            if (finding.fault == BagFault::none || found.position < finding.position) finding = found;
        }
    };
    const std::size_t num_blocks = (clicks.num_samples + block_samples - 1) / block_samples;
    const std::size_t num_workers = std::max<std::size_t>(1, std::min(num_blocks, num_threads));
    Work work{*this, clicks, thread_buffer(num_workers * scratch_.size), logits, {}, {}};
    parallel_for(
        num_blocks, num_workers,
        [](void* context, std::size_t block, std::size_t worker) {
            static_cast<Work*>(context)->score_block(block, worker);
        },
        &work);
    return work.finding;
}

template <typename Index>
BagFinding Ranker::score_block(const Clicks<Index>& clicks, std::size_t first, std::size_t count, std::uint8_t* scratch,
                               float* logits) const noexcept {
    const std::size_t first_bag = first * parts_.num_fields, last_bag = first_bag + count * parts_.num_fields;
    const BagFinding finding = check_bags(parts_.table, clicks.bags, first_bag, last_bag);
    if (finding.fault != BagFault::none) return finding;
    float* const embedded = reinterpret_cast<float*>(scratch + scratch_.embedded);
    float* const outputs = reinterpret_cast<float*>(scratch + scratch_.outputs);
    std::uint8_t* const rows = scratch + scratch_.rows;
    bag_sum(parts_.table, clicks.bags, first_bag, last_bag, embedded);
    std::size_t step = 0;
    if (!parts_.bottom.empty()) {
        const std::size_t num_dense = parts_.bottom.front()->num_inputs();
        const float* const dense = clicks.dense + first * num_dense;
        const bool is_one = are_alike(dense, count, num_dense);
        const std::size_t num_bottom = is_one ? 1 : count;
        parts_.bottom.front()->quantize(dense, num_bottom, num_dense, rows);
        run(bottom_, num_bottom, scratch, outputs);
        step = is_one ? 0 : parts_.table.dim;
    }
    interact(parts_.bottom.empty() ? nullptr : outputs, step, embedded, count, scratch);
    run(top_, count, scratch, logits);
    return {};
}

template BagFinding Ranker::score(const Clicks<std::int32_t>&, std::size_t, float*) const;
template BagFinding Ranker::score(const Clicks<std::int64_t>&, std::size_t, float*) const;

// All layers of an MLP, whose input lies in `rows`, to `out`. Between two layers there are signs, or outputs to
// quantize.
void Ranker::run(const Mlp& mlp, std::size_t count, std::uint8_t* scratch, float* out) const noexcept {
    std::uint8_t *rows = scratch + scratch_.rows, *next_rows = scratch + scratch_.next_rows;
    std::uint8_t* const product = scratch + scratch_.product;
    float* const outputs = reinterpret_cast<float*>(scratch + scratch_.outputs);
    for (std::size_t i = 0; i + 1 < mlp.layers.size(); ++i) {
        const Product &layer = *mlp.layers[i], &next = *mlp.layers[i + 1];
        if (next.form() == RowForm::signs) {
            layer.multiply_to_signs(rows, count, mlp.negative[i], next, next_rows, product);
        } else {
            layer.multiply(rows, count, outputs, layer.num_outputs(), product);
            next.quantize(outputs, count, layer.num_outputs(), next_rows);
        }
        std::swap(rows, next_rows);
    }
    mlp.layers.back()->multiply(rows, count, out, mlp.layers.back()->num_outputs(), product);
}

// The quantized input of the top's first layer. Each sample's goes through one float row that stays in L1. A sample's
// vector of the bottom is `step` floats behind the one before it: 0 where all have the same.
void Ranker::interact(const float* first, std::size_t step, const float* embedded, std::size_t count,
                      std::uint8_t* scratch) const noexcept {
    const std::size_t dim = parts_.table.dim, num_fields = parts_.num_fields;
    const Product& layer = *parts_.top.front();
    float* const input = reinterpret_cast<float*>(scratch + scratch_.top_input);
    float* const transposed = reinterpret_cast<float*>(scratch + scratch_.interact);
    std::uint8_t* row = scratch + scratch_.rows;
    for (std::size_t sample = 0; sample < count; ++sample, row += layer.row_bytes(), embedded += num_fields * dim) {
        std::memcpy(input, first != nullptr ? first : embedded, num_passed_on_ * sizeof(float));
        kernels().interact({first, embedded, num_fields, dim}, transposed, input + num_passed_on_);
        layer.quantize(input, 1, 0, row);
        if (first != nullptr) first += step;
    }
}

}  // namespace farthing
