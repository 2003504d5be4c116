// SPDX-License-Identifier: MIT
#include "suite/stages/sources/output_budget.h"

#include <algorithm>
#include <set>

#include "suite/machine/machine.h"
#include "suite/stages/sources/teacher_outputs_stage.h"

namespace kdbench {
namespace {

// `all`, and what is stored for one more.
TeacherNeeds united(const TeacherNeeds& all, const TeacherNeeds& more) {
  TeacherNeeds sum;
  sum.logits = all.logits || more.logits;
  std::set<int64_t> cls(all.cls_layers.begin(), all.cls_layers.end());
  cls.insert(more.cls_layers.begin(), more.cls_layers.end());
  std::set<int64_t> hidden(all.hidden_layers.begin(), all.hidden_layers.end());
  for (const int64_t layer : stored_hidden_layers(more)) hidden.insert(layer);
  sum.cls_layers.assign(cls.begin(), cls.end());
  sum.hidden_layers.assign(hidden.begin(), hidden.end());
  return sum;
}

bool is_stored(const ResolvedMethod& method) {
  return !method.settings->teacher_outputs_file && !method.online;
}

// The methods whose teacher's outputs lie in a store: one for each kind of rows.
class StoredMethods {
 public:
  StoredMethods(const ModelShapes& shapes, const StoreSite& site) : shapes_(shapes), site_(site) {}

  void add(const ResolvedMethod& method) {
    Store& store = stores_[method.settings->transfer];
    store.needs = united(store.needs, method.needs);
    if (!method.takes_outputs()) return;
    for (const int64_t seed : method.train.seeds) store.teachers.insert(site_.teacher_of(seed));
  }

  // With one method more: bytes in the memory of a host, and of the stores that are not there yet.
  OutputBudget size_with(const ResolvedMethod& method) const {
    StoredMethods trial = *this;
    trial.add(method);
    return trial.size();
  }

  OutputBudget size() const {
    OutputBudget size;
    for (const auto& [transfer, store] : stores_) {
      const auto& [features, rows] = site_.rows.at(transfer);
      size.memory += teacher_outputs_bytes(rows->rows(), store.needs, shapes_);
      for (const auto& teacher : store.teachers) {
        if (!stage_is_there(site_.out, teacher_outputs_key(teacher, features, store.needs)))
          size.disk += teacher_store_bytes(*rows, store.needs, shapes_);
      }
    }
    return size;
  }

 private:
  struct Store {
    TeacherNeeds needs;
    std::set<std::string> teachers;
  };

  const ModelShapes& shapes_;
  const StoreSite& site_;
  std::map<std::string, Store> stores_;
};

}  // namespace

OutputBudget output_budget(int64_t free_disk, int64_t available_memory, int copies) {
  return {free_disk / 2, available_memory / std::max(1, copies) / 2};
}

OutputBudget output_budget(const std::filesystem::path& out, int copies) {
  return output_budget(disk_of(out).free_bytes, available_memory_bytes(), copies);
}

TeacherNeeds shared_needs(const std::vector<ResolvedMethod>& methods, const std::string& transfer) {
  TeacherNeeds all;
  for (const auto& method : methods) {
    if (is_stored(method) && method.settings->transfer == transfer) all = united(all, method.needs);
  }
  return all;
}

std::vector<std::string> methods_online(const std::vector<ResolvedMethod>& methods,
                                        const StoreSite& site, OutputBudget& budget) {
  if (methods.empty()) return {};
  const auto is_automatic = [](const ResolvedMethod& method) {
    return method.settings->teacher_outputs == "auto" && method.takes_outputs();
  };
  StoredMethods stored(methods.front().shapes, site);
  for (const auto& method : methods) {
    if (is_stored(method) && !is_automatic(method)) stored.add(method);
  }
  std::vector<std::string> online;
  for (const auto& method : methods) {
    if (!is_automatic(method)) continue;
    const OutputBudget all = stored.size_with(method);
    if (all.memory <= budget.memory && (all.disk == 0 || all.disk <= budget.disk)) {
      stored.add(method);
    } else {
      online.push_back(method.settings->label);
    }
  }
  budget.disk -= stored.size().disk;
  return online;
}

}  // namespace kdbench
