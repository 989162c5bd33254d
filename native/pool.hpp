// Threads that wait for blocks of work.
#pragma once

#include <cstddef>

namespace farthing {

// More workers than any machine has cores for are a mistake of the caller's, and threads stay for ever.
inline constexpr std::size_t max_threads = 256;

// Calls body(context, block, worker) once for every block in [0, num_blocks), on up to `num_threads` threads, of which the
// calling one is worker 0; returns when all are done. Two blocks with the same `worker` never run at the same time, so a
// worker's scratch memory is its own. Which worker takes a block is open.
//
// What a body throws is thrown here, once no body runs any more; blocks that had not begun by then are left out.
//
// One call at a time has the pool: while another thread is in here, and inside a body, a call does all of its blocks alone,
// as worker 0. Threads are started when first needed and stay; where the system grants fewer, fewer work. After a fork the
// child starts its own.
void parallel_for(std::size_t num_blocks, std::size_t num_threads,
                  void (*body)(void* context, std::size_t block, std::size_t worker), void* context);

}  // namespace farthing
