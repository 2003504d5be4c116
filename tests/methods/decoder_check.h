// SPDX-License-Identifier: MIT
// What every decoder must do: the numbers of a fixture, and the same bits for a place in any
// company.
#pragma once

#include <ATen/Parallel.h>

#include "methods/ops/token_draw.h"
#include "tests/methods/language_fixture.h"

namespace kdbench::testing {

inline at::Tensor scores_behind(Decoder& decoder, const Ids& prefix) {
  decoder.clear(0);
  return decoder.read(0, prefix);
}

// Distributions and greedy continuations of sampling.json.
inline void expect_decoding(LanguageFixture& fixture) {
  const auto cases = nlohmann::json::parse(std::ifstream(fixture.folder / "sampling.json"));
  const auto decoder = fixture.model->decoder(1, 64);
  ASSERT_FALSE(cases.empty());
  for (const auto& one : cases) {
    const Ids prefix = one.at("prefix");
    const at::Tensor scores = scores_behind(*decoder, prefix).contiguous();
    for (const auto& expected : one.at("distributions")) {
      const auto kept =
          kept_tokens(scores.size(0), scores.const_data_ptr<float>(),
                      {expected.at("temperature"), expected.at("top_k"), expected.at("top_p")});
      EXPECT_EQ(kept.size(), expected.at("kept").get<size_t>());
      const auto ids = expected.at("ids").get<Ids>();
      for (size_t i = 0; i < ids.size(); ++i) {
        EXPECT_EQ(kept[i].id, ids[i]);
        EXPECT_NEAR(kept[i].probability, expected.at("probabilities")[i].get<double>(), 1e-4);
      }
    }
    at::Tensor next = scores_behind(*decoder, prefix);
    Ids greedy, text = prefix;
    for (size_t i = 0; i < one.at("greedy").size(); ++i) {
      greedy.push_back(next.argmax().item<int64_t>());
      text.push_back(greedy.back());
      next = decoder->advance({0}, {greedy.back()})[0];
    }
    EXPECT_EQ(greedy, one.at("greedy").get<Ids>());
  }
}

// Texts of several lengths that come and go give the same bits as each by itself, on any number of
// threads.
inline void expect_decodes_alone(const LanguageModel& model, int64_t vocabulary) {
  const int64_t places = 30, steps = 20;
  const auto id = [&](int64_t place, int64_t step) {
    return (place * 7 + step * step + 3) % vocabulary;
  };
  const auto together = model.decoder(places, steps), alone = model.decoder(1, steps);
  std::vector<std::vector<at::Tensor>> scores(places);
  for (int64_t step = 0; step < steps; ++step) {
    at::set_num_threads(1 + static_cast<int>(step % 2));
    Ids chosen, ids;
    for (int64_t place = 0; place < places; ++place) {
      if ((place + step) % 3 == 0 || step > place) continue;  // some wait, and the first end
      chosen.push_back(place);
      ids.push_back(id(place, step));
    }
    if (chosen.empty()) continue;
    const at::Tensor all = together->advance(chosen, ids);
    for (size_t row = 0; row < chosen.size(); ++row)
      scores[chosen[row]].push_back(all[static_cast<int64_t>(row)].clone());
  }
  at::set_num_threads(1);
  for (int64_t place = 0; place < places; ++place) {
    alone->clear(0);
    size_t read = 0;
    for (int64_t step = 0; step < steps; ++step) {
      if ((place + step) % 3 == 0 || step > place) continue;
      const at::Tensor expected = alone->advance({0}, {id(place, step)})[0];
      EXPECT_TRUE(scores[place].at(read++).equal(expected)) << "place " << place;
    }
  }
}

}  // namespace kdbench::testing
