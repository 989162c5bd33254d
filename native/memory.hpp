// Memory for packed weights: aligned to cache lines, in huge pages where it is large, freed with its owner.
#pragma once

#include <cstddef>
#include <cstdint>

namespace farthing {

// A block of zeros, moved but not copied.
class Memory {
   public:
    Memory() noexcept = default;

    // Throws std::bad_alloc.
    explicit Memory(std::size_t size);

    // A block that holds anything, for what is written before it is read. Throws std::bad_alloc.
    static Memory of_anything(std::size_t size);

    Memory(Memory&& other) noexcept;
    Memory& operator=(Memory&& other) noexcept;
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    ~Memory();

    // Aligned to 64 bytes.
    std::uint8_t* data() noexcept { return data_; }
    const std::uint8_t* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }

   private:
    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

// Memory of the calling thread, at least `size` bytes aligned to 64, for work that ends before the thread asks again.
// It stays with the thread. Throws std::bad_alloc.
std::uint8_t* thread_buffer(std::size_t size);

}  // namespace farthing
