// SPDX-License-Identifier: MIT
#include "suite/ranks/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "io/base/error.h"

namespace kdbench {
namespace {

constexpr const char* kWithTime = "%Y-%m-%d %H:%M:%S %v";
constexpr const char* kEraseLine = "\r\x1b[K";

size_t terminal_width() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

spdlog::sink_ptr file_sink(const std::filesystem::path& file) {
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_st>(file.string());
  } catch (const spdlog::spdlog_ex& error) {
    throw_user_error("--log " + file.string(), error.what(), "choose another file");
  }
}

}  // namespace

Log::Log(bool quiet, const std::filesystem::path& file)
    : lines_(std::make_shared<spdlog::logger>("kdbench")) {
  // A full disk or a closed stderr is no reason to stop.
  lines_->set_error_handler([](const std::string&) {});
  lines_->flush_on(spdlog::level::info);
  if (!quiet) {
    terminal_ = isatty(STDERR_FILENO) == 1;
    lines_->sinks().push_back(std::make_shared<spdlog::sinks::stderr_sink_st>());
    lines_->sinks().back()->set_pattern(terminal_ ? "%v" : kWithTime);
  }
  if (file.empty()) return;
  lines_->sinks().push_back(file_sink(file));
  lines_->sinks().back()->set_pattern(kWithTime);
}

Log::~Log() {
  if (open_) std::fputs("\n", stderr);
}

void Log::line(const std::string& text) {
  if (open_) std::fputs(kEraseLine, stderr);
  open_ = false;
  lines_->info("{}", text);
}

void Log::rewrite(const std::string& text) {
  if (!terminal_) return;
  const std::string shown = kEraseLine + text.substr(0, terminal_width() - 1);
  std::fputs(shown.c_str(), stderr);
  std::fflush(stderr);
  open_ = true;
}

}  // namespace kdbench
