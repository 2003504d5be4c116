// SPDX-License-Identifier: MIT
#include "suite/config/option_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "io/base/look.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

using IntegerList = std::vector<int64_t>;
using TextList = std::vector<std::string>;

bool is_choice(const OptionSpec& spec, const std::string& text) {
  return std::find(spec.choices.begin(), spec.choices.end(), text) != spec.choices.end();
}

bool is_planned(const OptionSpec& spec, const std::string& text) {
  return std::find(spec.planned.begin(), spec.planned.end(), text) != spec.planned.end();
}

bool in_range(const OptionSpec& spec, double value) {
  return std::isfinite(value) && spec.range.contains(value);
}

bool allowed(const OptionSpec& spec, const OptionValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return in_range(spec, *number);
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    return in_range(spec, static_cast<double>(*integer));
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (spec.path) return !text->empty() && !is_planned(spec, *text);
    return spec.choices.empty() || spec.or_file || is_choice(spec, *text);
  }
  if (const auto* list = std::get_if<TextList>(&value)) {
    return spec.choices.empty() ||
           std::all_of(list->begin(), list->end(),
                       [&](const std::string& text) { return is_choice(spec, text); });
  }
  if (const auto* list = std::get_if<IntegerList>(&value)) {
    return std::all_of(list->begin(), list->end(),
                       [&](int64_t v) { return in_range(spec, static_cast<double>(v)); });
  }
  return true;
}

// Of an option that takes a file: the value as an absolute path, unless it is one of the choices.
// A problem when there is no such file.
void resolve_file(const OptionSpec& spec, const toml::node& node, const std::string& key,
                  OptionValue& value, Problems& problems) {
  auto& text = std::get<std::string>(value);
  if (is_choice(spec, text)) return;
  const std::filesystem::path file = absolute_path(text, node);
  problems.collect([&] {
    if (is_file(file)) return;
    problems.add(place_of(node), key + ": no file " + file.string(),
                 did_you_mean(text, spec.choices, "expected " + expectation(spec)));
  });
  text = file.string();
}

// The value in the option's type, whatever its range; nullopt when the types do not fit.
std::optional<OptionValue> convert(const OptionSpec& spec, const toml::node& node) {
  const OptionValue& type = spec.fallback;
  if (std::holds_alternative<IntegerList>(type) || (spec.or_list && node.is_array())) {
    if (auto list = integers_of(node)) return OptionValue(std::move(*list));
  } else if (std::holds_alternative<TextList>(type)) {
    auto list = texts_of(node);
    if (list && spec.path) {
      for (auto& text : *list) text = absolute_path(text, node).string();
    }
    if (list) return OptionValue(std::move(*list));
  } else if (std::holds_alternative<bool>(type) && node.is_boolean()) {
    return OptionValue(**node.as_boolean());
  } else if (std::holds_alternative<int64_t>(type) && node.is_integer()) {
    return OptionValue(**node.as_integer());
  } else if (std::holds_alternative<double>(type)) {
    if (const auto number = number_of(node)) return OptionValue(*number);
  } else if (std::holds_alternative<std::string>(type)) {
    auto text = text_of(node);
    if (text && spec.path && !text->empty() && !is_choice(spec, *text) && !is_planned(spec, *text))
      text = absolute_path(*text, node).string();
    if (text) return OptionValue(std::move(*text));
  }
  return std::nullopt;
}

// Says of a value of the right type what is expected in its place.
void refuse(const OptionSpec& spec, const OptionValue& value, const std::string& place,
            const std::string& key, Problems& problems) {
  const auto* text = std::get_if<std::string>(&value);
  if (text && is_planned(spec, *text)) {
    problems.add(place, key + ": \"" + *text + "\" is not available yet",
                 "available: " + quoted_list(spec.choices));
    return;
  }
  problems.add(place,
               key + ": expected " + expectation(spec) + ", found " +
                   (text ? "\"" + *text + "\"" : value_text(value)),
               text ? did_you_mean(*text, spec.choices) : "");
}

std::string unknown_key_hint(const std::vector<OptionSpec>& specs, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& spec : specs) known.push_back(spec.name);
  return did_you_mean(name, known,
                      known.empty() ? "the method has no keys of its own"
                                    : fmt::format("the method's keys: {}", fmt::join(known, ", ")));
}

}  // namespace

std::string expectation(const OptionSpec& spec) {
  const std::string range = spec.range.text();
  if (std::holds_alternative<bool>(spec.fallback)) return "true or false";
  if (std::holds_alternative<int64_t>(spec.fallback)) return "an integer" + range;
  if (std::holds_alternative<double>(spec.fallback)) return "a number" + range;
  if (std::holds_alternative<IntegerList>(spec.fallback)) return "a list of integers" + range;
  if (std::holds_alternative<TextList>(spec.fallback)) {
    return spec.choices.empty() ? "a list of texts like [\"a\", \"b\"]"
                                : "a list of " + quoted_list(spec.choices);
  }
  if (spec.path) return spec.choices.empty() ? "a path" : quoted_list(spec.choices) + ", or a path";
  std::string text = spec.choices.empty() ? "text" : "one of " + quoted_list(spec.choices);
  if (spec.or_file) text += ", or a file";
  return spec.or_list ? text + ", or a list of integers" + range : text;
}

std::string value_text(const OptionValue& value) {
  return std::visit(
      [](const auto& v) -> std::string {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, IntegerList> || std::is_same_v<T, TextList>) {
          return fmt::format("[{}]", fmt::join(v, ","));
        } else {
          return fmt::format("{}", v);
        }
      },
      value);
}

std::string default_text(const OptionSpec& spec) {
  return spec.absent.empty() ? value_text(spec.fallback) : spec.absent;
}

std::optional<OptionValue> read_option(const OptionSpec& spec, const toml::node& node,
                                       const std::string& key, Problems& problems) {
  auto value = convert(spec, node);
  if (!value) {
    problems.add(place_of(node),
                 key + ": expected " + expectation(spec) + ", found " + kind_of(node));
    return std::nullopt;
  }
  if (spec.or_file) resolve_file(spec, node, key, *value, problems);
  if (!allowed(spec, *value)) {
    refuse(spec, *value, place_of(node), key, problems);
    return std::nullopt;
  }
  const auto wrong = spec.rule ? spec.rule(*value) : std::vector<std::string>{};
  for (const auto& what : wrong) problems.add(place_of(node), key + ": " + what);
  return wrong.empty() ? value : std::nullopt;
}

const OptionSpec* find_spec(const std::vector<OptionSpec>& specs, const std::string& name,
                            TableReader& table) {
  const auto it = std::find_if(specs.begin(), specs.end(),
                               [&](const OptionSpec& spec) { return spec.name == name; });
  if (it != specs.end()) return &*it;
  table.problem(name, "unknown key", unknown_key_hint(specs, name));
  return nullptr;
}

OptionValues read_options(const std::vector<OptionSpec>& specs, TableReader& table) {
  OptionValues values;
  for (const auto& spec : specs) {
    std::optional<OptionValue> value;
    if (const toml::node* node = table.node(spec.name)) {
      value = read_option(spec, *node, table.key(spec.name), table.problems());
    }
    if (value || spec.absent.empty()) values[spec.name] = value.value_or(spec.fallback);
  }
  return values;
}

}  // namespace kdbench
