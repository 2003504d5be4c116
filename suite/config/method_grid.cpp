// SPDX-License-Identifier: MIT
#include "suite/config/method_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "suite/config/experiment_reader.h"
#include "suite/config/option_reader.h"

namespace kdbench {
namespace {

// One value of a key: its text in labels, and how a method gets it.
struct GridValue {
  std::string text;
  std::function<void(MethodSettings&)> put;
};

struct GridAxis {
  std::string key;
  std::vector<GridValue> values;
};

std::optional<GridValue> option_value(const OptionSpec& spec, const toml::node& node,
                                      const std::string& key, Problems& problems) {
  const auto value = read_option(spec, node, key, problems);
  if (!value) return std::nullopt;
  return GridValue{value_text(*value), [name = spec.name, value = *value](MethodSettings& method) {
                     auto values = method.options.values();
                     values[name] = value;
                     method.options = Options(std::move(values));
                   }};
}

// `key`: of the table that the training key stands in.
std::optional<GridValue> training_value(const std::string& name, const toml::node& node,
                                        const std::string& key, Problems& problems) {
  const TrainLayer layer = read_train(TableReader(name, node, key, problems));
  if (!problems.empty()) return std::nullopt;
  return GridValue{value_text(layer.at(name)), [layer](MethodSettings& method) {
                     for (const auto& [key, value] : layer) method.train[key] = value;
                   }};
}

bool searched(const std::string& name) {
  const auto& keys = train_keys();
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const TrainKey& key) { return key.spec.name == name; });
  return found == keys.end() || found->searched;  // an unknown key is refused when it is read
}

class GridReader {
 public:
  GridReader(const std::vector<OptionSpec>& specs, TableReader& method)
      : specs_(specs), method_(method) {}

  std::vector<GridAxis> read() && {
    auto grid = method_.table("grid");
    if (!grid) return {};
    for (const auto& name : grid->names()) {
      if (name != "train") read_option_axis(*grid, name);
    }
    if (auto train = grid->table("train")) read_training(*train);
    return std::move(axes_);
  }

 private:
  void read_option_axis(TableReader& grid, const std::string& name) {
    const OptionSpec* spec = find_spec(specs_, name, grid);
    if (!spec) return;
    if (spec->or_file) {
      grid.problem(name, "takes no list: a file is no point of a grid");
      return;
    }
    add_axis(grid, name, method_, name, [&](auto& node, auto& table, Problems& problems) {
      return option_value(*spec, node, table.key(name), problems);
    });
  }

  void read_training(TableReader& grid) {
    auto own = method_.table("train");
    for (const auto& name : grid.names()) {
      if (!searched(name)) {
        grid.problem(name, "is no key to search", "each point is run with every seed");
        continue;
      }
      add_axis(grid, name, own ? *own : grid, "train." + name,
               [&](auto& node, auto& table, Problems& problems) {
                 return training_value(name, node, table.key(), problems);
               });
    }
  }

  // The key `name` of `grid`, in labels `shown`, unless --set holds it still in `own`, the table
  // where the method itself has it. `read` makes a value of a node in a table. Elements with the
  // same mistake are listed once.
  template <typename Read>
  void add_axis(TableReader& grid, const std::string& name, TableReader& own,
                const std::string& shown, const Read& read) {
    GridAxis axis{shown, {}};
    Problems problems;
    const auto add = [&](const toml::node& node, TableReader& table) {
      Problems found;
      if (auto value = read(node, table, found)) axis.values.push_back(std::move(*value));
      for (const auto& line : found.lines()) {
        const auto& listed = problems.lines();
        if (std::find(listed.begin(), listed.end(), line) == listed.end()) problems.add("", line);
      }
    };
    const toml::node& node = *grid.node(name);
    const toml::node* fixed = own.node(name);
    const toml::array* list = node.as_array();
    if (fixed && fixed != &node && is_override(*fixed) && !is_override(node)) {
      add(*fixed, own);
      if (!problems.empty()) return;  // the method's own table lists it
    } else if (!list || list->empty()) {
      grid.problem(name, "expected a list of values, found " +
                             (list ? std::string("an empty list") : kind_of(node)));
      return;
    } else {
      for (const auto& element : *list) add(element, grid);
    }
    for (const auto& line : problems.lines()) grid.problems().add("", line);
    if (problems.empty()) axes_.push_back(std::move(axis));
  }

  const std::vector<OptionSpec>& specs_;
  TableReader& method_;
  std::vector<GridAxis> axes_;
};

std::string point_label(const MethodSettings& point) {
  std::string text;
  for (const auto& [key, value] : point.grid_point) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, value);
  }
  return fmt::format("{}[{}]", point.grid, text);
}

}  // namespace

std::vector<MethodSettings> expand_grid(const MethodSettings& base,
                                        const std::vector<OptionSpec>& specs, TableReader& method) {
  const auto axes = GridReader(specs, method).read();
  std::vector<MethodSettings> points{base};
  for (const auto& axis : axes) {
    std::vector<MethodSettings> longer;
    for (const auto& point : points) {
      for (const auto& value : axis.values) {
        longer.push_back(point);
        longer.back().grid_point[axis.key] = value.text;
        value.put(longer.back());
      }
    }
    points = std::move(longer);
  }
  if (axes.empty()) return points;
  for (auto& point : points) {
    point.grid = base.label;
    point.label = point_label(point);
  }
  return points;
}

}  // namespace kdbench
