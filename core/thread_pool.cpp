#include "thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <sched.h>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "error.h"

namespace ratnet::inline v1 {
namespace {

// Subnormal floats are a hundred times slower on many processors; inside our loops they are zero.
class FlushSubnormals {
 public:
#if defined(__SSE__)
  FlushSubnormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040u); }
  ~FlushSubnormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#endif
};

// The loop this thread is inside of, if any.
thread_local const void* current_pool = nullptr;
thread_local int current_worker = 0;

}  // namespace

int usable_processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

struct ThreadPool::State {
  std::mutex turn;  // one loop at a time

  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable done;
  std::uint64_t generation = 0;
  int running = 0;
  bool stop = false;

  Task task = nullptr;
  void* context = nullptr;
  std::int64_t count = 0;
  std::atomic<std::int64_t> next{0};
  std::exception_ptr error;

  std::vector<std::thread> threads;

  void work(int worker) {
    const FlushSubnormals guard;
    const void* outer_pool = std::exchange(current_pool, this);
    const int outer_worker = std::exchange(current_worker, worker);
    for (std::int64_t i; (i = next.fetch_add(1)) < count;) {
      try {
        task(context, i, worker);
      } catch (...) {
        next = count;
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
      }
    }
    current_pool = outer_pool;
    current_worker = outer_worker;
  }

  void loop(int worker) {
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return stop || generation != seen; });
      if (stop) return;
      seen = generation;
      lock.unlock();
      work(worker);
      lock.lock();
      if (--running == 0) done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  require(threads >= 0 && threads <= 4096, "cannot work with ", threads, " threads");
  const int n = threads ? threads : usable_processors();
  for (int worker = 1; worker < n; ++worker)
    state_->threads.emplace_back([state = state_.get(), worker] { state->loop(worker); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

int ThreadPool::workers() const { return static_cast<int>(state_->threads.size()) + 1; }

void ThreadPool::run(std::int64_t n, Task task, void* context) {
  if (n <= 0) return;
  if (current_pool == state_.get()) {  // a loop inside a loop
    for (std::int64_t i = 0; i < n; ++i) task(context, i, current_worker);
    return;
  }
  State& s = *state_;
  const std::lock_guard turn(s.turn);
  const bool shared = n > 1 && !s.threads.empty();
  {
    const std::lock_guard lock(s.mutex);
    s.task = task;
    s.context = context;
    s.count = n;
    s.next = 0;
    s.error = nullptr;
    if (shared) {
      ++s.generation;
      s.running = static_cast<int>(s.threads.size());
    }
  }
  if (shared) s.wake.notify_all();
  s.work(0);
  std::unique_lock lock(s.mutex);
  if (shared) s.done.wait(lock, [&] { return s.running == 0; });
  if (s.error) std::rethrow_exception(s.error);
}

}  // namespace ratnet::inline v1
