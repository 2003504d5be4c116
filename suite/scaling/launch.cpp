// SPDX-License-Identifier: MIT
#include "suite/scaling/launch.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "io/base/error.h"

extern char** environ;

namespace kdbench {
namespace {

// Where a child's output goes.
class OutputTo {
 public:
  explicit OutputTo(const std::filesystem::path& log) {
    constexpr int kMode = 0644;
    check(posix_spawn_file_actions_init(&actions_));
    check(posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, log.c_str(),
                                           O_WRONLY | O_CREAT | O_APPEND, kMode));
    check(posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO));
    check(posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
  }
  ~OutputTo() { posix_spawn_file_actions_destroy(&actions_); }
  OutputTo(const OutputTo&) = delete;
  OutputTo& operator=(const OutputTo&) = delete;

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  static void check(int error) {
    if (error != 0) throw_machine_error("posix_spawn", std::strerror(error));
  }

  posix_spawn_file_actions_t actions_;
};

}  // namespace

std::vector<std::string> launcher_words(const std::string& launcher, int ranks) {
  const std::string number = "{ranks}";
  if (launcher.find(number) == std::string::npos) {
    throw_user_error("--launcher " + launcher, "does not say where the number of ranks stands",
                     "for instance \"mpirun -n {ranks}\"");
  }
  std::vector<std::string> words;
  std::istringstream text(launcher);
  for (std::string word; text >> word;) {
    for (size_t at = word.find(number); at != std::string::npos; at = word.find(number))
      word.replace(at, number.size(), std::to_string(ranks));
    words.push_back(word);
  }
  return words;
}

int run_program_of(const std::vector<std::string>& words, const std::filesystem::path& log) {
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const OutputTo output(log);
  pid_t child = 0;
  if (const int error =
          posix_spawnp(&child, arguments[0], output.get(), nullptr, arguments.data(), environ);
      error != 0)
    throw_machine_error(words.front(), std::string("cannot be started: ") + std::strerror(error));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw_machine_error(words.front(), std::strerror(errno));
  }
  constexpr int kBySignal = 128;
  return WIFSIGNALED(status) ? kBySignal + WTERMSIG(status) : WEXITSTATUS(status);
}

std::filesystem::path program_path() { return std::filesystem::read_symlink("/proc/self/exe"); }

}  // namespace kdbench
