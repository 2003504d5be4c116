// SPDX-License-Identifier: MIT
// Keys that are members of some settings, each as a flag: the same keys that an experiment file
// has.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "suite/transfer/settings_key.h"
#include "suite/transfer/text_rules.h"

namespace kdbench {

// `keys`: of rule_keys(), sample_keys(); `settings`: what their members are of, which outlives app.
template <typename Settings>
void add_key_flags(CLI::App& app, const std::vector<SettingsKey<Settings>>& keys,
                   Settings& settings) {
  for (const auto& key : keys) {
    const std::string flag = flag_of(key.spec.name), &meaning = key.spec.meaning;
    std::visit(
        [&](auto member) {
          auto& value = member(settings);
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, bool>) {
            app.add_flag(flag, value, meaning);
          } else {
            auto* option = app.add_option(flag, value, meaning);
            if (key.spec.absent.empty()) option->capture_default_str();
            if constexpr (std::is_same_v<T, std::vector<int64_t>> ||
                          std::is_same_v<T, std::vector<std::filesystem::path>>)
              option->delimiter(',');
          }
        },
        key.member);
  }
}

}  // namespace kdbench
