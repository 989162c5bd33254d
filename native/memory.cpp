#include "memory.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

namespace farthing {
namespace {

constexpr std::size_t line_bytes = 64;
constexpr std::size_t huge_page_bytes = std::size_t{2} << 20;

constexpr std::size_t round_up(std::size_t size, std::size_t unit) noexcept { return (size + unit - 1) / unit * unit; }

}  // namespace

// From a page of 2 MB on, the block starts on one: random rows of a large table then miss the TLB far less often
// (measured: 10 instead of 23-37 ns for a random line).
Memory Memory::of_anything(std::size_t size) {
    Memory block;
    if (size == 0) return block;
    const bool is_large = size >= huge_page_bytes;
    const std::size_t unit = is_large ? huge_page_bytes : line_bytes;
    if (size > std::numeric_limits<std::size_t>::max() - unit) throw std::bad_alloc();  // rounding up would wrap around
    block.data_ = static_cast<std::uint8_t*>(std::aligned_alloc(unit, round_up(size, unit)));
    if (block.data_ == nullptr) throw std::bad_alloc();
    block.size_ = size;
#if defined(__linux__)
    // Advice: without huge pages the block works the same, slower.
    if (is_large) (void)madvise(block.data_, round_up(size, unit), MADV_HUGEPAGE);
#endif
    return block;
}

Memory::Memory(std::size_t size) : Memory(of_anything(size)) {
    if (size != 0) std::memset(data_, 0, size);
}

Memory::Memory(Memory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Memory& Memory::operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

Memory::~Memory() { std::free(data_); }

std::uint8_t* thread_buffer(std::size_t size) {
    thread_local Memory buffer;
    if (buffer.size() < size) buffer = Memory(size);
    return buffer.data();
}

}  // namespace farthing
