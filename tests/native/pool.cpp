// The pool of threads, compiled with one sanitizer after the other (`make sanitize`): every block is done exactly once and
// no worker runs twice at a time, whoever calls, whatever a body throws, and after a fork.
#include "pool.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "memory.hpp"

namespace {

void check(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "pool: not so: %s\n", what);
    std::abort();
}

// Plain integers: a sanitizer sees it if two threads meet in one without the pool ordering them.
struct Counts {
    std::vector<int> by_block;
    std::vector<int> by_worker;
    bool throws = false;
};

void count(void* context, std::size_t block, std::size_t worker) {
    Counts& counts = *static_cast<Counts*>(context);
    ++counts.by_block[block];
    ++counts.by_worker[worker];
    if (block % 4 == 0) std::this_thread::yield();  // or the caller has done it all before another thread is awake
    if (counts.throws && block == counts.by_block.size() / 2) throw std::runtime_error("on purpose");
}

void check_counts(std::size_t num_blocks, std::size_t num_threads) {
    Counts counts{std::vector<int>(num_blocks), std::vector<int>(num_threads + 1), false};
    farthing::parallel_for(num_blocks, num_threads, count, &counts);
    for (const int times : counts.by_block) check(times == 1, "every block is done once");
    const int sum = std::accumulate(counts.by_worker.begin(), counts.by_worker.end(), 0);
    check(sum == static_cast<int>(num_blocks), "workers are numbered from 0 to below the number of threads");
}

void check_throw(std::size_t num_threads) {
    Counts counts{std::vector<int>(64), std::vector<int>(num_threads + 1), true};
    bool thrown = false;
    try {
        farthing::parallel_for(64, num_threads, count, &counts);
    } catch (const std::runtime_error&) {
        thrown = true;
    }
    check(thrown, "what a body throws arrives at the caller");
    for (const int times : counts.by_block) check(times <= 1, "no block is done twice where one throws");
}

void check_sizes() {
    for (std::size_t num_threads = 0; num_threads < 6; ++num_threads) {
        for (const std::size_t num_blocks : {0, 1, 2, 3, 7, 64, 501}) check_counts(num_blocks, num_threads);
        check_throw(num_threads);
    }
}

void check_callers() {
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 4; ++caller) {
        callers.emplace_back([] {
            for (int call = 0; call < 40; ++call) check_sizes();
        });
    }
    for (std::thread& caller : callers) caller.join();
}

void nest(void* context, std::size_t, std::size_t) {
    check_counts(9, 3);
    static_cast<std::atomic<int>*>(context)->fetch_add(1);
}

void check_nesting() {
    std::atomic<int> num_done{0};
    farthing::parallel_for(20, 3, nest, &num_done);
    check(num_done == 20, "a body may call again");
}

#if !defined(__SANITIZE_THREAD__)  // it knows no threads in a child
void check_fork() {
    std::atomic<bool> stop{false};
    std::thread other([&] {
        while (!stop) check_counts(64, 4);
    });
    for (int child = 0; child < 20; ++child) {
        const pid_t pid = fork();
        if (pid == 0) {
            check_counts(501, 4);
            _exit(0);
        }
        int status = 1;
        check(waitpid(pid, &status, 0) == pid && status == 0, "a child has its own threads");
    }
    stop = true;
    other.join();
}
#endif

void check_memory() {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65}, (std::size_t{2} << 20) + 1}) {
        farthing::Memory memory(size), moved(std::move(memory));
        check(moved.size() == size && memory.size() == 0, "a moved block has a new owner");
        check(reinterpret_cast<std::uintptr_t>(moved.data()) % 64 == 0, "a block starts a cache line");
        for (std::size_t i = 0; i < size; ++i) check(moved.data()[i] == 0, "a block is zero");
    }
    bool refused = false;
    try {
        const farthing::Memory memory(~std::size_t{0});
    } catch (const std::bad_alloc&) {
        refused = true;
    }
    check(refused, "a size that wraps around is refused");
}

}  // namespace

int main() {
    check_sizes();
    check_nesting();
    check_callers();
#if !defined(__SANITIZE_THREAD__)
    check_fork();
#endif
    check_memory();
}
