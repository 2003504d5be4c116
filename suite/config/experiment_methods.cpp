// SPDX-License-Identifier: MIT
// [[method]]: its options, its grid, its own training keys and student.
#include "io/base/error.h"
#include "io/base/look.h"
#include "methods/models/initialization.h"
#include "methods/models/registry.h"
#include "methods/registry.h"
#include "suite/config/experiment_keys.h"
#include "suite/config/experiment_reader.h"
#include "suite/config/method_grid.h"
#include "suite/config/method_models.h"
#include "suite/config/option_reader.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// The registry's entry, or null with a problem at the method's name.
const MethodEntry* find_entry(TableReader& table, const std::string& name) {
  if (name.empty()) {
    if (!table.has("name")) table.problem("name", "is missing", "`kdbench methods` lists them");
    return nullptr;
  }
  try {
    return &find_method(name);
  } catch (const Error& error) {
    table.problem("name", error.message() + ": '" + name + "'", error.hint());
    return nullptr;
  }
}

// One of the key's choices, or a file.
void take_teacher_outputs(const OptionValues& values, MethodSettings& method) {
  take(values, "teacher_outputs", method.teacher_outputs);
  if (!fs::path(method.teacher_outputs).is_absolute()) return;
  method.teacher_outputs_file = method.teacher_outputs;
  method.teacher_outputs = "file";
}

// [method.task.<TASK>] and its train.
void read_task_keys(TableReader& table, const std::vector<OptionSpec>& specs, const OwnTasks& own,
                    MethodSettings& method) {
  auto tasks = table.table("task");
  if (!tasks) return;
  for (const auto& name : tasks->names()) {
    auto task = tasks->table(name);
    if (!task || !task_or_problem(*tasks, name, name, own)) continue;
    if (auto train = task->table("train")) method.task_train[name] = read_train(*train);
    for (const auto& key : task->names()) {
      const OptionSpec* spec = key == "train" ? nullptr : find_spec(specs, key, *task);
      if (!spec) continue;
      const auto value = read_option(*spec, *task->node(key), task->key(key), task->problems());
      if (value) method.task_options[name][key] = *value;
    }
  }
}

// What a grid searches has no other value on a task.
void check_searched_keys(const MethodSettings& point, TableReader& method) {
  auto tasks = method.table("task");
  if (!tasks) return;
  const auto check = [&](TableReader& table, const std::string& before) {
    for (const auto& key : table.names()) {
      if (!point.grid_point.contains(before + key)) continue;
      table.problem(key, "is searched in [method.grid] on every task", "leave one of them out");
    }
  };
  for (const auto& name : tasks->names()) {
    auto task = tasks->table(name);
    if (!task) continue;
    check(*task, "");
    if (auto train = task->table("train")) check(*train, "train.");
  }
}

// Points of a grid share a key's length, nearly: one problem tells all.
void check_lengths(const std::vector<MethodSettings>& points, const Experiment& experiment,
                   TableReader& table) {
  constexpr size_t kLongestFile = 255, kRest = 40;  // task, seed, hash, ".partial" and dashes
  for (const auto& point : points) {
    const size_t length = experiment.name.size() + point.label.size() + kRest;
    if (length <= kLongestFile) continue;
    table.problem("grid", "makes labels too long for a folder's name: " + point.label,
                  "shorten label or the experiment's name");
    return;
  }
}

// The layers that the student takes from another model must be there.
void check_depth(const ModelSettings& student, const ModelShapes& shapes) {
  if (student.init == "random" || !student.weights) return;
  const bool from_teacher = student.init_from == "teacher" && shapes.teacher;
  const int64_t source =
      from_teacher ? shapes.teacher->layers : read_model_config(*student.weights).layers;
  check_depths(source, shapes.student.layers, student.init);
}

// The key means something where outputs are taken, of a teacher that does not change.
void check_teacher_outputs(const MethodSettings& method, const TeacherNeeds& needs,
                           const std::string& place) {
  if (method.teacher_outputs == "auto" || takes_outputs(needs)) return;
  throw_user_error(place + ".teacher_outputs",
                   "method '" + method.name +
                       (needs.trains_teacher ? "' trains its teacher, whose outputs change"
                                             : "' takes no outputs of a teacher"),
                   "leave the key out");
}

void check_assistant(const Experiment& experiment, const MethodSettings& method,
                     const std::string& place) {
  if (!experiment.assistant) {
    throw_user_error(place, "method '" + method.name + "' needs an assistant",
                     "add [assistant], with the keys of [teacher]");
  }
  if (student_of(experiment, method).init_from == "teacher") {
    throw_user_error(place, "a student that learns from an assistant cannot begin as the teacher",
                     "leave init_from out");
  }
}

// What f() returns; a method does not know where in the file it stands.
template <typename F>
auto placed(const std::string& place, const F& f) {
  try {
    return f();
  } catch (const Error& error) {
    if (error.code() != ExitCode::kUserInput) throw;
    throw_user_error(place + ": " + error.where(), error.message(), error.hint());
  }
}

void check_states(const MethodSettings& method, const ModelShapes& shapes,
                  const std::string& place) {
  if (!find_method(method.name).compares_states ||
      find_architecture(shapes.student.architecture).layer_states)
    return;
  throw_user_error(place,
                   "method '" + method.name + "' compares states of layers, which a " +
                       shapes.student.architecture + " student does not have",
                   "a method that takes logits: kd, d-lite");
}

