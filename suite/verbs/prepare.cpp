// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "suite/stages/rows/features_stage.h"
#include "suite/verbs/own_tasks.h"
#include "suite/verbs/registry.h"
#include "suite/verbs/session.h"
#include "suite/walks/make.h"

namespace kdbench {
namespace {

struct PrepareOptions {
  std::string data, tokenizer, file;
  std::vector<std::string> tasks;
  int64_t max_seq_length = 128, train_limit = 0;
  OwnTaskOptions own;
  SessionOptions session;
};

void answer_store(const Task& task, const Features& features, Answer& answer) {
  nlohmann::json store{{"task", task.name}, {"file", features.file.string()}};
  for (const auto& [name, split] : features.store.splits) {
    answer.text(fmt::format("{:8} {:16} {:>8} rows {:>10} tokens  {}\n", task.name, name,
                            split->rows(), split->tokens.size(), features.file.string()));
    store["splits"][name] = {{"rows", split->rows()}, {"tokens", split->tokens.size()}};
  }
  answer.data["features"].push_back(std::move(store));
}

ExitCode prepare(PrepareOptions options, const VerbContext& context) {
  const Session session(options.session, context);
  std::vector<FeatureRequest> requests;
  context.control.agree([&] {
    Problems problems;
    problems.collect([&] { load_tokenizer(options.tokenizer); });
    read_own_tasks(options.own, problems);
    for (const auto& name : options.tasks) {
      problems.collect([&] {
        requests.push_back({options.data, &find_task(name, options.own.tasks), options.tokenizer,
                            options.max_seq_length, options.train_limit});
      });
    }
    problems.throw_if_any("prepare");
  });
  Problems problems;  // of all tasks' files; every rank finds the same ones
  Graph graph;
  Maker maker(session.workspace());
  for (const auto& request : requests) {
    problems.collect([&] {
      FeaturesStage& stage = features_stage(graph, request, session.workspace());
      maker.make(stage);
      const Features& rows = stage.rows(session.workspace());
      context.control.on_root([&] { answer_store(*request.task, rows, context.answer); });
      stage.release();
    });
  }
  context.control.agree([&] { problems.throw_if_any("prepare"); });
  return ExitCode::kDone;
}

}  // namespace

Verb prepare_verb() {
  return {"prepare",
          "GLUE folder + tokenizer to feature stores below <out>/.stages, where `run` finds them",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<PrepareOptions>();
            app.add_option("--data", options->data, "GLUE folder: <TASK>/{train,dev,test}.tsv")
                ->required();
            app.add_option("--tasks", options->tasks, "tasks, e.g. MRPC,SST-2")
                ->required()
                ->delimiter(',');
            app.add_option("--tokenizer", options->tokenizer,
                           "folder with vocab.txt, vocab.json and merges.txt, or tokenizer.json")
                ->required();
            app.add_option("--max-seq-length", options->max_seq_length,
                           "ids per row, special tokens included")
                ->check(CLI::Range(5, 1 << 20));
            app.add_option("--train-limit", options->train_limit, "first N training rows; 0: all")
                ->check(CLI::NonNegativeNumber);
            add_own_task_options(app, options->own);
            add_session_options(app, options->session);
            return [options](const VerbContext& context) { return prepare(*options, context); };
          }};
}

}  // namespace kdbench
