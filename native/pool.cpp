#include "pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace farthing {
namespace {

// How often a waiting thread looks before it sleeps: some 20 microseconds, the time between two calls of a busy loop.
constexpr int num_looks = 2000;

void pause() noexcept {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

struct Job {
    void (*body)(void*, std::size_t, std::size_t) = nullptr;
    void* context = nullptr;
    std::size_t num_blocks = 0;
    std::size_t num_workers = 0;
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> num_busy{0};
};

class Pool {
   public:
    void run(std::size_t num_blocks, std::size_t num_workers, void (*body)(void*, std::size_t, std::size_t),
             void* context) {
        grow(num_workers - 1);
        job_.body = body;
        job_.context = context;
        job_.num_blocks = num_blocks;
        job_.num_workers = num_workers;
        job_.next.store(0, std::memory_order_relaxed);
        job_.num_busy.store(num_threads_, std::memory_order_relaxed);
        {
            const std::lock_guard lock(mutex_);
            round_.fetch_add(1, std::memory_order_release);
        }
        wake_.notify_all();
        work(0);
        while (job_.num_busy.load(std::memory_order_acquire) != 0) pause();
    }

    std::mutex in_use;

   private:
    void grow(std::size_t num_threads) {
        for (; num_threads_ < num_threads; ++num_threads_) {
            const std::size_t worker = num_threads_ + 1;
            std::thread([this, worker, seen = round_.load()] { serve(worker, seen); }).detach();
        }
    }

    // What a thread does for ever: the next job, if it is among those asked to help.
    void serve(std::size_t worker, std::uint64_t seen) {
        for (;;) {
            seen = next_round(seen);
            if (worker < job_.num_workers) work(worker);
            job_.num_busy.fetch_sub(1, std::memory_order_release);
        }
    }

    std::uint64_t next_round(std::uint64_t seen) {
        for (int look = 0; look < num_looks; ++look) {
            if (round_.load(std::memory_order_acquire) != seen) return seen + 1;
            pause();
        }
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return round_.load(std::memory_order_acquire) != seen; });
        return seen + 1;
    }

    void work(std::size_t worker) {
        for (std::size_t block; (block = job_.next.fetch_add(1, std::memory_order_relaxed)) < job_.num_blocks;) {
            job_.body(job_.context, block, worker);
        }
    }

    Job job_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::atomic<std::uint64_t> round_{0};
    std::size_t num_threads_ = 0;
};

// Never destroyed: its threads may still wait in it while the process ends.
Pool* the_pool = nullptr;

Pool& pool() {
    static std::once_flag once;
    std::call_once(once, [] {
        the_pool = new Pool;
        // The threads did not come along into a child; their pool is left as it is, and the child gets another.
        pthread_atfork(nullptr, nullptr, [] { the_pool = new Pool; });
    });
    return *the_pool;
}

}  // namespace

void parallel_for(std::size_t num_blocks, std::size_t num_threads,
                  void (*body)(void* context, std::size_t block, std::size_t worker), void* context) {
    const std::size_t num_workers = std::min(num_blocks, num_threads);
    if (num_workers > 1) {
        Pool& shared = pool();
        if (const std::unique_lock lock(shared.in_use, std::try_to_lock); lock.owns_lock()) {
            shared.run(num_blocks, num_workers, body, context);
            return;
        }
    }
    for (std::size_t block = 0; block < num_blocks; ++block) body(context, block, 0);
}

}  // namespace farthing
