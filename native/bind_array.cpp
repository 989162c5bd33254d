#include "bind_array.hpp"

#include <memory>

#include "memory.hpp"

namespace nb = nanobind;

namespace farthing {
namespace {

constexpr std::uint32_t dlpack_major = 1;

// DLManagedTensorVersioned of dlpack.h: a description with an owner.
struct ManagedTensor {
    std::uint32_t major, minor;
    void* owner;
    void (*free)(ManagedTensor*);
    std::uint64_t flags;
    nb::dlpack::dltensor description;
};

// The memory of a new tensor, and how it is described.
struct Block {
    Memory memory;
    std::vector<std::int64_t> shape, strides;
    ManagedTensor managed;
};

std::size_t num_bytes(const std::vector<std::int64_t>& shape) {
    std::size_t size = sizeof(float);
    for (const std::int64_t length : shape) {
        if (__builtin_mul_overflow(size, static_cast<std::size_t>(length), &size)) throw std::bad_alloc();
    }
    return size;
}

std::vector<std::int64_t> strides_of(const std::vector<std::int64_t>& shape) {
    std::vector<std::int64_t> strides(shape.size(), 1);
    for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
    return strides;
}

// Interned once: names of what is looked up in every call.
PyObject* interned(const char* name) {
    PyObject* const text = PyUnicode_InternFromString(name);
    if (text == nullptr) throw nb::python_error();
    return text;
}

}  // namespace

// DLPackExchangeAPI of dlpack.h, with what is not called here as void pointers.
struct ExchangeApi {
    std::uint32_t major, minor;
    const ExchangeApi* previous;
    void *allocate, *manage;
    int (*to_python)(ManagedTensor*, void**);
    int (*describe)(void*, nb::dlpack::dltensor*);
    void* current_stream;
};

const ExchangeApi* exchange_api(nb::handle object) noexcept {
    static PyObject* const name = interned("__dlpack_c_exchange_api__");
    // The last type that had a table; it stays alive, so that no other type takes its address.
    static PyTypeObject* known = nullptr;
    static const ExchangeApi* known_api = nullptr;
    PyTypeObject* const type = Py_TYPE(object.ptr());
    if (type == known) return known_api;
    PyObject* const capsule = type->tp_dict == nullptr ? nullptr : PyDict_GetItemWithError(type->tp_dict, name);
    if (capsule == nullptr || !PyCapsule_IsValid(capsule, "dlpack_exchange_api")) {
        PyErr_Clear();
        return nullptr;
    }
    const auto* api = static_cast<const ExchangeApi*>(PyCapsule_GetPointer(capsule, "dlpack_exchange_api"));
    if (api->major != dlpack_major || api->describe == nullptr || api->to_python == nullptr) return nullptr;
    Py_XDECREF(std::exchange(known, reinterpret_cast<PyTypeObject*>(Py_NewRef(type))));
    known_api = api;
    return api;
}

bool describe(const ExchangeApi& api, nb::handle tensor, nb::dlpack::dltensor& description) noexcept {
    if (api.describe(tensor.ptr(), &description) != 0) {
        PyErr_Clear();
        return false;
    }
    return description.device.device_type == nb::device::cpu::value;
}

bool is_negated(nb::handle tensor) noexcept {
    static PyObject* const name = interned("is_neg");
    const nb::object answer = nb::steal(PyObject_CallMethodNoArgs(tensor.ptr(), name));
    if (!answer.is_valid()) PyErr_Clear();
    return answer.ptr() != Py_False;
}

bool is_contiguous(const nb::dlpack::dltensor& array) noexcept {
    std::int64_t expected = 1;
    bool is_empty = false, has_gaps = false;
    for (std::int32_t axis = array.ndim; axis-- > 0;) {
        is_empty = is_empty || array.shape[axis] == 0;
        has_gaps = has_gaps || (array.shape[axis] != 1 && array.strides != nullptr && array.strides[axis] != expected);
        expected *= array.shape[axis];
    }
    return is_empty || !has_gaps;
}

nb::object new_tensor(const ExchangeApi& api, const std::vector<std::int64_t>& shape) {
    auto block = std::make_unique<Block>(Memory::of_anything(num_bytes(shape)), shape, strides_of(shape), ManagedTensor{});
    block->managed = {.major = dlpack_major,
                      .minor = 0,
                      .owner = block.get(),
                      .free = [](ManagedTensor* tensor) { delete static_cast<Block*>(tensor->owner); },
                      .flags = 0,
                      .description = {.data = block->memory.data(),
                                      .device = {nb::device::cpu::value, 0},
                                      .ndim = static_cast<std::int32_t>(shape.size()),
                                      .dtype = nb::dtype<float>(),
                                      .shape = block->shape.data(),
                                      .strides = block->strides.data(),
                                      .byte_offset = 0}};
    void* tensor = nullptr;
    // The block is torch's from here on, even where it fails: to free it here too could free it twice.
    if (api.to_python(&block.release()->managed, &tensor) != 0) throw nb::python_error();
    return nb::steal(static_cast<PyObject*>(tensor));
}

}  // namespace farthing
