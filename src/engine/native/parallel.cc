#include "parallel.h"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace harness {
namespace {

struct Job {
  const std::function<void(int64_t)>& work;
  int64_t count;
  std::atomic<int64_t> next{0};
  int helpers = 0;  // guarded by Pool::mutex

  void run() {
    for (int64_t item; (item = next.fetch_add(1)) < count;) work(item);
  }
};

class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 1; i < threads; i++) std::thread([this] { help(); }).detach();
    helpers_ = threads - 1;
  }

  void run(int64_t count, const std::function<void(int64_t)>& work) {
    // One job at a time: an operation that comes meanwhile, from another thread of TensorFlow's, works alone.
    std::unique_lock<std::mutex> mine(entry_, std::try_to_lock);
    if (helpers_ == 0 || count == 1 || !mine) {
      for (int64_t item = 0; item < count; item++) work(item);
      return;
    }
    Job job{work, count};
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = &job;
      generation_++;
    }
    wake_.notify_all();
    job.run();
    std::unique_lock<std::mutex> lock(mutex_);
    job_ = nullptr;
    done_.wait(lock, [&] { return job.helpers == 0; });
  }

 private:
  void help() {
    uint64_t seen = 0;
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      wake_.wait(lock, [&] { return job_ != nullptr && generation_ != seen; });
      seen = generation_;
      Job* job = job_;
      job->helpers++;
      lock.unlock();
      job->run();
      lock.lock();
      if (--job->helpers == 0) done_.notify_one();
    }
  }

  int helpers_;
  std::mutex entry_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  Job* job_ = nullptr;
  uint64_t generation_ = 0;
};

int countThreads() {
  const char* wanted = std::getenv("TF_NUM_INTRAOP_THREADS");
  const int threads = wanted == nullptr ? 0 : std::atoi(wanted);
  return threads > 0 ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

void parallelFor(int64_t count, const std::function<void(int64_t)>& work) {
  // Never destroyed: its threads wait in it until the process is gone.
  static Pool* const pool = new Pool(countThreads());
  pool->run(count, work);
}

}  // namespace harness
