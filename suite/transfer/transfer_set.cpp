// SPDX-License-Identifier: MIT
#include "suite/transfer/transfer_set.h"

#include "suite/transfer/first_seen.h"
#include "suite/transfer/shared_file.h"

namespace kdbench {
namespace {

// The texts that this rank makes of a window, in the order (row, iteration).
class WindowTexts {
 public:
  void clear() {
    bytes_.clear();
    ends_.clear();
    hashes_.clear();
    variations_.clear();
  }
  // `key`: what must not be there twice.
  void add(std::string_view text, std::string_view key, Variation variation) {
    bytes_.append(text);
    ends_.push_back(bytes_.size());
    hashes_.push_back(hash_of(key));
    variations_.push_back(variation);
  }

  size_t size() const { return ends_.size(); }
  std::string_view text(size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }
  Variation variation(size_t i) const { return variations_[i]; }
  const std::vector<TextHash128>& hashes() const { return hashes_; }

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
  std::vector<TextHash128> hashes_;
  std::vector<Variation> variations_;
};

// All that is made once for a set.
class Making {
 public:
  Making(const SourceRows& source, const TransferOptions& options, const FileLayout& layout,
         const Control& control)
      : source_(source),
        options_(options),
        layout_(layout),
        control_(control),
        variations_(options.rules, source.dictionary),
        seen_(control) {}

  TransferCounts run(const std::filesystem::path& path) {
    SharedFile file(path, control_);
    file.append(control_.root() ? set_header(layout_) + "\n" : "");
    remember_originals();
    size_t row = 0;
    for (int64_t window = 0; window < source_.deal.windows(); ++window) {
      control_.agree([&] { make_window(rows_of(window), row); });
      file.append(new_lines());
    }
    file.commit();
    return summed();
  }

 private:
  size_t rows_of(int64_t window) const {
    const int rank = control_.rank();
    return static_cast<size_t>(source_.deal.end(window, rank) - source_.deal.begin(window, rank));
  }

  std::string key(size_t row) const {
    const std::string a = text_of(source_.a.row(row), source_.dictionary);
    return source_.pair ? a + "\t" + text_of(source_.b.row(row), source_.dictionary) : a;
  }

  // Before anything is made; the first of equal rows is the one that may stand in the set.
  void remember_originals() {
    size_t row = 0;
    for (int64_t window = 0; window < source_.deal.windows(); ++window) {
      std::vector<TextHash128> hashes;
      control_.agree([&] {
        for (const size_t end = row + rows_of(window); row < end; ++row)
          hashes.push_back(hash_of(key(row)));
      });
      const std::vector<char> first = seen_.first(hashes);
      first_originals_.insert(first_originals_.end(), first.begin(), first.end());
    }
  }

  // Takes `count` rows from `row` on.
  void make_window(size_t count, size_t& row) {
    texts_.clear();
    originals_.clear();
    for (const size_t end = row + count; row < end; ++row) {
      if (options_.originals && first_originals_[row]) originals_.push_back({texts_.size(), row});
      make_row(row);
    }
  }

  void make_row(size_t row) {
    const int64_t iterations = options_.rules.iterations(source_.pair);
    for (int64_t iteration = 0; iteration < iterations; ++iteration) {
      const Variation made =
          source_.pair
              ? variations_.pair(source_.a.row(row), source_.b.row(row), source_.row_ids[row],
                                 iteration, text_)
              : variations_.single(source_.a.row(row), source_.row_ids[row], iteration, text_);
      ++counts_.drawn[static_cast<size_t>(made)];
      if (made == Variation::kEnded) return;
      if (made <= Variation::kBoth) texts_.add(text_, text_, made);
    }
  }

  // The window's rows of the file that are this rank's. Collective.
  std::string new_lines() {
    const std::vector<char> first = seen_.first(texts_.hashes());
    int64_t mine = static_cast<int64_t>(originals_.size());
    for (const char is_first : first) mine += is_first;
    const std::vector<int64_t> all = control_.gather(std::vector<int64_t>{mine});
    int64_t index = written_;
    for (int rank = 0; rank < control_.size(); ++rank) {
      if (rank < control_.rank()) index += all[static_cast<size_t>(rank)];
      written_ += all[static_cast<size_t>(rank)];
    }
    std::string lines;
    auto original = originals_.begin();
    for (size_t i = 0; i <= texts_.size(); ++i) {
      for (; original != originals_.end() && original->before == i; ++original)
        add_set_row(layout_, index++, source_.texts[original->row], lines);
      if (i == texts_.size()) break;
      if (!first[i]) {
        ++counts_.duplicates;
        continue;
      }
      ++counts_.written[static_cast<size_t>(texts_.variation(i))];
      add_set_row(layout_, index++, texts_.text(i), lines);
    }
    counts_.originals += static_cast<int64_t>(originals_.size());
    return lines;
  }

  TransferCounts summed() {
    TransferCounts all;
    all.rows_in = control_.sum(static_cast<int64_t>(source_.row_ids.size()));
    all.rows_out = written_;
    all.originals = control_.sum(counts_.originals);
    all.duplicates = control_.sum(counts_.duplicates);
    for (size_t i = 0; i < kVariations; ++i) {
      all.drawn[i] = control_.sum(counts_.drawn[i]);
      all.written[i] = control_.sum(counts_.written[i]);
    }
    return all;
  }

  // An original stands before the window's text of this number.
  struct Original {
    size_t before, row;
  };

  const SourceRows& source_;
  const TransferOptions& options_;
  const FileLayout& layout_;
  const Control& control_;
  TextVariations variations_;
  FirstSeen seen_;
  std::vector<char> first_originals_;  // of this rank's rows
  WindowTexts texts_;
  std::vector<Original> originals_;  // of the window
  std::string text_;
  int64_t written_ = 0;  // by all ranks
  TransferCounts counts_;
};

}  // namespace

TransferCounts write_transfer_set(const SourceRows& source, const TransferOptions& options,
                                  const FileLayout& layout, const std::filesystem::path& path,
                                  const Control& control) {
  return Making(source, options, layout, control).run(path);
}

}  // namespace kdbench
