// SPDX-License-Identifier: MIT
#include "suite/machine/child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "io/base/error.h"

namespace kdbench {
namespace {

void check_spawn(int error) {
  if (error != 0) throw_machine_error("posix_spawn", std::strerror(error));
}

// What a child's first descriptors are.
class ChildFiles {
 public:
  ChildFiles(int output, int errors) {
    check_spawn(posix_spawn_file_actions_init(&actions_));
    check_spawn(
        posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
    check_spawn(posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO));
    check_spawn(posix_spawn_file_actions_adddup2(&actions_, errors, STDERR_FILENO));
  }
  ~ChildFiles() { posix_spawn_file_actions_destroy(&actions_); }
  ChildFiles(const ChildFiles&) = delete;
  ChildFiles& operator=(const ChildFiles&) = delete;

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

int run_child(std::vector<std::string> words, std::vector<std::string> variables, int output,
              int errors) {
  const ChildFiles files(output, errors);
  pid_t child = 0;
  if (const int error = posix_spawnp(&child, words.front().c_str(), files.get(), nullptr,
                                     pointers(words).data(), pointers(variables).data());
      error != 0)
    throw_machine_error(words.front(), std::string("cannot be started: ") + std::strerror(error));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw_machine_error(words.front(), std::strerror(errno));
  }
  constexpr int kBySignal = 128;
  return WIFSIGNALED(status) ? kBySignal + WTERMSIG(status) : WEXITSTATUS(status);
}

std::vector<std::string> first_environment() {
  std::ifstream file("/proc/self/environ", std::ios::binary);
  std::vector<std::string> variables;
  for (std::string entry; std::getline(file, entry, '\0');) {
    if (!entry.empty()) variables.push_back(entry);
  }
  return variables;
}

std::filesystem::path program_path() { return std::filesystem::read_symlink("/proc/self/exe"); }

}  // namespace kdbench
