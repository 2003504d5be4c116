// SPDX-License-Identifier: MIT
#include "io/weights/config_json.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "io/base/json_file.h"
#include "io/base/text.h"

namespace kdbench {

using nlohmann::json;

namespace {

// Keys that decide no number that a classifier's network gives: where a file comes from, which
// class wraps it, how text is generated, how it was trained or is run by other programs.
const std::set<std::string> kNoNetwork{"_attn_implementation_autoset",
                                       "_name_or_path",
                                       "architectures",
                                       "bad_words_ids",
                                       "begin_suppress_tokens",
                                       "bos_token_id",
                                       "chunk_size_feed_forward",
                                       "cls_token_id",
                                       "decoder_start_token_id",
                                       "directionality",
                                       "diversity_penalty",
                                       "do_sample",
                                       "dtype",
                                       "early_stopping",
                                       "encoder_no_repeat_ngram_size",
                                       "eos_token_id",
                                       "exponential_decay_length_penalty",
                                       "forced_bos_token_id",
                                       "forced_eos_token_id",
                                       "gradient_checkpointing",
                                       "length_penalty",
                                       "mask_token_id",
                                       "max_length",
                                       "min_length",
                                       "model_max_length",
                                       "n_ctx",
                                       "no_repeat_ngram_size",
                                       "num_beam_groups",
                                       "num_beams",
                                       "num_labels",
                                       "num_return_sequences",
                                       "output_attentions",
                                       "output_hidden_states",
                                       "output_past",
                                       "output_scores",
                                       "pooler_fc_size",
                                       "pooler_num_attention_heads",
                                       "pooler_num_fc_layers",
                                       "pooler_size_per_head",
                                       "prefix",
                                       "problem_type",
                                       "remove_invalid_values",
                                       "reorder_and_upcast_attn",
                                       "repetition_penalty",
                                       "return_dict",
                                       "return_dict_in_generate",
                                       "sep_token_id",
                                       "summary_activation",
                                       "summary_first_dropout",
                                       "summary_proj_to_labels",
                                       "summary_type",
                                       "summary_use_proj",
                                       "suppress_tokens",
                                       "task_specific_params",
                                       "temperature",
                                       "tf_legacy_loss",
                                       "tie_encoder_decoder",
                                       "tie_word_embeddings",
                                       "tokenizer_class",
                                       "top_k",
                                       "top_p",
                                       "torch_dtype",
                                       "torchscript",
                                       "transformers_version",
                                       "typical_p",
                                       "unk_token_id",
                                       "use_bfloat16",
                                       "use_cache"};

// No names at all, or those that transformers makes up.
bool is_generic(const std::vector<std::string>& names) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] != "LABEL_" + std::to_string(i)) return false;
  }
  return true;
}

}  // namespace

ConfigJson::ConfigJson(const std::filesystem::path& path, Problems& problems)
    : path_(path.string()), json_(read_json_object(path)), problems_(problems) {}

void ConfigJson::problem(const std::string& key, const std::string& what, const std::string& hint) {
  problems_.add(path_ + ":" + key, what, hint);
}

json ConfigJson::find(const std::string& key) {
  asked_.insert(key);
  return json_.contains(key) ? json_[key] : json();
}

void ConfigJson::size(const std::string& key, int64_t& value, bool required, int64_t most) {
  number(key, value, {1, most}, required);
}

void ConfigJson::number(const std::string& key, int64_t& value, std::pair<int64_t, int64_t> range,
                        bool required) {
  const json found = find(key);
  const auto [least, most] = range;
  if (found.is_null()) {
    if (required) problem(key, "is missing");
  } else if (found.is_number_integer() &&
             (!found.is_number_unsigned() ||
              found.get<uint64_t>() <= static_cast<uint64_t>(kLargestSize)) &&
             found.get<int64_t>() >= least && found.get<int64_t>() <= most) {
    value = found.get<int64_t>();
  } else {
    problem(key, fmt::format("must be a whole number from {} to {}, is {}", least, most,
                             printable(found.dump())));
  }
}

void ConfigJson::real(const std::string& key, double& value, double low, double high) {
  const json found = find(key);
  if (found.is_null()) return;
  if (!found.is_number() || found.get<double>() < low || found.get<double>() >= high) {
    problem(key, "must be a number from " + json(low).dump() + " to below " + json(high).dump() +
                     ", is " + printable(found.dump()));
  } else {
    value = found.get<double>();
  }
}

void ConfigJson::only(const std::string& key, const std::string& supported) {
  const json found = find(key);
  if (!found.is_null() && found != supported)
    problem(key, printable(found.dump()) + " is not supported", "only \"" + supported + "\"");
}

void ConfigJson::choice(const std::string& key, std::string& value,
                        const std::vector<std::string>& known) {
  const json found = find(key);
  if (found.is_null()) return;
  for (const auto& word : known) {
    if (found != word) continue;
    value = word;
    return;
  }
  problem(key, printable(found.dump()) + " is not supported", quoted_list(known) + " are");
}

