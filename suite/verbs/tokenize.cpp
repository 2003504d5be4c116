// SPDX-License-Identifier: MIT
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/tokenizers/tokenizer.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

struct TokenizeOptions {
  std::string tokenizer;
  int max_length = 0;  // 0: plain ids
};

nlohmann::json encode_line(const Tokenizer& tokenizer, std::string_view a,
                           const std::optional<std::string_view>& b, int max_length) {
  Encoding row;
  if (max_length > 0) {
    row = tokenizer.encode_row(a, b ? &*b : nullptr, max_length);
  } else {
    row.ids = tokenizer.encode(a);
    row.first_segment = static_cast<int32_t>(row.ids.size());
    const auto second = b ? tokenizer.encode(*b) : std::vector<int32_t>{};
    row.ids.insert(row.ids.end(), second.begin(), second.end());
  }
  std::vector<int> types(row.ids.size(), tokenizer.second_segment_type());
  std::fill_n(types.begin(), row.first_segment, 0);
  return {{"ids", row.ids}, {"token_type_ids", types}};
}

void tokenize_stdin(const TokenizeOptions& options) {
  const auto tokenizer = load_tokenizer(options.tokenizer);
  for (const auto& note : tokenizer->notes())
    std::cerr << options.tokenizer << ": " << note << "\n";
  int64_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string where = "stdin:" + std::to_string(++number);
    const std::string_view text = line;
    const size_t tab = text.find('\t');
    std::optional<std::string_view> second;
    if (tab != std::string_view::npos) second = text.substr(tab + 1);
    if (second && second->find('\t') != std::string_view::npos) {
      throw_user_error(where, "more than one TAB", "a line is text, or text_a TAB text_b");
    }
    try {
      const auto json = encode_line(*tokenizer, text.substr(0, tab), second, options.max_length);
      std::cout << json.dump() << "\n";
    } catch (const Error& error) {
      throw Error(error.code(), where, error.what());
    }
  }
  if (!std::cout.flush()) throw_machine_error("stdout", std::strerror(errno));
}

}  // namespace

Verb tokenize_verb() {
  return {"tokenize", "Lines of stdin (text, or text_a TAB text_b) to ids as JSON lines",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<TokenizeOptions>();
            app.add_option("--tokenizer", options->tokenizer,
                           "folder with vocab.txt, vocab.json and merges.txt, or tokenizer.json")
                ->required();
            app.add_option("--max-length", options->max_length,
                           "add special tokens and cut to N ids; without it: plain ids")
                ->check(CLI::Range(5, 1 << 20));
            return [options](const VerbContext& context) {
              context.control.on_root([&] { tokenize_stdin(*options); });
              return ExitCode::kDone;
            };
          },
          /*alone=*/true, /*json_lines=*/true};
}

}  // namespace kdbench
