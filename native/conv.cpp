#include "conv.hpp"

#include <algorithm>

#include "dispatch.hpp"
#include "im2col.hpp"
#include "layout.hpp"
#include "pool.hpp"

namespace farthing {
namespace {

// The integers of a strip of an image, and the rows of one product: both stay in the second-level cache. Fewer rows would
// not be worth the unpacking of a wide weight (measured: 1.6 times slower at 64 KiB for 512 channels).
constexpr std::size_t max_strip_bytes = std::size_t{256} << 10;
constexpr std::size_t max_rows_bytes = std::size_t{256} << 10;
constexpr std::size_t strips_per_thread = 4;  // so that no thread waits long for the last one

constexpr std::size_t divide_up(std::size_t a, std::size_t b) noexcept { return (a + b - 1) / b; }
constexpr std::size_t whole_lines(std::size_t size) noexcept { return divide_up(size, 64) * 64; }

// The share of one group in a weight.
ProductSource group_source(ProductSource source, std::size_t groups, std::size_t group) {
    source.num_outputs /= groups;
    const std::size_t first = group * source.num_outputs;
    source.codes += first * row_bytes(source.num_inputs, source.bits);
    if (source.num_scales > 1) {
        source.num_scales = source.num_outputs;
        source.scale += first;
    }
    if (source.bias != nullptr) source.bias += first;
    if (source.slope != nullptr) source.slope += first;
    return source;
}

// Whether the kernel covers one pixel, which is in the image.
bool is_point(const ConvAxis& axis) noexcept {
    return axis.kernel == 1 && axis.pad_before == 0 && axis.pad_after == 0;
}

}  // namespace

// One call of `forward`. Each image is cut into strips of some rows of output pixels; pixels of a strip are counted along
// its rows.
class Conv2d::Run {
   public:
    Run(const Conv2d& conv, const float* x, Images images, float* out, std::size_t num_threads);

    std::size_t num_strips() const noexcept { return images_.num_images * strips_per_image_; }

    // Throws std::bad_alloc.
    void run_strip(std::size_t index) const;

   private:
    struct Strip {
        const float* image;
        std::size_t first_row;
        std::size_t num_pixels;
    };

    std::size_t line_bytes() const noexcept {
        return (horizontal_.pad_before + images_.width + horizontal_.pad_after) * num_channels_;
    }
    // Bytes of the padded lines that `num_rows` rows of output pixels read.
    std::size_t strip_bytes(std::size_t num_rows) const noexcept {
        return ((num_rows - 1) * vertical_.stride + vertical_.extent()) * line_bytes();
    }
    std::size_t choose_strip_rows(std::size_t num_threads) const noexcept;
    void quantize_strip(const Strip& strip, std::int8_t* integers) const noexcept;
    void fill_rows(const Strip& strip, const std::int8_t* integers, std::size_t group, std::size_t pixel,
                   std::size_t num_rows, std::uint8_t* rows) const noexcept;