void ConfigJson::flag(const std::string& key, bool& value) {
  const json found = find(key);
  if (found.is_boolean()) {
    value = found.get<bool>();
  } else if (!found.is_null()) {
    problem(key, "must be true or false, is " + printable(found.dump()));
  }
}

void ConfigJson::numbers(const std::string& key, std::vector<int64_t>& values) {
  const json found = find(key);
  if (found.is_null()) return;
  std::vector<int64_t> read;
  if (found.is_array()) {
    for (const auto& one : found) {
      if (one.is_number_unsigned() && one.get<uint64_t>() >= 1 &&
          one.get<uint64_t>() <= static_cast<uint64_t>(kLargestSize))
        read.push_back(one.get<int64_t>());
    }
  }
  if (!found.is_array() || read.size() != found.size()) {
    problem(key, "must be a list of whole numbers above 0, is " + printable(found.dump()));
  } else {
    values = read;
  }
}

void ConfigJson::flags(const std::string& key, std::vector<bool>& values) {
  const json found = find(key);
  if (found.is_null()) return;
  const bool fits =
      found.is_array() &&
      std::all_of(found.begin(), found.end(), [](const json& one) { return one.is_boolean(); });
  if (!fits) {
    problem(key, "must be a list of true and false, is " + printable(found.dump()));
  } else {
    values = found.get<std::vector<bool>>();
  }
}

std::string ConfigJson::model_type(const std::vector<std::string>& known) {
  const std::string key = find("model_type").is_null() ? "architecture" : "model_type";
  const json found = find(key);
  if (found.is_null()) {
    problem("model_type", "is missing");
    return "";
  }
  for (const auto& name : known) {
    if (found == name) return name;
  }
  std::string names = quoted_list(known);
  if (const size_t comma = names.rfind(", "); comma != std::string::npos)
    names.replace(comma, 2, " and ");
  problem(key, printable(found.dump()) + " is not supported", names + " are");
  return "";
}

void ConfigJson::never(const std::string& key, const std::string& reason) {
  const json found = find(key);
  const bool nothing =
      found.is_null() || found == false || found == 0 || (!found.is_primitive() && found.empty());
  if (!nothing) problem(key, printable(found.dump()) + " is not supported", reason);
}

std::string ConfigJson::text(const std::string& key) {
  const json found = find(key);
  if (found.is_null()) return "";
  if (found.is_string()) return found;
  problem(key, "must be a text, is " + printable(found.dump()));
  return "";
}

std::vector<std::string> ConfigJson::id2label() {
  const json table = find("id2label");
  if (table.is_null()) return {};
  if (!table.is_object()) {
    problem("id2label", "must map \"0\", \"1\", ... to names");
    return {};
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < table.size(); ++i) {
    const auto found = table.find(std::to_string(i));
    if (found == table.end()) {
      problem("id2label", "has no name for " + std::to_string(i));
      return {};
    }
    // run_glue writes the numbers of a data set as they are.
    if (!found->is_string() && !found->is_number_integer()) {
      problem("id2label", "the name of " + std::to_string(i) + " must be a text, is " +
                              printable(found->dump()));
      return {};
    }
    names.push_back(found->is_string() ? found->get<std::string>() : found->dump());
  }
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size()) {
    problem("id2label", "holds a name twice");
    return {};
  }
  return names;
}

std::vector<std::string> ConfigJson::label2id() {
  const json table = find("label2id");
  if (!table.is_object()) {
    if (!table.is_null()) problem("label2id", "must map names to 0, 1, ...");
    return {};
  }
  std::vector<std::string> names(table.size());
  for (const auto& [name, id] : table.items()) {
    const bool fits = id.is_number_unsigned() && id.get<uint64_t>() < names.size() &&
                      names[id.get<size_t>()].empty();
    if (!fits) {
      problem("label2id", "must number its names 0, 1, ..., each once; " + printable(name) +
                              " is " + printable(id.dump()));
      return {};
    }
    names[id.get<size_t>()] = name;
  }
  return names;
}

std::vector<std::string> ConfigJson::labels() {
  const size_t before = problems_.lines().size();
  const auto names = id2label(), numbered = label2id();
  if (problems_.lines().size() != before) return {};
  const bool named = !is_generic(names), numbers_named = !is_generic(numbered);
  if (named && numbers_named && names != numbered) {
    problem("label2id", "says " + first_few(numbered) + ", id2label " + first_few(names),
            "correct the one that is wrong");
  }
  if (named) return names;
  return numbers_named ? numbered : std::vector<std::string>{};
}

std::vector<std::string> ConfigJson::unused() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : json_.items()) {
    if (!value.is_null() && !asked_.contains(key) && !kNoNetwork.contains(key))
      keys.push_back(printable(key));
  }
  return keys;
}

void write_labels(const std::vector<std::string>& labels, json& config) {
  const std::vector<std::string> names =
      labels.empty() ? std::vector<std::string>{"LABEL_0"} : labels;
  config["id2label"] = config["label2id"] = json::object();
  for (size_t i = 0; i < names.size(); ++i) {
    config["id2label"][std::to_string(i)] = names[i];
    config["label2id"][names[i]] = i;
  }
}

}  // namespace kdbench
