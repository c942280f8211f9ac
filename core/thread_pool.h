// Parallel loops. Work is cut by the problem, never by the number of threads, so results do not
// depend on it.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace ratnet::inline v1 {

// What runs parallel loops. An embedder may bring its own in place of ThreadPool.
class Executor {
 public:
  using Task = void (*)(void* context, std::int64_t index, int worker);

  virtual ~Executor() = default;
  // How many workers there are; `worker` in a task is below this.
  virtual int workers() const = 0;
  // Calls task(context, i, worker) once for every i in 0..n-1 and returns when all are done. No
  // two calls run at once with the same worker. The first exception is rethrown here.
  virtual void run(std::int64_t n, Task task, void* context) = 0;
};

// Threads that sleep while idle; the calling thread is worker 0. Loops from several threads take
// turns. A loop inside a loop runs on its own thread.
class ThreadPool final : public Executor {
 public:
  // threads: how many work at once, the caller included; 0 takes one for every processor this
  // process may use.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool() override;

  int workers() const override;
  void run(std::int64_t n, Task task, void* context) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// How many processors this process may use, at least 1.
int usable_processors();

// function(index, worker) for index in 0..n-1.
template <class Function>
void parallel_for(Executor& executor, std::int64_t n, Function&& function) {
  executor.run(
      n,
      [](void* context, std::int64_t index, int worker) {
        (*static_cast<std::remove_reference_t<Function>*>(context))(index, worker);
      },
      const_cast<void*>(static_cast<const void*>(&function)));
}

}  // namespace ratnet::inline v1