// Rows without labels, of which nothing is known but what a teacher says.
void check_transfer(const Experiment& experiment, const MethodSettings& method, const Method& made,
                    const TeacherNeeds& needs, const std::string& place) {
  const std::string where = place + ".transfer", who = "method '" + method.name + "' ";
  if (!experiment.transfer) {
    throw_user_error(where, "there is no [transfer] to learn from",
                     "add [transfer] with kind = \"rules\"");
  }
  const auto kinds = experiment.transfer->kinds();
  if (std::find(kinds.begin(), kinds.end(), method.transfer) == kinds.end()) {
    throw_user_error(where, "[transfer] makes no rows of kind \"" + method.transfer + "\"",
                     "it makes: " + joined(kinds, ", "));
  }
  if (needs.trains_teacher)
    throw_user_error(where, who + "trains its teacher, which needs labels", "transfer = \"none\"");
  if (!takes_outputs(needs))
    throw_user_error(where, who + "takes no outputs of a teacher", "transfer = \"none\"");
  if (needs.feature_memory.centroids > 0)
    throw_user_error(where, who + "keeps a memory of the training rows' features",
                     "transfer = \"none\"");
  if (made.takes_labels() && experiment.transfer->labels == "none") {
    throw_user_error(where, who + "takes hard labels, and the rows of [transfer] have none",
                     "give hard labels no weight, or set labels = \"teacher\" in [transfer]: the "
                     "teacher's own choice");
  }
}

void check_needs(const Experiment& experiment, const MethodSettings& method,
                 const ModelShapes& shapes, const Task& task, const std::string& place) {
  check_states(method, shapes, place);
  const bool own_keys = method.task_options.contains(task.name);
  const std::string where = own_keys ? place + ", " + task.name : place;
  const auto made =
      placed(where, [&] { return find_method(method.name).make(method.options_of(task.name)); });
  const TeacherNeeds needs = placed(where, [&] { return made->teacher_needs(shapes); });
  const std::string who = "method '" + method.name + "' ";
  const bool from_file = method.teacher_outputs_file && !needs.trains_teacher;
  if ((needs.teacher || needs.trains_teacher) && !shapes.teacher && !from_file) {
    throw_user_error(place, who + "needs a teacher", "add [teacher]");
  }
  if (needs.from_assistant && !from_file) check_assistant(experiment, method, place);
  check_teacher_outputs(method, needs, place);
  if (!method.transfer.empty()) check_transfer(experiment, method, *made, needs, place);
  if (made->needs_whole_batch() && experiment.train_of(task.name, method).micro_batch > 0) {
    throw_user_error(place, who + "needs the whole batch at once", "leave micro_batch at 0");
  }
  placed(where, [&] { made->validate(shapes); });
}

void check_task(const Experiment& experiment, const MethodSettings& method, const Task& task,
                const std::string& place, Problems& problems) {
  std::optional<ModelShapes> shapes;
  problems.collect([&] { shapes = method_shapes(experiment, method, task); });
  if (!shapes) return;
  problems.collect([&] { check_needs(experiment, method, *shapes, task, place); });
  problems.collect([&] { check_depth(student_of(experiment, method), *shapes); });
  check_on_task(experiment, task, shapes->student, experiment.train_of(task.name, method), place,
                problems);
}

// What a method learns from that does not say so: the set of its own kind, or the one there is.
std::string transfer_of(const Experiment& experiment, const MethodEntry& entry) {
  if (!experiment.transfer || entry.transfer.empty()) return "";
  const auto kinds = experiment.transfer->kinds();
  const bool own = std::find(kinds.begin(), kinds.end(), entry.transfer) != kinds.end();
  return own ? entry.transfer : kinds.front();
}

}  // namespace

std::vector<MethodSettings> read_method(TableReader table, const Experiment& experiment,
                                        BaseModel& base_model) {
  MethodSettings base;
  const OptionValues values = read_options(method_keys(), table);
  take(values, "name", base.name);
  const MethodEntry* entry = find_entry(table, base.name);
  if (!entry) return {};
  base.label = base.name;
  take(values, "label", base.label);
  table.set_key("method." + base.label);
  check_name(table, "label", base.label);
  if (base.label == kTeacher || base.label == "assistant")
    table.problem("label", "\"" + base.label + "\" is that model's own label");
  take_teacher_outputs(values, base);
  base.transfer = transfer_of(experiment, *entry);
  take(values, "transfer", base.transfer);
  if (base.transfer == "none") base.transfer.clear();
  if (base.transfer == "set" && experiment.transfer) base.transfer = experiment.transfer->kind;
  base.options = Options(read_options(entry->options, table));
  if (auto train = table.table("train")) base.train = read_train(*train);
  read_task_keys(table, entry->options, experiment.data.own_tasks, base);
  if (auto student = table.table("student")) {
    base.student = read_student(*student, experiment.data,
                                experiment.teacher ? &*experiment.teacher : nullptr, base_model);
  }
  auto points = expand_grid(base, entry->options, table);
  if (table.problems().empty()) check_searched_keys(points.front(), table);
  check_lengths(points, experiment, table);
  table.finish();
  return points;
}

void check_method(const Experiment& experiment, const MethodSettings& method,
                  const std::string& place, Problems& problems) {
  for (const auto& name : experiment.data.tasks) {
    check_task(experiment, method, experiment.task(name), place, problems);
  }
}

}  // namespace kdbench
