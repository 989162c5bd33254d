#include "product.hpp"

#include <algorithm>
#include <cstring>

#include "dispatch.hpp"
#include "layout.hpp"
#include "pool.hpp"

namespace farthing {
namespace {

// From this many outputs on, the lookup is faster although it computes whole tiles of 64 (estimated).
constexpr std::size_t min_lookup_outputs = 20;

// Below this many products a second thread costs more than it saves: some ten microseconds of work.
constexpr std::size_t min_thread_products = std::size_t{1} << 20;

// Threads that get fewer rows share out the outputs instead, since an unpacked weight is used for all rows at once.
constexpr std::size_t min_thread_rows = 32;

constexpr std::size_t round_up(std::size_t size, std::size_t unit) noexcept { return (size + unit - 1) / unit * unit; }

// Value of one step of an integer (docs/format.md, "Values").
float unit(std::size_t bits) noexcept { return bits == 2 ? 0.5f : 1.0f; }

std::uint8_t code_at(const std::uint8_t* row, std::size_t index, std::size_t bits) noexcept {
    const unsigned mask = (1u << bits) - 1;
    return static_cast<std::uint8_t>(row[index * bits / 8] >> (index * bits % 8) & mask);
}

}  // namespace

// How a weight is cut into tiles.
struct Product::Shape {
    bool is_by_lookup;
    std::size_t tile_outputs;
    std::size_t num_tiles;
    std::size_t row_bytes;
    std::size_t tile_bytes;

    explicit Shape(const ProductSource& source) noexcept
        : is_by_lookup(source.form == RowForm::signs && source.num_outputs >= min_lookup_outputs),
          tile_outputs(is_by_lookup ? sign_tile_outputs : integer_tile_outputs),
          num_tiles((source.num_outputs + tile_outputs - 1) / tile_outputs),
          row_bytes(source.form == RowForm::signs ? round_up(source.num_inputs, 64) / 8
                                                  : round_up(source.num_inputs, source.bits == 1 ? 32 : 16)),
          tile_bytes(tile_outputs * (source.form == RowForm::signs ? row_bytes : row_bytes * source.bits / 8)) {}

    // Where byte `index` of the code row of `output` goes, for rows of signs.
    std::size_t place_of_signs(std::size_t output, std::size_t index) const noexcept {
        const std::size_t tile = output / tile_outputs, lane = output % tile_outputs;
        return tile * tile_bytes + (is_by_lookup ? index * tile_outputs + lane : lane * row_bytes + index);
    }

