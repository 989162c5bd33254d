// The fused DLRM: ids and numbers in, logits out. src/farthing/recommend/model.py has the equations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bags.hpp"
#include "product.hpp"

namespace farthing {

// What is scored.
template <typename Index>
struct Clicks {
    const float* dense;  // [num_samples, num_dense]
    Bags<Index> bags;    // [num_samples * num_fields], those of a sample next to each other
    std::size_t num_samples;
};

// The parts of a DLRM. What they point to stays the caller's and outlives the ranker.
struct RankerParts {
    PackedTable table;
    std::size_t num_fields;             // >= 1
    std::vector<const Product*> bottom;  // none without numeric columns
    std::vector<const Product*> top;
};

class Ranker {
   public:
    // Throws std::invalid_argument where the parts do not fit each other, or std::bad_alloc.
    explicit Ranker(RankerParts parts);

    std::size_t num_dense() const noexcept { return parts_.bottom.empty() ? 0 : parts_.bottom[0]->num_inputs(); }
    std::size_t num_fields() const noexcept { return parts_.num_fields; }
    std::size_t num_rows() const noexcept { return parts_.table.num_rows; }

    // Writes the logit of every sample, on up to `num_threads` threads. A logit depends on its own sample and on nothing
    // else. After a fault in the bags, of which the first is given, `logits` holds anything. Throws std::bad_alloc, on the
    // first call of a thread with so many others.
    template <typename Index>
    BagFinding score(const Clicks<Index>& clicks, std::size_t num_threads, float* logits) const;

   private:
    // Where one block of samples is worked on, as offsets into one piece of memory.
    struct Scratch {
        std::size_t embedded, outputs, rows, next_rows, product, interact, top_input, size;
    };

    // Layers one after the other, and of each before one that takes signs which sums give a negative output.
    struct Mlp {
        std::vector<const Product*> layers;
        std::vector<NegativeSums> negative;

        explicit Mlp(const std::vector<const Product*>& products);
    };

    template <typename Index>
    BagFinding score_block(const Clicks<Index>& clicks, std::size_t first, std::size_t count, std::uint8_t* scratch,
                           float* logits) const noexcept;
    void interact(const float* first, std::size_t step, const float* embedded, std::size_t count,
                  std::uint8_t* scratch) const noexcept;

    void run(const Mlp& mlp, std::size_t count, std::uint8_t* scratch, float* out) const noexcept;

    RankerParts parts_;
    Mlp bottom_, top_;
    std::size_t num_vectors_, num_passed_on_;
    Scratch scratch_;
};

}  // namespace farthing
