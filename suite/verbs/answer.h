// SPDX-License-Identifier: MIT
// What a verb answers on stdout: text for people as it goes or, with --json, one document for
// programs in the end, and nothing else. Verbs give both; this is the one place that prints.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace kdbench {

class Answer {
 public:
  // The flag's value.
  bool json = false;
  // For programs; keys are spelled as in run.json and `status --json`.
  nlohmann::json data = {{"schema_version", 1}};

  // Prints it, unless a document is asked for. Of the root rank.
  void text(const std::string& text) const;
  // Prints the document, if one is asked for. Of the root rank, once.
  void finish() const;
};

}  // namespace kdbench
