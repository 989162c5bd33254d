// The weight of a Linear layer, ready to be multiplied: packed in the tiles of tiles.hpp, with all that turns the integer
// sums into outputs. Other components build on it like this:
//
//   Product product(source);                                                  // once; copies what it needs
//   product.quantize(x, num_rows, x_stride, rows);                            // num_rows * row_bytes()
//   product.multiply(rows, num_rows, out, out_stride, scratch);               // scratch_bytes(), for any num_rows
//
// Both run on the calling thread, allocate nothing, and may run at the same time on one Product with different buffers.
// A caller may make the rows itself (a convolution gathers them from an image that was quantized once).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.hpp"
#include "memory.hpp"
#include "octets.hpp"
#include "signs.hpp"
#include "tiles.hpp"

namespace farthing {

// How rows are held: tiles.hpp. `signs` needs weight and input of one bit, and no zeros among the inputs.
enum class RowForm : std::uint8_t { integers, signs };

// What a Product is made from, as docs/format.md defines it. Pointers are read by the constructor only.
struct ProductSource {
    const std::uint8_t* codes;  // [num_outputs, row_bytes(num_inputs, bits)]
    std::size_t num_outputs;
    std::size_t num_inputs;
    std::size_t bits;
    const float* scale;  // [num_scales], of the weight
    std::size_t num_scales;  // 1 or num_outputs
    const float* bias = nullptr;  // [num_outputs]; null means none
    float activation_scale = 1.0f;
    Activation activation = Activation::bits8;
    RowForm form = RowForm::integers;
    Curve curve = Curve::none;
    const float* slope = nullptr;  // [num_outputs], for Curve::prelu
};

class Product {
   public:
    // Throws std::bad_alloc.
    explicit Product(const ProductSource& source);

    std::size_t num_inputs() const noexcept { return weight_.num_inputs; }
    std::size_t num_outputs() const noexcept { return weight_.num_outputs; }
    RowForm form() const noexcept { return form_; }

    // Bytes of packed weights, scales and biases, and of the order in which inputs are taken.
    std::size_t resident_bytes() const noexcept;

    // Bytes from one row of integers or signs to the next, a multiple of 8.
    std::size_t row_bytes() const noexcept { return weight_.row_bytes; }

    // Bytes that one call of `multiply` works in; a multiple of 64.
    std::size_t scratch_bytes() const noexcept;

    // rows[i] = integers or signs of the float32 row at x + i * x_stride.
    void quantize(const float* x, std::size_t num_rows, std::size_t x_stride, std::uint8_t* rows) const noexcept;

    // out[i * out_stride + c] = curve(sum over k of row[i][k] * integer[c][k], times s[c], plus bias[c]).
    // `rows` is aligned to 8 bytes, `scratch` to 64.
    void multiply(const std::uint8_t* rows, std::size_t num_rows, float* out, std::size_t out_stride,
                  std::uint8_t* scratch) const noexcept;

    // Which sums give a negative output. Throws std::bad_alloc.
    NegativeSums negative_sums() const;

    // Only the signs of what `multiply` writes, as the rows that `next` takes, a layer of that form with as many
    // inputs; `negative` is this layer's `negative_sums`. `signs` does not overlap `rows`.
    void multiply_to_signs(const std::uint8_t* rows, std::size_t num_rows, const NegativeSums& negative,
                           const Product& next, std::uint8_t* signs, std::uint8_t* scratch) const noexcept;

    // The layer: quantizes and multiplies on up to `num_threads` threads, in buffers that each thread keeps.
    // Throws std::bad_alloc.
    void forward(const float* x, std::size_t num_rows, float* out, std::size_t num_threads) const;

   private:
    struct Shape;
    explicit Product(const ProductSource& source, const Shape& shape);
    std::size_t tile_outputs() const noexcept;
    std::size_t num_tiles() const noexcept;
    void multiply_tiles(const ProductCall& call) const noexcept;
    void multiply_all(ProductCall call) const noexcept;
    // The part of a layer that `part` names, but for its rows and scratch memory, which come from the thread's buffer.
    void forward_block(const float* x, const ProductCall& part) const;

    Memory tiles_;
    Memory numbers_;  // scale, bias and slope of each output
    Octets octets_;
    TiledWeight weight_;
    RowForm form_;
    bool is_by_lookup_;
    float activation_scale_;
    Activation activation_;
};

}  // namespace farthing
