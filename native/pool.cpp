#include "pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <new>
#include <thread>
#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace farthing {
namespace {

// How often a waiting thread looks before it sleeps: 20 to 100 microseconds, the time between two calls of a busy loop.
constexpr int num_looks = 2000;

void pause() noexcept {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Returns once `value` is no longer `old`: it looks for a while, then sleeps until it is notified.
void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old) noexcept {
    for (int look = 0; look < num_looks; ++look) {
        if (value.load(std::memory_order_acquire) != old) return;
        pause();
    }
    value.wait(old);
}

// The first thing that a body threw.
struct Failure {
    std::atomic<bool> is_set{false};
    std::exception_ptr error;
};

struct Job {
    void (*body)(void*, std::size_t, std::size_t) = nullptr;
    void* context = nullptr;
    std::size_t num_blocks = 0;
    Failure* failure = nullptr;
};

// One job at a time. A thread joins by taking one of the job's seats, whose number is its worker number. The caller
// writes a job before it offers the seats, withdraws those that are left when it runs out of blocks, and waits for the
// threads that joined. So nobody waits for a thread that is still asleep, and one that wakes late finds no seat, or one of
// the next job, which is as good.
class Pool {
   public:
    // Whether the calling thread now owns the pool, until it calls `leave`.
    bool enter() noexcept { return !in_use_.test_and_set(std::memory_order_acquire); }
    void leave() noexcept { in_use_.clear(std::memory_order_release); }

    void run(const Job& job, std::uint32_t num_workers) noexcept {
        grow(num_workers - 1);
        job_ = job;
        next_.store(0, std::memory_order_relaxed);
        num_left_.store(0, std::memory_order_relaxed);
        seats_.store(num_workers - 1, std::memory_order_release);
        round_.fetch_add(1);
        for (std::uint32_t worker = 1; worker < num_workers; ++worker) round_.notify_one();
        work(0);
        const std::uint32_t num_joined = num_workers - 1 - seats_.exchange(0);
        for (std::uint32_t left; (left = num_left_.load(std::memory_order_acquire)) != num_joined;) {
            wait_while(num_left_, left);
        }
    }

   private:
    void grow(std::uint32_t num_threads) noexcept {
        try {
            for (; num_threads_ < num_threads; ++num_threads_) {
                std::thread([this, seen = round_.load()] { serve(seen); }).detach();
            }
        } catch (const std::exception&) {
            // The system grants no more threads, or no memory for one: those that there are do the blocks.
        }
    }

    // What a thread does for ever.
    void serve(std::uint32_t seen) noexcept {
        for (;;) {
            wait_while(round_, seen);
            seen = round_.load(std::memory_order_acquire);
            const std::uint32_t seat = take_seat();
            if (seat == 0) continue;
            work(seat);
            num_left_.fetch_add(1);
            num_left_.notify_one();
        }
    }

    // The number of a seat that is now this thread's, or 0.
    std::uint32_t take_seat() noexcept {
        std::uint32_t seats = seats_.load(std::memory_order_acquire);
        while (seats != 0 && !seats_.compare_exchange_weak(seats, seats - 1, std::memory_order_acq_rel)) {
        }
        return seats;
    }

    void work(std::size_t worker) noexcept {
        try {
            for (std::size_t block; (block = next_.fetch_add(1, std::memory_order_relaxed)) < job_.num_blocks;) {
                job_.body(job_.context, block, worker);
            }
        } catch (...) {
            if (!job_.failure->is_set.exchange(true)) job_.failure->error = std::current_exception();
            next_.store(job_.num_blocks, std::memory_order_relaxed);
        }
    }

    Job job_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::uint32_t> seats_{0};
    std::atomic<std::uint32_t> num_left_{0};
    std::atomic<std::uint32_t> round_{0};
    std::uint32_t num_threads_ = 0;
    std::atomic_flag in_use_;
};

// Never destroyed, so that its threads may still wait in it while the process ends.
constinit Pool pool;
static_assert(std::is_trivially_destructible_v<Pool>);

// The threads did not come along into the child of a fork, and one of them or another caller may have been anywhere in the
// pool; the thread that forked was not, so nobody is in it any more.
[[maybe_unused]] const int followed = pthread_atfork(nullptr, nullptr, [] { new (&pool) Pool; });

}  // namespace

void parallel_for(std::size_t num_blocks, std::size_t num_threads,
                  void (*body)(void* context, std::size_t block, std::size_t worker), void* context) {
    const std::size_t num_workers = std::min({num_blocks, num_threads, max_threads});
    if (num_workers > 1 && pool.enter()) {
        Failure failure;
        pool.run({body, context, num_blocks, &failure}, static_cast<std::uint32_t>(num_workers));
        pool.leave();
        if (failure.error) std::rethrow_exception(failure.error);
        return;
    }
    for (std::size_t block = 0; block < num_blocks; ++block) body(context, block, 0);
}

}  // namespace farthing
