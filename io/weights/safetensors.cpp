// SPDX-License-Identifier: MIT
// The whole header is checked against the size of the file before any tensor is made.
#include "io/weights/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "io/base/error.h"
#include "io/base/foreign_error.h"
#include "io/base/partial_file.h"
#include "io/base/stand_in.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

using nlohmann::json;

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeader = 100'000'000;
constexpr size_t kMaxDimensions = 64;
constexpr int kMaxDepth = 3;

struct NamedType {
  const char* name;
  at::ScalarType type;
};
constexpr std::array<NamedType, 10> kTypes{{{"F64", at::kDouble},
                                            {"F32", at::kFloat},
                                            {"F16", at::kHalf},
                                            {"BF16", at::kBFloat16},
                                            {"I64", at::kLong},
                                            {"I32", at::kInt},
                                            {"I16", at::kShort},
                                            {"I8", at::kChar},
                                            {"U8", at::kByte},
                                            {"BOOL", at::kBool}}};

using Entry = SafetensorsEntry;

// ---- header

// Refuses keys that occur twice (JSON readers keep one of them silently) and deep nesting.
class StrictKeys {
 public:
  explicit StrictKeys(std::string where) : where_(std::move(where)) {}

  bool operator()(int depth, json::parse_event_t event, json& value) {
    if (depth > kMaxDepth) throw_user_error(where_, "the header is nested too deeply");
    if (event == json::parse_event_t::object_start) open_.emplace_back();
    if (event == json::parse_event_t::object_end) open_.pop_back();
    if (event == json::parse_event_t::key &&
        !open_.back().insert(value.get<std::string>()).second) {
      throw_user_error(where_,
                       "the header names " + printable(value.get<std::string>()) + " twice");
    }
    return true;
  }

 private:
  std::string where_;
  std::vector<std::set<std::string>> open_;
};

json parse_header(const std::string& where, const std::string& text) {
  try {
    const json header = json::parse(text, StrictKeys(where));
    if (header.is_object()) return header;
  } catch (const json::exception& error) {
    throw_user_error(where, "the header is no JSON: " + json_problem(error));
  }
  throw_user_error(where, "the header is no JSON object");
}

at::ScalarType parse_type(const std::string& where, const json& entry) {
  const auto found = entry.find("dtype");
  if (found == entry.end() || !found->is_string()) throw_user_error(where, "has no dtype");
  for (const auto& [name, type] : kTypes) {
    if (*found == name) return type;
  }
  throw_user_error(where, "dtype " + printable(found->get<std::string>()) + " is not supported",
                   "F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL");
}

std::vector<uint64_t> parse_numbers(const std::string& where, const json& entry, const char* key) {
  const auto found = entry.find(key);
  if (found == entry.end() || !found->is_array())
    throw_user_error(where, std::string("has no list ") + key);
  std::vector<uint64_t> numbers;
  for (const auto& number : *found) {
    if (!number.is_number_unsigned())
      throw_user_error(where, std::string(key) + " holds something else than sizes");
    numbers.push_back(number.get<uint64_t>());
  }
  return numbers;
}

// Bytes of an array. A dimension of 0 does not excuse the others from fitting into an int64.
uint64_t checked_bytes(const std::string& where, const std::vector<uint64_t>& shape,
                       at::ScalarType type) {
  if (shape.size() > kMaxDimensions) throw_user_error(where, "has too many dimensions");
  int64_t bytes = static_cast<int64_t>(c10::elementSize(type));
  bool empty = false;
  for (const uint64_t size : shape) {
    empty = empty || size == 0;
    if (size > static_cast<uint64_t>(INT64_MAX) ||
        __builtin_mul_overflow(bytes, static_cast<int64_t>(std::max<uint64_t>(size, 1)), &bytes)) {
      throw_user_error(where, "its shape is too large");
    }
  }
  return empty ? 0 : static_cast<uint64_t>(bytes);
}

Entry parse_entry(const std::string& file, const std::string& name, const json& entry,
                  uint64_t data_bytes) {
  const std::string where = file + ":" + printable(name);
  if (!entry.is_object()) throw_user_error(where, "the header has no object for this tensor");
  Entry result;
  result.name = name;
  result.type = parse_type(where, entry);
  const std::vector<uint64_t> shape = parse_numbers(where, entry, "shape");
  const uint64_t bytes = checked_bytes(where, shape, result.type);
  const std::vector<uint64_t> offsets = parse_numbers(where, entry, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_bytes) {
    throw_user_error(
        where,
        "data_offsets lie outside the file's " + std::to_string(data_bytes) + " bytes of data",
        "is the file cut?");
  }
  if (offsets[1] - offsets[0] != bytes) {
    throw_user_error(where, "data_offsets span " + std::to_string(offsets[1] - offsets[0]) +
                                " bytes, the shape needs " + std::to_string(bytes));
  }
  result.shape.assign(shape.begin(), shape.end());
  result.begin = offsets[0];
  result.end = offsets[1];
  return result;
}

