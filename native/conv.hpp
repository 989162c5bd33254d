// Convolution as a product: an image is quantized once, with its border, and every output pixel is one row of the
// integers under the kernel times the weight (product.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.hpp"
#include "product.hpp"

namespace farthing {

// Where the kernel goes, along one axis of the image.
struct ConvAxis {
    std::size_t kernel;
    std::size_t stride;
    std::size_t dilation;
    std::size_t pad_before;
    std::size_t pad_after;

    // Pixels from the first to the last that the kernel covers, both included.
    std::size_t extent() const noexcept { return dilation * (kernel - 1) + 1; }

    // Output pixels of an axis of `size` pixels; 0 where the kernel does not fit.
    std::size_t num_outputs(std::size_t size) const noexcept {
        const std::size_t padded = pad_before + size + pad_after;
        return padded < extent() ? 0 : (padded - extent()) / stride + 1;
    }
};

// Float32 images [num_images, height, width, channels].
struct Images {
    std::size_t num_images;
    std::size_t height;
    std::size_t width;
};

class Conv2d {
   public:
    // `weight.codes` has num_outputs rows of [height, width, channels / groups] codes, last axis fastest. The first
    // num_outputs / groups of them read the first channels / groups channels, and so on; `weight.form` is not read. Throws std::bad_alloc.
    Conv2d(const ProductSource& weight, std::size_t groups, ConvAxis vertical, ConvAxis horizontal);

    Conv2d(const Conv2d&) = delete;
    Conv2d& operator=(const Conv2d&) = delete;

    const ConvAxis& vertical() const noexcept { return vertical_; }
    const ConvAxis& horizontal() const noexcept { return horizontal_; }
    std::size_t num_channels() const noexcept { return products_.size() * group_channels_; }
    std::size_t num_outputs() const noexcept { return products_.size() * products_.front().num_outputs(); }

    // Bytes of packed weights, scales and biases.
    std::size_t resident_bytes() const noexcept;

    // out[image, y, x, output] of x[image, y, x, channel], on up to `num_threads` threads, in buffers that each thread
    // keeps. Throws std::bad_alloc.
    void forward(const float* x, Images images, float* out, std::size_t num_threads) const;

   private:
    class Run;

    std::vector<Product> products_;  // one for each group
    ConvAxis vertical_;
    ConvAxis horizontal_;
    bool is_pointwise_;           // a row of the product is one pixel of the image
    std::size_t group_channels_;  // that one group reads
    float activation_scale_;
    Activation activation_;
};

}  // namespace farthing