    const Conv2d& conv_;
    const ConvAxis vertical_, horizontal_;
    const std::size_t num_channels_;
    const float* x_;
    float* out_;
    Images images_;
    std::size_t height_, width_;  // of the output
    std::size_t strip_rows_ = 0, strips_per_image_ = 0;
    std::size_t product_rows_ = 0;
    Window window_;
};

Conv2d::Run::Run(const Conv2d& conv, const float* x, Images images, float* out, std::size_t num_threads)
    : conv_(conv),
      vertical_(conv.vertical_),
      horizontal_(conv.horizontal_),
      num_channels_(conv.num_channels()),
      x_(x),
      out_(out),
      images_(images),
      height_(vertical_.num_outputs(images.height)),
      width_(horizontal_.num_outputs(images.width)),
      window_{.num_lines = vertical_.kernel,
              .line_step = vertical_.dilation * line_bytes(),
              .num_runs = horizontal_.kernel,
              .run_step = horizontal_.dilation * num_channels_,
              .run_bytes = conv.group_channels_} {
    if (images.num_images * height_ * width_ == 0) return;
    strip_rows_ = choose_strip_rows(num_threads);
    strips_per_image_ = divide_up(height_, strip_rows_);
    const std::size_t row_bytes = conv.products_.front().row_bytes();
    product_rows_ = std::clamp<std::size_t>(max_rows_bytes / row_bytes, 1, max_call_rows);
    product_rows_ = std::min(product_rows_, strip_rows_ * width_);
    if (window_.run_step == window_.run_bytes) {  // neighbouring pixels are one run
        window_.run_bytes *= window_.num_runs;
        window_.num_runs = 1;
    }
}

std::size_t Conv2d::Run::choose_strip_rows(std::size_t num_threads) const noexcept {
    const std::size_t step_bytes = vertical_.stride * line_bytes(), first_bytes = strip_bytes(1);
    const std::size_t in_cache = first_bytes >= max_strip_bytes ? 1 : 1 + (max_strip_bytes - first_bytes) / step_bytes;
    const std::size_t shared = num_threads <= 1 ? height_
                                                : divide_up(images_.num_images * height_, strips_per_thread * num_threads);
    return std::min({in_cache, shared, height_});
}

void Conv2d::Run::run_strip(std::size_t index) const {
    const std::size_t image = index / strips_per_image_, first_row = index % strips_per_image_ * strip_rows_;
    const std::size_t num_rows = std::min(strip_rows_, height_ - first_row);
    const Strip strip{x_ + image * images_.height * images_.width * num_channels_, first_row, num_rows * width_};
    float* out = out_ + (image * height_ + first_row) * width_ * conv_.num_outputs();

    const Product& first = conv_.products_.front();
    const std::size_t rows_size = whole_lines(product_rows_ * first.row_bytes() + im2col_slack);
    const std::size_t scratch_size = whole_lines(first.scratch_bytes());
    const std::size_t strip_size = conv_.is_pointwise_ ? 0 : strip_bytes(strip_rows_) + im2col_slack;
    std::uint8_t* scratch = thread_buffer(rows_size + scratch_size + strip_size);
    std::uint8_t* rows = scratch + scratch_size;
    std::int8_t* integers = reinterpret_cast<std::int8_t*>(rows + rows_size);

    if (!conv_.is_pointwise_) quantize_strip(strip, integers);
    for (std::size_t pixel = 0; pixel < strip.num_pixels; pixel += product_rows_) {
        const std::size_t count = std::min(product_rows_, strip.num_pixels - pixel);
        for (std::size_t group = 0; group < conv_.products_.size(); ++group) {
            const Product& product = conv_.products_[group];
            fill_rows(strip, integers, group, pixel, count, rows);
            product.multiply(rows, count, out + pixel * conv_.num_outputs() + group * product.num_outputs(),
                             conv_.num_outputs(), scratch);
        }
    }
}

// The lines of the image that the strip reads, with the border; what lies outside of the image is 0.
void Conv2d::Run::quantize_strip(const Strip& strip, std::int8_t* integers) const noexcept {
    const std::size_t num_inside = images_.width * num_channels_, before = horizontal_.pad_before * num_channels_;
    const std::size_t num_lines = strip_bytes(strip.num_pixels / width_) / line_bytes();
    for (std::size_t i = 0; i < num_lines; ++i, integers += line_bytes()) {
        const std::size_t padded_y = strip.first_row * vertical_.stride + i;
        const bool is_inside = padded_y >= vertical_.pad_before && padded_y - vertical_.pad_before < images_.height;
        if (!is_inside) {
            std::fill_n(integers, line_bytes(), std::int8_t{0});
            continue;
        }
        std::fill_n(integers, before, std::int8_t{0});
        kernels().quantize(strip.image + (padded_y - vertical_.pad_before) * num_inside, num_inside,
                           conv_.activation_scale_, conv_.activation_, integers + before);
        std::fill_n(integers + before + num_inside, horizontal_.pad_after * num_channels_, std::int8_t{0});
    }
}

// Rows of the product for output pixels [pixel, pixel + num_rows) of the strip.
void Conv2d::Run::fill_rows(const Strip& strip, const std::int8_t* integers, std::size_t group, std::size_t pixel,
                            std::size_t num_rows, std::uint8_t* rows) const noexcept {
    const Product& product = conv_.products_[group];
    const std::size_t step = horizontal_.stride * num_channels_, first_channel = group * conv_.group_channels_;
    while (num_rows > 0) {
        const std::size_t y = pixel / width_, x = pixel % width_, count = std::min(num_rows, width_ - x);
        if (conv_.is_pointwise_) {
            const std::size_t line = (strip.first_row + y) * vertical_.stride;
            product.quantize(strip.image + line * images_.width * num_channels_ + x * step + first_channel, count, step,
                             rows);
        } else {
            im2col(integers + y * vertical_.stride * line_bytes() + x * step + first_channel, step, window_, rows, count,
                   product.row_bytes());
        }
        pixel += count;
        num_rows -= count;
        rows += count * product.row_bytes();
    }
}

Conv2d::Conv2d(const ProductSource& weight, std::size_t groups, ConvAxis vertical, ConvAxis horizontal)
    : vertical_(vertical),
      horizontal_(horizontal),
      is_pointwise_(is_point(vertical) && is_point(horizontal)),
      group_channels_(weight.num_inputs / (vertical.kernel * horizontal.kernel)),
      activation_scale_(weight.activation_scale),
      activation_(weight.activation) {
    products_.reserve(groups);
    for (std::size_t group = 0; group < groups; ++group) {
        ProductSource source = group_source(weight, groups, group);
        const bool has_signs = source.bits == 1 && source.activation == Activation::bits1;
        // A border is zeros, for which there is no sign.
        source.form = has_signs && is_pointwise_ ? RowForm::signs : RowForm::integers;
        products_.emplace_back(source);
    }
}

std::size_t Conv2d::resident_bytes() const noexcept {
    std::size_t total = 0;
    for (const Product& product : products_) total += product.resident_bytes();
    return total;
}

void Conv2d::forward(const float* x, Images images, float* out, std::size_t num_threads) const {
    num_threads = std::min(num_threads, max_threads);
    const Run run(*this, x, images, out, num_threads);
    parallel_for(
        run.num_strips(), num_threads,
        [](void* context, std::size_t strip, std::size_t) { static_cast<const Run*>(context)->run_strip(strip); },
        const_cast<Run*>(&run));
}

}  // namespace farthing
