// SPDX-License-Identifier: MIT
#include "io/stores/feature_store.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "io/base/error.h"
#include "io/hdf5/store_file.h"

namespace kdbench {
namespace {

constexpr const char* kFormat = "kdbench feature store";

// ---- writing

void check_slice(const FeatureSplit& s) {
  const auto rows = static_cast<size_t>(s.rows());
  if (s.offsets.size() != rows + 1 || s.offsets.front() != 0 ||
      s.offsets.back() != static_cast<int64_t>(s.tokens.size()) || s.first_segment.size() != rows) {
    throw_machine_error("feature store", "split " + s.name + ": fields of different lengths");
  }
  for (const auto& label : s.labels) {
    if (label.find('\0') != std::string::npos) {
      throw_user_error("split " + s.name, "a label holds a zero byte");
    }
  }
}

// All distinct labels of all ranks, sorted. Zero bytes end them on the way.
std::vector<std::string> distinct_labels(const Ranks& ranks, const std::vector<std::string>& mine) {
  const auto joined = [](const std::unordered_set<std::string>& labels) {
    std::string text;
    for (const auto& label : labels) text.append(label).push_back('\0');
    return text;
  };
  std::vector<std::string> all;
  for (const auto& text : gather_all(ranks, joined({mine.begin(), mine.end()}))) {
    for (size_t at = 0; at < text.size(); at += all.back().size() + 1)
      all.emplace_back(text.c_str() + at);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// `slice` stands behind those of the lower ranks.
template <typename T>
void write_concatenated(const Ranks& ranks, const hdf5::Group& group, const std::string& name,
                        const std::vector<T>& slice) {
  const auto count = static_cast<int64_t>(slice.size());
  const int64_t first = sum_before(ranks, count);
  group.create(name, hdf5::type_of<T>(), {sum(ranks, count)}).write(first, count, slice.data());
}

void write_labels(const Ranks& ranks, const hdf5::Group& group, const FeatureSplit& s) {
  const int64_t labels = sum(ranks, static_cast<int64_t>(s.labels.size()));
  if (labels == 0) return;
  agree(ranks, [&] {
    if (s.labels.size() != s.row_ids.size()) {
      throw_machine_error("feature store", "split " + s.name + ": some rows have no label");
    }
  });
  const std::vector<std::string> names = distinct_labels(ranks, s.labels);
  std::vector<int32_t> codes(s.labels.size());
  std::transform(s.labels.begin(), s.labels.end(), codes.begin(), [&](const std::string& label) {
    return static_cast<int32_t>(std::lower_bound(names.begin(), names.end(), label) -
                                names.begin());
  });
  group.write_strings("label_names", names);
  write_concatenated(ranks, group, "labels", codes);
}

void write_split(const Ranks& ranks, const hdf5::Group& splits, const FeatureSplit& s) {
  const hdf5::Group group = splits.create_group(s.name);
  group.set("source_sha256", s.source_sha256);
  write_concatenated(ranks, group, "tokens", s.tokens);
  write_concatenated(ranks, group, "first_segment", s.first_segment);
  write_concatenated(ranks, group, "row_ids", s.row_ids);
  // Ends of rows in the whole split; the leading 0 is rank 0's.
  std::vector<int64_t> offsets(s.offsets.begin() + (ranks.rank == 0 ? 0 : 1), s.offsets.end());
  const int64_t base = sum_before(ranks, static_cast<int64_t>(s.tokens.size()));
  for (auto& offset : offsets) offset += base;
  write_concatenated(ranks, group, "offsets", offsets);
  write_labels(ranks, group, s);
}

int64_t bytes_of(const std::vector<FeatureSplit>& slices) {
  int64_t bytes = 0;
  for (const auto& s : slices) bytes += stored_bytes(s);
  return bytes;
}

std::string describe(const FeatureStoreInfo& info, const std::vector<FeatureSplit>& slices) {
  nlohmann::json all = {info.task, info.tokenizer_sha256, info.max_seq_length, info.train_limit,
                        info.second_segment_type};
  for (const auto& s : slices) all.push_back({s.name, s.source_sha256});
  return all.dump();
}

// ---- reading

std::vector<std::string> read_labels(const hdf5::Group& group, int64_t rows) {
  if (!group.has("labels")) return {};
  const std::vector<std::string> names = group.read_strings("label_names");
  const auto codes = group.open("labels").read_all<int32_t>();
  if (static_cast<int64_t>(codes.size()) != rows)
    group.fail("labels", "has another number of rows than row_ids");
  std::vector<std::string> labels;
  labels.reserve(codes.size());
  for (const int32_t code : codes) {
    if (code < 0 || code >= static_cast<int64_t>(names.size()))
      group.fail("labels", "names a label that is not there");
    labels.push_back(names[code]);
  }
  return labels;
}

void check_read(const hdf5::Group& group, const FeatureSplit& s) {
  const auto rows = static_cast<size_t>(s.rows());
  if (s.offsets.size() != rows + 1)
    group.fail("offsets", "has another number of rows than row_ids");
  if (s.first_segment.size() != rows)
    group.fail("first_segment", "has another number of rows than row_ids");
  if (s.offsets.front() != 0 || !std::is_sorted(s.offsets.begin(), s.offsets.end()) ||
      s.offsets.back() != static_cast<int64_t>(s.tokens.size())) {
    group.fail("offsets", "does not divide the tokens into rows");
  }
  for (size_t i = 0; i < rows; ++i) {
    if (s.first_segment[i] < 0 || s.first_segment[i] > s.offsets[i + 1] - s.offsets[i]) {
      group.fail("first_segment", "is longer than its row");
    }
  }
  const std::unordered_set<int64_t> ids(s.row_ids.begin(), s.row_ids.end());
  if (ids.size() != rows) group.fail("row_ids", "holds a row id twice");
}

std::shared_ptr<const FeatureSplit> read_split(const hdf5::Group& group, const std::string& name) {
  auto s = std::make_shared<FeatureSplit>();
  s->name = name;
  s->source_sha256 = group.text("source_sha256");
  s->tokens = group.open("tokens").read_all<int32_t>();
  s->offsets = group.open("offsets").read_all<int64_t>();
  s->first_segment = group.open("first_segment").read_all<int32_t>();
  s->row_ids = group.open("row_ids").read_all<int64_t>();
  check_read(group, *s);
  s->labels = read_labels(group, s->rows());
  return s;
}

}  // namespace

int64_t stored_bytes(const FeatureSplit& split) {
  const auto numbers = static_cast<int64_t>(split.tokens.size() + split.first_segment.size() +
                                            split.labels.size());  // labels as codes
  return 4 * numbers + 8 * static_cast<int64_t>(split.offsets.size() + split.row_ids.size());
}

std::shared_ptr<const FeatureSplit> FeatureStore::split(const std::string& name) const {
  const auto found = splits.find(name);
  if (found != splits.end()) return found->second;
  std::string known;
  for (const auto& [other, unused] : splits) known += (known.empty() ? "" : ", ") + other;
  throw_user_error("feature store of " + info.task, "has no split " + name, "it has " + known);
}

void write_feature_store(const std::filesystem::path& path, MPI_Comm comm,
                         const FeatureStoreInfo& info, const std::vector<FeatureSplit>& slices) {
  write_store(path, comm, kFormat, kFeatureStoreVersion, bytes_of(slices),
              [&](const Ranks& ranks, const hdf5::Group& root) {
                require_same(ranks, path.string(), describe(info, slices));
                agree(ranks, [&] { std::for_each(slices.begin(), slices.end(), check_slice); });
                root.set("task", info.task);
                root.set("tokenizer_sha256", info.tokenizer_sha256);
                root.set("max_seq_length", info.max_seq_length);
                root.set("train_limit", info.train_limit);
                root.set("second_segment_type", static_cast<int64_t>(info.second_segment_type));
                const hdf5::Group splits = root.create_group("splits");
                for (const auto& slice : slices) write_split(ranks, splits, slice);
              });
}

FeatureStore read_feature_store(const std::filesystem::path& path) {
  const hdf5::File file = open_store(path, kFormat, kFeatureStoreVersion);
  const hdf5::Group root = file.root();
  FeatureStore store;
  store.info.task = root.text("task");
  store.info.tokenizer_sha256 = root.text("tokenizer_sha256");
  store.info.max_seq_length = root.integer("max_seq_length");
  store.info.train_limit = root.integer("train_limit");
  store.info.second_segment_type = static_cast<int>(root.integer("second_segment_type"));
  const hdf5::Group splits = root.open_group("splits");
  for (const auto& name : splits.children())
    store.splits[name] = read_split(splits.open_group(name), name);
  return store;
}

}  // namespace kdbench
