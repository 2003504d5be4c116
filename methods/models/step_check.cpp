// SPDX-License-Identifier: MIT
#include "methods/models/step_check.h"

#include <stdexcept>
#include <string>

#include "io/base/error.h"

namespace kdbench {

void check_step(const std::vector<int64_t>& places, const std::vector<int64_t>& ids,
                const std::vector<int64_t>& lengths, int64_t longest, int64_t vocabulary) {
  if (places.size() != ids.size()) throw std::logic_error("Decoder: one id for each place");
  std::vector<bool> seen(lengths.size());
  for (const int64_t place : places) {
    if (seen.at(place)) throw std::logic_error("Decoder: a place stands twice in a step");
    if (lengths[place] >= longest) throw std::logic_error("Decoder: a place is full");
    seen[place] = true;
  }
  for (const int64_t id : ids) {
    if (id >= 0 && id < vocabulary) continue;
    throw_user_error("tokens",
                     "id " + std::to_string(id) + ", but the model's vocabulary has " +
                         std::to_string(vocabulary) + " entries",
                     "the tokenizer is another model's");
  }
}

}  // namespace kdbench
