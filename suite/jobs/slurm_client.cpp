// SPDX-License-Identifier: MIT
#include "suite/jobs/slurm_client.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sstream>

#include "io/base/error.h"
#include "suite/machine/child_process.h"

namespace kdbench {
namespace {

constexpr int kNoSuchProgram = 127;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// Of this process alone; gone with it.
File scratch_file() {
  File file(std::tmpfile());
  if (!file) throw_machine_error("TMPDIR", std::string("no room there: ") + std::strerror(errno));
  return file;
}

std::string content(std::FILE* file) {
  std::rewind(file);
  std::string text;
  std::array<char, 4096> part{};
  for (size_t size = 0; (size = std::fread(part.data(), 1, part.size(), file)) > 0;)
    text.append(part.data(), size);
  return text;
}

std::string trimmed(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  return text;
}

std::string last_line(const std::string& text) {
  const std::string all = trimmed(text);
  return all.substr(all.rfind('\n') + 1);
}

}  // namespace

bool TaskState::live() const {
  static constexpr std::array ended{"COMPLETED", "CANCELLED", "FAILED",    "TIMEOUT",
                                    "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "OUT_OF_MEMORY",
                                    "DEADLINE",  "REVOKED"};
  return std::none_of(ended.begin(), ended.end(),
                      [&](const char* word) { return state.rfind(word, 0) == 0; });
}

std::map<std::string, TaskState> parse_states(const std::string& lines) {
  std::map<std::string, TaskState> states;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) {
    const size_t first = line.find('|');
    const size_t second = line.find('|', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string task = line.substr(0, first);
    if (task.find('_') == std::string::npos || task.find('.') != std::string::npos) continue;
    std::string reason = line.substr(second + 1);
    if (reason == "None") reason.clear();
    states[task] = {line.substr(first + 1, second - first - 1), reason};
  }
  return states;
}

SlurmClient::Answer SlurmClient::call(const std::vector<std::string>& command) const {
  std::vector<std::string> words{"bash", "-c", "cd -- \"$1\" && . ./site.sh >&2 && shift && \"$@\"",
                                 "kdbench slurm", folder_.string()};
  words.insert(words.end(), command.begin(), command.end());
  const File output = scratch_file(), errors = scratch_file();
  const int code =
      run_child(words, first_environment(), ::fileno(output.get()), ::fileno(errors.get()));
  return {code, content(output.get()), content(errors.get())};
}

std::string SlurmClient::submit(const std::string& script, const std::string& array,
                                const std::string& dependency) const {
  std::vector<std::string> command{"sbatch", "--parsable", "--array=" + array};
  if (!dependency.empty()) {
    command.push_back("--dependency=" + dependency);
    command.emplace_back("--kill-on-invalid-dep=yes");
  }
  command.push_back(script);
  const Answer answer = call(command);
  const std::string id = last_line(answer.output);
  if (answer.code != 0 || id.empty()) {
    throw_machine_error(
        (folder_ / script).string(), "was not submitted: " + last_line(answer.errors),
        answer.code == kNoSuchProgram ? "is Slurm on PATH here?"
                                      : "what the site wants stands in site.sh beside it");
  }
  return id.substr(0, id.find(';'));  // "12;cluster"
}

std::map<std::string, TaskState> SlurmClient::states(const std::vector<std::string>& arrays) const {
  if (arrays.empty()) return {};
  const std::string list = fmt::format("{}", fmt::join(arrays, ","));
  const Answer queue = call({"squeue", "--noheader", "--array", "--states=all", "--jobs=" + list,
                             "--format=%F_%K|%T|%r"});
  if (queue.code == kNoSuchProgram)
    throw_machine_error("squeue", "is not there", "is Slurm on PATH here?");
  auto states = parse_states(queue.output);
  // It does not know those that ended a while ago; of one job that it does not know it fails.
  const Answer accounts = call({"sacct", "--noheader", "--parsable2", "--allocations", "--array",
                                "--jobs=" + list, "--format=JobID,State,Reason"});
  if (accounts.code == 0) states.merge(parse_states(accounts.output));
  const bool unknown = queue.errors.find("Invalid job id") != std::string::npos;
  if (queue.code != 0 && accounts.code != 0 && !unknown)
    throw_machine_error("squeue", last_line(queue.errors), "what is queued is not known");
  return states;
}

void SlurmClient::cancel(const std::vector<std::string>& tasks) const {
  if (tasks.empty()) return;
  std::vector<std::string> command{"scancel"};
  command.insert(command.end(), tasks.begin(), tasks.end());
  const Answer answer = call(command);
  if (answer.code != 0) throw_machine_error("scancel", last_line(answer.errors));
}

std::string SlurmClient::site_value(const std::string& variable) const {
  const Answer answer = call({"eval", "printf %s \"${" + variable + ":-}\""});
  if (answer.code != 0) {
    throw_user_error((folder_ / "site.sh").string(),
                     "cannot be sourced: " + last_line(answer.errors));
  }
  return answer.output;
}

}  // namespace kdbench
