// The arrays of a call: numpy's, or tensors of torch without a call of Python for each.
//
// A tensor's type offers DLPack's C exchange API (dlpack.h 1.3, DLPackExchangeAPI): a table of functions, of which one
// describes a tensor in place and one makes a tensor of memory. What has no such table comes through nanobind.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace farthing {

struct ExchangeApi;

// The table of an object's type, or null. A subclass of a tensor has none: it may stand for something else than numbers.
const ExchangeApi* exchange_api(nanobind::handle object) noexcept;

// Describes a tensor in memory of the CPU. False, without an error, for one that its memory alone does not describe.
bool describe(const ExchangeApi& api, nanobind::handle tensor, nanobind::dlpack::dltensor& description) noexcept;

// Whether a view's numbers stand for their negatives. DLPack has no word for it, and torch exports it all the same.
bool is_negated(nanobind::handle tensor) noexcept;

// Whether elements lie one behind the other, the last axis the fastest.
bool is_contiguous(const nanobind::dlpack::dltensor& array) noexcept;

// C-contiguous numbers in memory of the CPU, valid during the call that they are an argument of: the caller holds what
// they belong to. As in torch itself, no other thread may meanwhile give a tensor other memory. `num_dims` -1: any.
template <typename T, int num_dims = -1>
class Values {
   public:
    // What nanobind makes of an array that is no tensor.
    using Imported = std::conditional_t<
        num_dims == -1, nanobind::ndarray<T, nanobind::c_contig, nanobind::device::cpu>,
        nanobind::ndarray<T, nanobind::ndim<num_dims == -1 ? 0 : num_dims>, nanobind::c_contig, nanobind::device::cpu>>;

    Values() = default;
    explicit Values(Imported array)
        : imported_(std::move(array)),
          shape_(imported_.shape_ptr()),
          num_axes_(imported_.ndim()),
          size_(imported_.size()),
          data_(imported_.data()) {}
    Values(const ExchangeApi& api, const nanobind::dlpack::dltensor& tensor) noexcept
        : api_(&api), shape_(tensor.shape), num_axes_(static_cast<std::size_t>(tensor.ndim)), size_(1) {
        for (std::size_t axis = 0; axis < num_axes_; ++axis) size_ *= shape(axis);
        data_ = reinterpret_cast<T*>(static_cast<char*>(tensor.data) + tensor.byte_offset);
    }

    // False where the tensor has another type, another number of axes, or gaps.
    bool take(const ExchangeApi& api, nanobind::handle tensor) noexcept {
        nanobind::dlpack::dltensor found;
        if (!describe(api, tensor, found) || found.dtype != nanobind::dtype<std::remove_const_t<T>>()) return false;
        if ((num_dims != -1 && found.ndim != num_dims) || !is_contiguous(found)) return false;
        if (std::is_floating_point_v<T> && is_negated(tensor)) return false;
        *this = Values(api, found);
        // A tensor of torch may stand for zeros that are nowhere in memory.
        return data_ != nullptr || size_ == 0;
    }

    T* data() const noexcept { return data_; }
    std::size_t ndim() const noexcept { return num_axes_; }
    std::size_t shape(std::size_t axis) const noexcept { return static_cast<std::size_t>(shape_[axis]); }
    std::size_t size() const noexcept { return size_; }
    std::size_t nbytes() const noexcept { return size_ * sizeof(T); }

    // Of a tensor; null for an array.
    const ExchangeApi* api() const noexcept { return api_; }

   private:
    Imported imported_;
    const ExchangeApi* api_ = nullptr;
    const std::int64_t* shape_ = nullptr;
    std::size_t num_axes_ = 0, size_ = 0;
    T* data_ = nullptr;
};

// A new float32 tensor; throws std::bad_alloc, or what torch raises. Its memory holds anything.
nanobind::object new_tensor(const ExchangeApi& api, const std::vector<std::int64_t>& shape);

// A new tensor as what a call writes, where the caller gave no `out`; `tensor` becomes the call's result.
template <int num_dims = -1, typename Like>
Values<float, num_dims> new_values(const Like& like, const std::vector<std::int64_t>& shape, nanobind::object& tensor) {
    if (like.api() == nullptr) throw nanobind::value_error("out must be given where the input is no tensor");
    tensor = new_tensor(*like.api(), shape);
    nanobind::dlpack::dltensor made;
    if (!describe(*like.api(), tensor, made)) throw nanobind::type_error("torch made no tensor in memory of the CPU");
    return Values<float, num_dims>(*like.api(), made);
}

// Other threads of Python run while a call works, if it works for long: taking turns costs as much as a short call.
class Unlocked {
   public:
    explicit Unlocked(bool is_long) {
        if (is_long) released_.emplace();
    }

   private:
    std::optional<nanobind::gil_scoped_release> released_;
};

}  // namespace farthing

namespace nanobind::detail {

template <typename T, int num_dims>
struct type_caster<farthing::Values<T, num_dims>> {
    using Values = farthing::Values<T, num_dims>;
    using Imported = make_caster<typename Values::Imported>;
    NB_TYPE_CASTER(Values, Imported::Name)

    bool from_python(handle source, uint32_t flags, cleanup_list* cleanup) noexcept {
        if (const farthing::ExchangeApi* api = farthing::exchange_api(source)) return value.take(*api, source);
        Imported imported;
        if (!imported.from_python(source, flags, cleanup)) return false;
        value = Value(std::move(imported.value));
        return true;
    }
};

}  // namespace nanobind::detail
