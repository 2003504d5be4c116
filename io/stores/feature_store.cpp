// SPDX-License-Identifier: MIT
#include "io/stores/feature_store.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "io/base/error.h"
#include "io/base/host_message.h"
#include "io/hdf5/store_file.h"

namespace kdbench {
namespace {

constexpr const char* kFormat = "kdbench feature store";
// The attribute of a store whose pairs are apart; others lack it.
constexpr const char* kLayout = "layout";
constexpr const char* kApart = "apart";
constexpr const char* kText = "text";

// ---- writing

void check_slice(const FeatureSlice& s) {
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

std::vector<std::string> distinct(const std::vector<std::string>& labels) {
  const std::unordered_set<std::string> set(labels.begin(), labels.end());
  std::vector<std::string> names(set.begin(), set.end());
  std::sort(names.begin(), names.end());
  return names;
}

// All distinct labels of all ranks, sorted. Zero bytes end them on the way.
std::vector<std::string> distinct_labels(const Communicator& ranks,
                                         const std::vector<std::string>& mine) {
  std::string joined;
  for (const auto& label : distinct(mine)) joined.append(label).push_back('\0');
  std::vector<std::string> all;
  for (const auto& text : gather_all(ranks, joined)) {
    for (size_t at = 0; at < text.size(); at += all.back().size() + 1)
      all.emplace_back(text.c_str() + at);
  }
  return distinct(all);
}

// Places of `labels` in `names`.
std::vector<int32_t> label_codes(const std::vector<std::string>& labels,
                                 const std::vector<std::string>& names) {
  std::vector<int32_t> codes(labels.size());
  std::transform(labels.begin(), labels.end(), codes.begin(), [&](const std::string& label) {
    return static_cast<int32_t>(std::lower_bound(names.begin(), names.end(), label) -
                                names.begin());
  });
  return codes;
}

// `slice` stands behind those of the lower ranks.
template <typename T>
void write_concatenated(const Communicator& ranks, const hdf5::Group& group,
                        const std::string& name, const std::vector<T>& slice) {
  const auto count = static_cast<int64_t>(slice.size());
  const int64_t first = sum_before(ranks, count);
  group.create(name, hdf5::type_of<T>(), {sum(ranks, count)}).write(first, count, slice.data());
}

void write_labels(const Communicator& ranks, const hdf5::Group& group, const FeatureSlice& s) {
  const int64_t labels = sum(ranks, static_cast<int64_t>(s.labels.size()));
  if (labels == 0) return;
  agree(ranks, [&] {
    if (s.labels.size() != s.row_ids.size()) {
      throw_machine_error("feature store", "split " + s.name + ": some rows have no label");
    }
  });
  const std::vector<std::string> names = distinct_labels(ranks, s.labels);
  group.write_strings("label_names", names);
  write_concatenated(ranks, group, "labels", label_codes(s.labels, names));
}

void write_split(const Communicator& ranks, const hdf5::Group& splits, const FeatureSlice& s) {
  const hdf5::Group group = splits.create_group(s.name);
  group.set("source_sha256", s.source_sha256);
  group.set("left_out", s.left_out);
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

// In the file; labels are there as codes.
template <typename Rows>
int64_t bytes_of(const Rows& rows) {
  return 4 * static_cast<int64_t>(std::size(rows.tokens) + std::size(rows.first_segment) +
                                  std::size(rows.labels)) +
         8 * static_cast<int64_t>(std::size(rows.offsets) + std::size(rows.row_ids));
}

int64_t bytes_of_all(const std::vector<FeatureSlice>& slices) {
  int64_t bytes = 0;
  for (const auto& s : slices) bytes += bytes_of(s);
  return bytes;
}

std::string describe(const FeatureStoreInfo& info, const std::vector<FeatureSlice>& slices) {
  nlohmann::json all = {info.task,        info.tokenizer_sha256,    info.max_seq_length,
                        info.train_limit, info.second_segment_type, info.layout};
  for (const auto& s : slices) all.push_back({s.name, s.source_sha256, s.left_out});
  return all.dump();
}

// ---- reading

void read_labels(const hdf5::Group& group, const HostRanks& host, FeatureSplit& s) {
  if (!group.has("labels")) return;
  s.label_names = group.read_strings("label_names");
  s.labels = group.open("labels").read_all<int32_t>(host);
  if (s.labels.size() != s.row_ids.size())
    group.fail("labels", "has another number of rows than row_ids");
  const auto names = static_cast<int32_t>(s.label_names.size());
  if (std::any_of(s.labels.begin(), s.labels.end(),
                  [&](int32_t code) { return code < 0 || code >= names; })) {
    group.fail("labels", "names a label that is not there");
  }
}

// Without more memory where they ascend, as those of a file do.
bool each_once(const HostArray<int64_t>& ids) {
  if (std::is_sorted(ids.begin(), ids.end(), std::less_equal<>())) return true;
  return std::unordered_set<int64_t>(ids.begin(), ids.end()).size() == ids.size();
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
  if (!each_once(s.row_ids)) group.fail("row_ids", "holds a row id twice");
}

FeatureSplit read_split(const hdf5::Group& group, const std::string& name, const HostRanks& host) {
  FeatureSplit s;
  s.name = name;
  s.source_sha256 = group.text("source_sha256");
  if (group.has_attribute("left_out")) s.left_out = group.integer("left_out");  // not in old files
  s.tokens = group.open("tokens").read_all<int32_t>(host);
  s.offsets = group.open("offsets").read_all<int64_t>(host);
  s.first_segment = group.open("first_segment").read_all<int32_t>(host);
  s.row_ids = group.open("row_ids").read_all<int64_t>(host);
  check_read(group, s);
  read_labels(group, host, s);
  return s;
}

// What is read once per host.
struct ReadFeatures {
  FeatureStoreInfo info;
  std::vector<FeatureSplit> splits;
};

ReadFeatures read_store(const std::filesystem::path& path, const HostRanks& host) {
  const hdf5::File file = open_store(path, kFormat, kFeatureStoreVersion);
  const hdf5::Group root = file.root();
  ReadFeatures store;
  store.info.task = root.text("task");
  store.info.tokenizer_sha256 = root.text("tokenizer_sha256");
  store.info.max_seq_length = root.integer("max_seq_length");
  store.info.train_limit = root.integer("train_limit");
  store.info.second_segment_type = static_cast<int>(root.integer("second_segment_type"));
  if (root.has_attribute(kLayout)) {
    store.info.layout = root.text(kLayout) == kText ? RowLayout::kText : RowLayout::kApart;
  }
  const hdf5::Group splits = root.open_group("splits");
  for (const auto& name : splits.children())
    store.splits.push_back(read_split(splits.open_group(name), name, host));
  return store;
}

void travel_split(HostMessage& part, FeatureSplit& s) {
  part(s.name);
  part(s.source_sha256);
  part(s.tokens);
  part(s.offsets);
  part(s.first_segment);
  part(s.row_ids);
  part(s.label_names);
  part(s.labels);
  part(s.left_out);
}

void travel(HostMessage& part, ReadFeatures& store) {
  part(store.info.task);
  part(store.info.tokenizer_sha256);
  part(store.info.max_seq_length);
  part(store.info.train_limit);
  part(store.info.second_segment_type);
  part(store.info.layout);
  part.each(store.splits, travel_split);
}

}  // namespace

FeatureSplit::FeatureSplit(FeatureSlice all)
    : name(std::move(all.name)),
      source_sha256(std::move(all.source_sha256)),
      tokens(std::move(all.tokens)),
      offsets(std::move(all.offsets)),
      first_segment(std::move(all.first_segment)),
      row_ids(std::move(all.row_ids)),
      label_names(distinct(all.labels)),
      labels(label_codes(all.labels, label_names)),
      left_out(all.left_out) {}

int64_t stored_bytes(const FeatureSplit& split) { return bytes_of(split); }

std::shared_ptr<const FeatureSplit> FeatureStore::split(const std::string& name) const {
  const auto found = splits.find(name);
  if (found != splits.end()) return found->second;
  std::string known;
  for (const auto& [other, unused] : splits) known += (known.empty() ? "" : ", ") + other;
  throw_user_error("feature store of " + info.task, "has no split " + name, "it has " + known);
}

void write_feature_store(const std::filesystem::path& path, MPI_Comm comm,
                         const FeatureStoreInfo& info, const std::vector<FeatureSlice>& slices) {
  write_store(path, comm, kFormat, kFeatureStoreVersion, bytes_of_all(slices),
              [&](const Communicator& ranks, const hdf5::Group& root) {
                require_same(ranks, path.string(), describe(info, slices));
                agree(ranks, [&] { std::for_each(slices.begin(), slices.end(), check_slice); });
                root.set("task", info.task);
                root.set("tokenizer_sha256", info.tokenizer_sha256);
                root.set("max_seq_length", info.max_seq_length);
                root.set("train_limit", info.train_limit);
                root.set("second_segment_type", static_cast<int64_t>(info.second_segment_type));
                if (info.layout != RowLayout::kJoined)
                  root.set(kLayout, std::string(info.layout == RowLayout::kText ? kText : kApart));
                const hdf5::Group splits = root.create_group("splits");
                for (const auto& slice : slices) write_split(ranks, splits, slice);
              });
}

FeatureStore read_feature_store(const std::filesystem::path& path, const HostRanks& host) {
  auto read = host.read_once<ReadFeatures>([&] { return read_store(path, host); });
  FeatureStore store{std::move(read.info), {}};
  for (auto& split : read.splits) {
    const std::string name = split.name;
    store.splits[name] = std::make_shared<const FeatureSplit>(std::move(split));
  }
  return store;
}

}  // namespace kdbench
