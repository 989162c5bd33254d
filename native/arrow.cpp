#include "arrow.hpp"

#include <array>
#include <utility>

namespace nb = nanobind;

namespace farthing {
namespace {

// The names and the order of members are the interface's.
struct ArrowSchema {
    const char* format;
    const char* name;
    const char* metadata;
    std::int64_t flags;
    std::int64_t n_children;
    ArrowSchema** children;
    ArrowSchema* dictionary;
    void (*release)(ArrowSchema*);
    void* private_data;
};

struct ArrowArray {
    std::int64_t length;
    std::int64_t null_count;
    std::int64_t offset;
    std::int64_t n_buffers;
    std::int64_t n_children;
    const void** buffers;
    ArrowArray** children;
    ArrowArray* dictionary;
    void (*release)(ArrowArray*);
    void* private_data;
};

// What an exported array holds.
struct Held {
    std::shared_ptr<const Strings> strings;
    std::array<const void*, 3> buffers;  // validity (none: no text is missing), offsets, bytes
};

void release_schema(ArrowSchema* schema) { schema->release = nullptr; }

void release_array(ArrowArray* array) {
    delete static_cast<Held*>(array->private_data);
    array->release = nullptr;
}

// Lets go of what nobody has taken, and of the struct, which is moved out of where somebody has.
template <typename Struct>
void drop(void* pointer) noexcept {
    auto* exported = static_cast<Struct*>(pointer);
    if (exported->release) exported->release(exported);
    delete exported;
}

template <typename Struct>
nb::capsule capsule_of(Struct&& exported, const char* name) {
    auto owned = std::make_unique<Struct>(std::move(exported));
    nb::capsule capsule(owned.get(), name, drop<Struct>);
    owned.release();
    return capsule;
}

}  // namespace

nb::tuple arrow_capsules(std::shared_ptr<const Strings> strings) {
    ArrowSchema schema{"U", "", nullptr, 0, 0, nullptr, nullptr, release_schema, nullptr};
    nb::capsule schema_capsule = capsule_of(std::move(schema), "arrow_schema");
    const auto length = static_cast<std::int64_t>(strings->size());
    auto held = std::make_unique<Held>(Held{strings, {nullptr, strings->offsets.data(), strings->bytes.data()}});
    ArrowArray array{length, 0, 0, 3, 0, held->buffers.data(), nullptr, nullptr, release_array, held.get()};
    nb::capsule array_capsule = capsule_of(std::move(array), "arrow_array");
    held.release();
    return nb::make_tuple(schema_capsule, array_capsule);
}

}  // namespace farthing
