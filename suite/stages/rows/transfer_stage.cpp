// SPDX-License-Identifier: MIT
#include "suite/stages/rows/transfer_stage.h"

#include <fmt/core.h>

#include <chrono>

#include "io/base/json_file.h"
#include "io/base/partial_file.h"
#include "io/base/sha256.h"
#include "suite/machine/stopwatch.h"
#include "suite/transfer/set_file.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr int kTransferSetVersion = 1;
constexpr const char* kRows = "set.tsv";
constexpr const char* kRecord = "set.json";

}  // namespace

TransferSetStage::TransferSetStage(const Task& task, SetMaker maker, StageKey key)
    : SharedStage(std::move(key), task.name, task.name + " by " + maker.kind),
      task_(task),
      maker_(std::move(maker)) {
  for (Stage* stage : maker_.needs) need(*stage);
}

Cost TransferSetStage::cost(TrainingCosts&, const Workspace& workspace) {
  Cost cost;
  cost.disk_bytes = static_cast<int64_t>(fs::file_size(rows(workspace).path));
  return cost;
}

TransferFile TransferSetStage::rows(const Workspace& workspace) {
  if (done(workspace)) return {contents(workspace) / kRows, hash(), maker_.kind};
  if (temporary_.empty()) {
    std::string path;
    workspace.control.on_root([&] {
      scratch_ = std::make_unique<ScratchFolder>();
      path = scratch_->path().string();
    });
    path = workspace.control.broadcast(path);
    write(maker_.stand_in ? maker_.stand_in : maker_.write, path, workspace);
    temporary_ = path;
  }
  return {temporary_ / kRows, hash(), maker_.kind};
}

nlohmann::json TransferSetStage::record(const Workspace& workspace) {
  const fs::path file = contents(workspace) / kRecord;
  nlohmann::json record = from_root(workspace.control, [&] {
    nlohmann::json read;
    read_stage(file.parent_path(), [&] { read = read_json_object(file); });
    return read;
  });
  record["stage"] = hash();
  return record;
}

bool TransferSetStage::make_in(const fs::path& partial, const Workspace& workspace) {
  workspace.say(fmt::format("{}: making the transfer set", title()));
  write(maker_.write, partial, workspace);
  return true;
}

void TransferSetStage::write(const decltype(SetMaker::write)& make, const fs::path& folder,
                             const Workspace& workspace) {
  const auto start = std::chrono::steady_clock::now();
  nlohmann::json record = make(folder / kRows, workspace);
  workspace.control.on_root([&] {
    const int64_t count = count_rows(folder / kRows, set_layout(task_));
    if (count == 0) {
      throw_user_error(task() + ": transfer", "the transfer set has no rows",
                       "longer texts, other rules, or more of what it is made from");
    }
    record["rows"] = count;
    record["sha256"] = file_sha256(folder / kRows);
    record["seconds"] = seconds_since(start);
    write_file(folder / kRecord, record.dump(2) + "\n");
  });
}

TransferSetStage& transfer_stage(StageContext& context, const Task& task, SetMaker maker) {
  const StageKey key = key_from_root(context.workspace.control, [&]() -> StageKey {
    return {"transfer-set", kTransferSetVersion, maker.inputs()};
  });
  return context.graph.add<TransferSetStage>(
      key.hash(), [&] { return std::make_unique<TransferSetStage>(task, std::move(maker), key); });
}

}  // namespace kdbench
