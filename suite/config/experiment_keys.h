// SPDX-License-Identifier: MIT
// The keys of the experiment file, by table: what is read, and what `kdbench keys` shows. Methods
// declare their own keys, architectures their sizes, and [train] has
// suite/training/train_settings.h.
#pragma once

#include <string>
#include <vector>

#include "methods/options/options.h"

namespace kdbench {

struct KeyTable {
  std::string name;     // "task": what `kdbench keys` calls it
  std::string heading;  // "[task.<TASK>]"
  std::string meaning;  // one line
  std::vector<OptionSpec> keys;
};

const std::vector<OptionSpec>& experiment_keys();  // outside all tables
const std::vector<OptionSpec>& data_keys();
const std::vector<OptionSpec>& task_data_keys();
const std::vector<OptionSpec>& own_task_keys();
const std::vector<OptionSpec>& base_model_keys();
// Of teachers, assistants and students; sizes stand beside them.
const std::vector<OptionSpec>& model_keys();
const std::vector<OptionSpec>& transfer_keys();
const std::vector<OptionSpec>& teacher_keys();  // beside those of a model
// Of every [[method]]; its own stand beside them.
const std::vector<OptionSpec>& method_keys();

// All tables, in the order of a file.
std::vector<KeyTable> experiment_tables();

}  // namespace kdbench
