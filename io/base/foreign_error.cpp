// SPDX-License-Identifier: MIT
#include "io/base/foreign_error.h"

#include <c10/util/Exception.h>

#include <new>

namespace kdbench {
namespace {

constexpr const char* kMemoryHint =
    "a smaller batch_size or micro_batch, a smaller model, fewer ranks on this host, or more "
    "memory";

Error out_of_memory(const std::string& where, const std::string& what) {
  return Error(ExitCode::kMachine, where, what, kMemoryHint);
}

// "... you tried to allocate 123 bytes. ..." -> 123
std::string allocated_bytes(const std::string& text) {
  const std::string before = "tried to allocate ";
  const size_t begin = text.find(before);
  if (begin == std::string::npos) return "";
  const size_t digits = begin + before.size();
  return text.substr(digits, text.find_first_not_of("0123456789", digits) - digits);
}

Error from_torch(const c10::Error& error, const std::string& where) {
  const std::string text = error.what_without_backtrace();
  const std::string bytes = allocated_bytes(text);
  if (bytes.empty()) return Error(ExitCode::kMachine, where, text);
  return out_of_memory(where, "out of memory: " + bytes + " bytes could not be had");
}

}  // namespace

Error as_error(const std::exception& error, const std::string& where) {
  if (const auto* own = dynamic_cast<const Error*>(&error)) return *own;
  if (const auto* torch = dynamic_cast<const c10::Error*>(&error)) return from_torch(*torch, where);
  if (dynamic_cast<const std::bad_alloc*>(&error)) return out_of_memory(where, "out of memory");
  return Error(ExitCode::kMachine, where, error.what());
}

std::string json_problem(const std::exception& error) {
  const std::string text = error.what();  // "[json.exception.parse_error.101] parse error at ..."
  const size_t tag = text.starts_with('[') ? text.find("] ") : std::string::npos;
  return tag == std::string::npos ? text : text.substr(tag + 2);
}

}  // namespace kdbench
