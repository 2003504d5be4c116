// SPDX-License-Identifier: MIT
#include "suite/scaling/launch.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "io/base/error.h"
#include "suite/machine/child_process.h"

namespace kdbench {

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
  constexpr int kMode = 0644;
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kMode);
  if (file < 0) throw_machine_error(log.string(), std::strerror(errno));
  const int code = run_child(words, first_environment(), file, file);
  ::close(file);
  return code;
}

}  // namespace kdbench