    // Where the code of `output` and `input` goes, for rows of integers: the byte, and its lowest bit there.
    struct Place {
        std::size_t byte, shift;
    };
    Place place_of_code(std::size_t output, std::size_t input, std::size_t bits) const noexcept {
        const std::size_t tile = output / tile_outputs, lane = output % tile_outputs;
        const std::size_t block_inputs = 32 / bits, block = input / block_inputs, in_block = input % block_inputs;
        return {tile * tile_bytes + block * block_bytes + lane * 4 + in_block % 4, in_block / 4 * bits};
    }
};

Product::Product(const ProductSource& source) : Product(source, Shape(source)) {}

Product::Product(const ProductSource& source, const Shape& shape)
    : tiles_(shape.num_tiles * shape.tile_bytes),
      numbers_(3 * shape.num_tiles * shape.tile_outputs * sizeof(float)),
      form_(source.form),
      is_by_lookup_(shape.is_by_lookup),
      activation_scale_(source.activation_scale),
      activation_(source.activation) {
    const std::size_t stride = farthing::row_bytes(source.num_inputs, source.bits);
    for (std::size_t output = 0; output < source.num_outputs; ++output) {
        const std::uint8_t* row = source.codes + output * stride;
        if (form_ == RowForm::signs) {
            for (std::size_t i = 0; i < stride; ++i) tiles_.data()[shape.place_of_signs(output, i)] = row[i];
            continue;
        }
        for (std::size_t input = 0; input < source.num_inputs; ++input) {
            const auto [byte, shift] = shape.place_of_code(output, input, source.bits);
            tiles_.data()[byte] |= static_cast<std::uint8_t>(code_at(row, input, source.bits) << shift);
        }
    }

    const std::size_t num_padded = shape.num_tiles * shape.tile_outputs;
    float* scale = reinterpret_cast<float*>(numbers_.data());
    float *bias = scale + num_padded, *slope = bias + num_padded;
    // The units are powers of two, so that their products round nothing.
    const float step = source.activation_scale * (unit(source.bits) * unit(static_cast<std::size_t>(source.activation)));
    for (std::size_t output = 0; output < source.num_outputs; ++output) {
        scale[output] = source.scale[source.num_scales == 1 ? 0 : output] * step;
        // -0 is what added changes nothing: y + 0 would turn -0 into 0.
        bias[output] = source.bias != nullptr ? source.bias[output] : -0.0f;
        slope[output] = source.slope != nullptr ? source.slope[output] : 0.0f;
    }
    weight_ = {.tiles = tiles_.data(),
               .tile_bytes = shape.tile_bytes,
               .row_bytes = shape.row_bytes,
               .num_inputs = source.num_inputs,
               .num_outputs = source.num_outputs,
               .bits = source.bits,
               .scale = scale,
               .bias = bias,
               .slope = slope,
               .curve = source.curve,
               .octets = nullptr,
               .num_narrow = nullptr};
    if (form_ == RowForm::integers && source.bits == 8) {
        octets_ = sort_octets(weight_);
        weight_.octets = octets_.first_inputs.data();
        weight_.num_narrow = octets_.num_narrow.data();
    }
}

std::size_t Product::resident_bytes() const noexcept {
    const std::size_t num_sorted = octets_.first_inputs.size() + octets_.num_narrow.size();
    return tiles_.size() + numbers_.size() + num_sorted * sizeof(std::uint16_t);
}

std::size_t Product::tile_outputs() const noexcept { return is_by_lookup_ ? sign_tile_outputs : integer_tile_outputs; }

std::size_t Product::num_tiles() const noexcept { return (weight_.num_outputs + tile_outputs() - 1) / tile_outputs(); }

std::size_t Product::scratch_bytes() const noexcept {
    // An unpacked tile, and which tables each pair of rows chooses: lookup.inl.hpp.
    if (form_ == RowForm::signs) return is_by_lookup_ ? (sign_tile_outputs + max_call_rows) * 2 * weight_.row_bytes : 0;
    // Row sums and unpacked tiles, two of them or two planes of one: linear.inl.hpp.
    return max_call_rows * sizeof(std::int32_t) + 2 * integer_tile_outputs * weight_.row_bytes;
}

void Product::quantize(const float* x, std::size_t num_rows, std::size_t x_stride, std::uint8_t* rows) const noexcept {
    const std::size_t num_inputs = weight_.num_inputs;
    for (std::size_t row = 0; row < num_rows; ++row, x += x_stride, rows += weight_.row_bytes) {
        std::size_t num_written = num_inputs;
        if (form_ == RowForm::signs) {
            kernels().pack_signs(x, num_inputs, rows);
            num_written = farthing::row_bytes(num_inputs, 1);
        } else {
            kernels().quantize(x, num_inputs, activation_scale_, activation_, reinterpret_cast<std::int8_t*>(rows));
        }
        std::memset(rows + num_written, 0, weight_.row_bytes - num_written);
    }
}

void Product::multiply_tiles(const ProductCall& call) const noexcept {
    if (form_ == RowForm::integers) {
        kernels().multiply_integers(weight_, call);
    } else if (is_by_lookup_) {
        kernels().multiply_signs_by_lookup(weight_, call);
    } else {
        kernels().multiply_signs_by_popcount(weight_, call);
    }
}

// All tiles of any number of rows.
void Product::multiply_all(ProductCall call) const noexcept {
    call.first_tile = 0;
    call.last_tile = num_tiles();
    for (std::size_t left = call.num_rows; left > 0; left -= call.num_rows) {
        call.num_rows = std::min(max_call_rows, left);
        multiply_tiles(call);
        call.rows += call.num_rows * weight_.row_bytes;
        call.out += call.num_rows * call.out_stride;
        call.signs.rows += call.num_rows * call.signs.row_bytes;
    }
}

void Product::multiply(const std::uint8_t* rows, std::size_t num_rows, float* out, std::size_t out_stride,
                       std::uint8_t* scratch) const noexcept {
    multiply_all({.rows = rows,
                  .num_rows = num_rows,
                  .first_tile = 0,
                  .last_tile = 0,
                  .out = out,
                  .out_stride = out_stride,
                  .signs = {},
                  .scratch = scratch});
}

NegativeSums Product::negative_sums() const {
    const std::size_t largest = form_ == RowForm::signs ? weight_.num_inputs : weight_.num_inputs * 128 * 128;
    return farthing::negative_sums(weight_, num_tiles() * tile_outputs(), static_cast<std::int32_t>(largest));
}

void Product::multiply_to_signs(const std::uint8_t* rows, std::size_t num_rows, const NegativeSums& negative,
                                const Product& next, std::uint8_t* signs, std::uint8_t* scratch) const noexcept {
    std::fill_n(signs, num_rows * next.row_bytes(), std::uint8_t{0});
    multiply_all({.rows = rows,
                  .num_rows = num_rows,
                  .first_tile = 0,
                  .last_tile = 0,
                  .out = nullptr,
                  .out_stride = 0,
                  .signs = {signs, next.row_bytes(), negative.first.data(), negative.last.data()},
                  .scratch = scratch});
}

void Product::forward_block(const float* x, const ProductCall& part) const {
    const std::size_t rows_size = round_up(part.num_rows * weight_.row_bytes, 64);
    std::uint8_t* buffer = thread_buffer(rows_size + scratch_bytes());
    ProductCall call = part;
    call.rows = buffer;
    call.scratch = buffer + rows_size;
    quantize(x, call.num_rows, weight_.num_inputs, buffer);
    multiply_tiles(call);
}

void Product::forward(const float* x, std::size_t num_rows, float* out, std::size_t num_threads) const {
    if (num_rows == 0 || num_outputs() == 0) return;
    const std::size_t num_products = num_rows * weight_.num_inputs * weight_.num_outputs;
    const std::size_t threads = std::clamp<std::size_t>(num_products / min_thread_products, 1, std::max<std::size_t>(num_threads, 1));
    struct Work {
        const Product* product;
        const float* x;
        float* out;
        std::size_t num_rows, rows_per_block, tiles_per_block, num_tile_blocks;
    };
    // Threads share out the rows, or where these are few the tiles.
    const bool by_rows = num_rows >= threads * min_thread_rows;
    Work work{this, x, out, num_rows, 0, 0, 0};
    work.rows_per_block = std::min(max_call_rows, by_rows ? (num_rows + threads - 1) / threads : num_rows);
    work.num_tile_blocks = by_rows ? 1 : std::min(threads, num_tiles());
    work.tiles_per_block = (num_tiles() + work.num_tile_blocks - 1) / work.num_tile_blocks;
    const std::size_t num_row_blocks = (num_rows + work.rows_per_block - 1) / work.rows_per_block;
    parallel_for(
        num_row_blocks * work.num_tile_blocks, threads,
        [](void* context, std::size_t block, std::size_t) {
            const Work& w = *static_cast<const Work*>(context);
            const Product& product = *w.product;
            const std::size_t row = block / w.num_tile_blocks * w.rows_per_block;
            const std::size_t tile = block % w.num_tile_blocks * w.tiles_per_block;
            product.forward_block(w.x + row * product.num_inputs(),
                                  {.rows = nullptr,
                                   .num_rows = std::min(w.rows_per_block, w.num_rows - row),
                                   .first_tile = tile,
                                   .last_tile = std::min(tile + w.tiles_per_block, product.num_tiles()),
                                   .out = w.out + row * product.num_outputs(),
                                   .out_stride = product.num_outputs(),
                                   .signs = {},
                                   .scratch = nullptr});
        },
        &work);
}

}  // namespace farthing