// The format knows neither holes nor shared bytes: sorted by place, tensors follow one another up
// to the end.
void check_cover(const std::string& file, std::vector<Entry>& entries, uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  uint64_t at = 0;
  for (const auto& entry : entries) {
    if (entry.begin < at)
      throw_user_error(file + ":" + printable(entry.name), "shares bytes with another tensor");
    if (entry.begin > at)
      throw_user_error(file + ":" + printable(entry.name), "bytes before it belong to no tensor");
    at = entry.end;
  }
  if (at != data_bytes)
    throw_user_error(file,
                     std::to_string(data_bytes - at) + " bytes at its end belong to no tensor");
}

std::map<std::string, std::string> parse_metadata(const std::string& file, const json& header) {
  const auto found = header.find("__metadata__");
  if (found == header.end()) return {};
  const bool strings =
      found->is_object() && std::all_of(found->begin(), found->end(),
                                        [](const json& value) { return value.is_string(); });
  if (!strings) throw_user_error(file, "__metadata__ must map strings to strings");
  return found->get<std::map<std::string, std::string>>();
}

const char* type_name(const std::string& where, at::ScalarType type) {
  for (const auto& known : kTypes) {
    if (known.type == type) return known.name;
  }
  throw_machine_error(where,
                      std::string("type ") + c10::toString(type) + " has no place in safetensors");
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : path_(path.string()), stream_(path, std::ios::binary) {
  std::error_code problem;
  size_ = std::filesystem::file_size(path, problem);
  if (!stream_ || problem) throw_user_error(path_, "cannot be read");
  if (size_ == 0) throw_user_error(path_, "is empty", "a download that broke off?");
  refuse_stand_in(path);
  const std::string text = read_header();
  const json header = parse_header(path_, text);
  data_begin_ = kLengthBytes + text.size();
  const uint64_t data_bytes = size_ - data_begin_;
  std::vector<Entry> entries;
  for (const auto& [name, entry] : header.items()) {
    if (name != "__metadata__") entries.push_back(parse_entry(path_, name, entry, data_bytes));
  }
  check_cover(path_, entries, data_bytes);
  metadata_ = parse_metadata(path_, header);
  for (auto& entry : entries) tensors_.emplace(entry.name, entry);
}

std::string SafetensorsFile::read_header() {
  if (size_ < kLengthBytes) throw_user_error(path_, "is no safetensors file: shorter than 8 bytes");
  uint64_t length = 0;
  read_bytes(0, &length, kLengthBytes);  // little-endian, as every machine this runs on
  if (length > kMaxHeader)
    throw_user_error(path_, "is no safetensors file: a header of more than 100 MB");
  if (length > size_ - kLengthBytes) {
    throw_user_error(path_, "the header is longer than the file", "is the file cut?");
  }
  std::string header(length, '\0');
  read_bytes(kLengthBytes, header.data(), length);
  return header;
}

void SafetensorsFile::read_bytes(uint64_t offset, void* data, uint64_t bytes) const {
  stream_.seekg(static_cast<std::streamoff>(offset));
  if (!stream_.read(static_cast<char*>(data), static_cast<std::streamsize>(bytes))) {
    throw_machine_error(path_, "cannot be read");
  }
}

const SafetensorsEntry* SafetensorsFile::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

at::Tensor SafetensorsFile::read(const SafetensorsEntry& tensor) const {
  // Any byte may stand in a file; only 0 and 1 make a bool.
  const bool is_bool = tensor.type == at::kBool;
  const at::Tensor values = at::empty(tensor.shape, at::dtype(is_bool ? at::kByte : tensor.type));
  read(tensor, 0, values);
  return is_bool ? values.ne(0) : values;
}

void SafetensorsFile::read(const SafetensorsEntry& tensor, int64_t first,
                           const at::Tensor& values) const {
  if (values.numel() == 0) return;
  const auto element = static_cast<uint64_t>(values.element_size());
  read_bytes(data_begin_ + tensor.begin + static_cast<uint64_t>(first) * element, values.data_ptr(),
             values.nbytes());
}

TensorMap read_safetensors(const std::filesystem::path& path,
                           std::map<std::string, std::string>* metadata) {
  const SafetensorsFile file(path);
  if (metadata) *metadata = file.metadata();
  TensorMap tensors;
  for (const auto& [name, entry] : file.tensors()) tensors[name] = file.read(entry);
  return tensors;
}

void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                       const std::map<std::string, std::string>& metadata) {
  // Wide elements first, then by name: every tensor stands aligned.
  std::vector<std::pair<std::string, at::Tensor>> ordered;
  for (const auto& [name, tensor] : tensors)
    ordered.emplace_back(name, tensor.detach().cpu().contiguous());
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });
  json header = json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  int64_t offset = 0;
  for (const auto& [name, tensor] : ordered) {
    const int64_t end = offset + static_cast<int64_t>(tensor.nbytes());
    header[name] = {{"dtype", type_name(path.string() + ":" + name, tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  PartialFile file(path);
  file.write(&length, sizeof(length));
  file.write(text.data(), text.size());
  for (const auto& [name, tensor] : ordered) file.write(tensor.const_data_ptr(), tensor.nbytes());
  file.commit();
}

}  // namespace kdbench
