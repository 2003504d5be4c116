// SPDX-License-Identifier: MIT
#include "suite/ranks/stop_signals.h"

#include <semaphore.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>

#include "io/base/end_job.h"
#include "io/base/error.h"

namespace kdbench {
namespace {

struct Named {
  const char* name;
  int signal;
};
constexpr Named kSignals[] = {
    {"TERM", SIGTERM}, {"INT", SIGINT}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"HUP", SIGHUP}};

// Launchers send some signals twice: this soon it is the same one.
constexpr time_t kSameSignal = 2;  // seconds
// The other ranks let the first one speak.
constexpr std::chrono::milliseconds kFirstSpeaks{3000};

// A launcher that ends all ranks because one has failed, and has said why, begins with SIGTERM: by
// then it has killed them.
constexpr std::chrono::milliseconds kEndedByAnother{2000};

// What the handler may touch.
std::atomic<int> caught{0};
std::atomic<time_t> caught_at{0};
sem_t woken;  // by a signal, or at the end
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<time_t>::is_always_lock_free);

std::mutex mutex;
std::condition_variable changed;
int waiting = 0;  // StopLater objects
bool answered = false;

time_t seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

// Only calls what a handler may call.
void handle(int signal) {
  const int reason = errno;
  int none = 0;
  if (caught.compare_exchange_strong(none, signal)) {
    caught_at = seconds_now();
    sem_post(&woken);
  } else if (seconds_now() - caught_at >= kSameSignal) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  errno = reason;
}

void take(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

void for_signals(const std::vector<std::string>& names, void (*handler)(int)) {
  for (const auto& [name, signal] : kSignals) {
    if (std::find(names.begin(), names.end(), name) != names.end()) take(signal, handler);
  }
}

}  // namespace

const std::vector<std::string>& stop_signal_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& known : kSignals) all.emplace_back(known.name);
    return all;
  }();
  return names;
}

StopSignals::StopSignals(const std::vector<std::string>& names, const Control& control)
    : names_(names), rank_(control.rank()), ranks_(control.size()) {
  caught = 0;
  answered = false;
  sem_init(&woken, 0, 0);
  thread_ = std::thread([this] { watch(); });
  for_signals(names_, handle);
}

StopSignals::~StopSignals() {
  for_signals(names_, SIG_DFL);
  {
    const std::lock_guard lock(mutex);
    over_ = true;
  }
  changed.notify_all();
  sem_post(&woken);
  thread_.join();
  sem_destroy(&woken);
}

bool StopSignals::asked() { return caught != 0; }

std::string StopSignals::name() {
  const int signal = caught;
  const auto found = std::find_if(std::begin(kSignals), std::end(kSignals),
                                  [&](const Named& known) { return known.signal == signal; });
  return found == std::end(kSignals) ? "a signal" : std::string("SIG") + found->name;
}

void StopSignals::answer() {
  const std::lock_guard lock(mutex);
  answered = true;
}

std::chrono::milliseconds StopSignals::pause() const {
  if (rank_ > 0) return kFirstSpeaks;
  return ranks_ > 1 && caught == SIGTERM ? kEndedByAnother : std::chrono::milliseconds(0);
}

void StopSignals::watch() {
  while (sem_wait(&woken) != 0 && errno == EINTR) {
  }
  const auto needless = [&] { return over_ || answered; };
  std::unique_lock lock(mutex);
  for (bool more = true; more;) {
    changed.wait(lock, [&] { return needless() || waiting == 0; });
    // A training that begins meanwhile stops by itself.
    more = !needless() &&
           changed.wait_for(lock, pause(), [&] { return needless() || waiting > 0; }) &&
           !needless();
  }
  if (needless()) return;
  const std::string message =
      "stopped by " + name() + ": what is finished is kept, the same command goes on from there";
  end_job(message.c_str(), ExitCode::kStopped);
}

StopLater::StopLater() {
  const std::lock_guard lock(mutex);
  ++waiting;
}

StopLater::~StopLater() {
  {
    const std::lock_guard lock(mutex);
    --waiting;
  }
  changed.notify_all();
}

}  // namespace kdbench
