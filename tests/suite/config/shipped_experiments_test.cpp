// SPDX-License-Identifier: MIT
// The experiment files that come with the program: they load where data and weights lie in the
// folder `data` of the repository, miss nothing else where they do not, and the official ones hold
// the published hyper-parameters.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <tuple>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "suite/config/experiment.h"
#include "suite/config/experiment_toml.h"
#include "suite/config/toml_reader.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_data.h"

namespace kdbench::shipped_experiments_test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::TempFolder;

// A copy of suite/experiments, so that what a developer keeps in `data` plays no part.
class Shipped : public TempFolder {
 public:
  Shipped() {
    fs::create_directories(*this / "suite");
    fs::copy(testing::kExperimentsFolder, *this / "suite/experiments", fs::copy_options::recursive);
  }

  // The names of what a user downloads. Loading an experiment reads config.json, of the other files
  // only whether they are there.
  void add_data() const {
    for (const char* task :
         {"CoLA", "SST-2", "MRPC", "STS-B", "QQP", "QNLI", "RTE", "WNLI", "MNLI"}) {
      const std::string folder = std::string("data/glue/") + task;
      write(folder + "/train.tsv", "");
      write(folder + (task == std::string("MNLI") ? "/dev_matched.tsv" : "/dev.tsv"), "");
    }
    add_bert("bert-base-uncased", 12, 768, 12);
    add_bert("bert-large-uncased", 24, 1024, 16);
    add_bert("bert-6-uncased", 6, 768, 12);
    add_bert("bert-small-uncased", 4, 512, 8);
    add_bert("all-MiniLM-L6-v2", 6, 384, 12);
    add_roberta("roberta-base", 12, 768, 12);
    add_roberta("roberta-large", 24, 1024, 16);
    add_roberta("distilroberta-base", 6, 768, 12);
    write("data/gpt2-medium/config.json",
          R"({"model_type": "gpt2", "vocab_size": 50257, "n_positions": 1024, "n_embd": 1024,
              "n_layer": 24, "n_head": 16})");
    write("data/gpt2-medium/model.safetensors", "");
    write("data/gpt2-medium/vocab.json", "{}");
    write("data/gpt2-medium/merges.txt", "");
    // Of vectors the first line alone is read, of a tagger nothing.
    write("data/GoogleNews-vectors-negative300.bin", "3000000 300\n");
    write("data/averaged_perceptron_tagger_eng/tagdict.json", "{}");
  }

  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(*this / "suite/experiments")) {
      if (entry.path().extension() == ".toml") found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  Experiment load_official(const std::string& name) const {
    return load_experiment(*this / ("suite/experiments/official/" + name), {});
  }

 private:
  void add_bert(const std::string& name, int layers, int hidden, int heads) const {
    add_model(name, R"("model_type": "bert", "vocab_size": 30522, "type_vocab_size": 2,
                       "max_position_embeddings": 512, )",
              layers, hidden, heads);
    write("data/" + name + "/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
  }

  void add_roberta(const std::string& name, int layers, int hidden, int heads) const {
    add_model(name, R"("model_type": "roberta", "vocab_size": 50265, "type_vocab_size": 1,
                       "max_position_embeddings": 514, )",
              layers, hidden, heads);
    write("data/" + name + "/vocab.json", "{}");
    write("data/" + name + "/merges.txt", "");
  }

  void add_model(const std::string& name, const std::string& kind, int layers, int hidden,
                 int heads) const {
    write("data/" + name + "/config.json",
          fmt::format(R"({{{}"hidden_act": "gelu", "num_hidden_layers": {}, "hidden_size": {},
                          "intermediate_size": {}, "num_attention_heads": {}}})",
                      kind, layers, hidden, 4 * hidden, heads));
    write("data/" + name + "/model.safetensors", "");
  }
};

std::string problems_of(const fs::path& file) {
  try {
    load_experiment(file, {});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUserInput);
    return error.what();
  }
  return "";
}

TEST(ShippedExperiments, LoadWhereTheReadmeSaysDataLie) {
  const Shipped shipped;
  shipped.add_data();
  const auto files = shipped.files();
  EXPECT_GE(files.size(), 9u);
  for (const auto& file : files) EXPECT_EQ(problems_of(file), "") << file;
}

TEST(ShippedExperiments, WrittenAgainResolveToTheSame) {
  const Shipped shipped;
  shipped.add_data();
  for (const auto& file : shipped.files()) {
    const auto before = load_experiment(file, {}).to_json();
    const fs::path again = shipped.write("again.toml", experiment_toml(before));
    EXPECT_EQ(json_hash(load_experiment(again, {}).to_json()), json_hash(before)) << file;
  }
}

TEST(ShippedExperiments, OneKeyNamesTheBaseModel) {
  const Shipped shipped;
  shipped.add_data();
  const std::string other = (shipped / "data/bert-large-uncased").string();
  for (const char* name : {"pkd-best-rte.toml", "pkd-6layer.toml", "fsd-table2.toml"}) {
    const Experiment experiment = load_experiment(
        shipped / (std::string("suite/experiments/official/") + name), {"model.weights=" + other});
    EXPECT_EQ(experiment.teacher->model.weights, other);
    EXPECT_EQ(experiment.student->weights, other);
    for (const auto& method : experiment.methods) {
      if (!method.student) continue;
      EXPECT_EQ(method.student->weights, other) << method.label;
    }
  }
}

TEST(ShippedExperiments, WithoutDataOnlyFoldersAreMissing) {
  const Shipped shipped;
  size_t incomplete = 0;
  for (const auto& file : shipped.files()) {
    std::istringstream lines(problems_of(file));
    for (std::string line; std::getline(lines, line);) {
      if (line.ends_with(" problems:")) continue;
      EXPECT_THAT(line, AllOf(AnyOf(HasSubstr("no folder "), HasSubstr("no file "),
                                    HasSubstr("there is no such file"), HasSubstr("is no folder")),
                              HasSubstr("/data/")))
          << file;
      ++incomplete;
    }
  }
  // Data and the base model of twelve files; the models of three that have several.
  EXPECT_GE(incomplete, 12u * 2u + 2u * 4u + 3u);
}

TEST(ShippedExperiments, SearchHasTheGridOfTheAuthorsScripts) {
  const Shipped shipped;
  shipped.add_data();
  for (const char* file : {"pkd-6layer.toml", "pkd-3layer.toml"}) {
    const Experiment experiment = shipped.load_official(file);
    std::map<std::string, int> points;
    for (const auto& method : experiment.methods) ++points[method.grid];
    EXPECT_THAT(points, ElementsAre(std::pair("finetune", 3), std::pair("kd", 27),
                                    std::pair("pkd-last", 24), std::pair("pkd-skip", 24)))
        << file;
    EXPECT_EQ(experiment.data.tasks.size(), 6u);
  }
}

TEST(ShippedExperiments, FsdHasTheGridsOfThePaper) {
  const Shipped shipped;
  shipped.add_data();
  for (const auto& [file, betas] :
       {std::pair("fsd-table2.toml", 6), std::pair("fsd-table3.toml", 5)}) {
    SCOPED_TRACE(file);
    std::map<std::string, int> points;
    const Experiment experiment = shipped.load_official(file);
    for (const auto& method : experiment.methods) {
      ++points[method.grid];
      if (method.grid != "fsd" && method.grid != "fsd-G") continue;
      for (const auto& task : experiment.data.tasks) {
        EXPECT_EQ(method.options_of(task).get<int64_t>("centroids"),
                  task == "QQP" || task == "MNLI" ? 300 : 100);
      }
    }
    EXPECT_THAT(points, ElementsAre(std::pair("fsd", 72), std::pair("fsd-G", 81),
                                    std::pair("fsd-I", betas), std::pair("fsd-IL", 4 * betas),
                                    std::pair("fsd-L", betas), std::pair("kd", 27)));
  }
}

// The note of a published result: "stat=mean-of-runs; lr=2e-05; T=20.0; alpha=0.5".
std::map<std::string, std::string> note_items(const std::string& note) {
  std::map<std::string, std::string> items;
  std::istringstream stream(note);
  for (std::string item; std::getline(stream >> std::ws, item, ';');) {
    const size_t equals = item.find('=');
    items[item.substr(0, equals)] = item.substr(equals + 1);
  }
  return items;
}

// (summary file, task) -> note.
using Published = std::map<std::pair<std::string, std::string>, std::map<std::string, std::string>>;

Published read_published(const fs::path& file) {
  Published published;
  const toml::table document = toml::parse_file(file.string());
  for (const auto& node : *document.get_as<toml::array>("result")) {
    const auto text = [&](const char* key) {
      return node.as_table()->get(key)->value_or(std::string());
    };
    const std::string source = text("source");
    published[{source.substr(source.rfind('/') + 1), text("task")}] = note_items(text("note"));
  }
  return published;
}

void expect_point(const Experiment& experiment, const MethodSettings& method,
                  const std::map<std::string, std::string>& point) {
  const std::string& task = experiment.data.tasks.front();
  EXPECT_DOUBLE_EQ(experiment.train_of(task, method).learning_rate, std::stod(point.at("lr")));
  if (!point.count("T")) return;
  EXPECT_DOUBLE_EQ(method.options.get<double>("temperature"), std::stod(point.at("T")));
  EXPECT_DOUBLE_EQ(method.options.get<double>("alpha"), std::stod(point.at("alpha")));
  const double beta = point.count("beta") ? std::stod(point.at("beta")) : 0.0;
  EXPECT_DOUBLE_EQ(method.options.get<double>("beta"), beta);
  if (beta == 0.0) return;
  EXPECT_EQ(method.options.get<bool>("normalize"), point.at("normalize") == "true");
  // The authors number the three-layer student's from 0: 9, 10 of 12 are the last two compared.
  const std::string layers = point.at("layers") == "skip" ? "skip" : "last";
  EXPECT_EQ(method.options.get<std::string>("layers"), layers);
}

TEST(ShippedExperiments, BestPointsAreThePublishedOnes) {
  const Published published = read_published(testing::test_data("published_pkd.toml"));
  const std::map<std::string, std::string> sources{
      {"finetune-6", "ft_6layer"}, {"finetune-3", "ft_3layer"},  {"kd-6", "kd_6layer"},
      {"kd-3", "kd_3layer"},       {"pkd-skip-6", "pkd_6layer"}, {"pkd-last-6", "pkd_6layer_last"},
      {"pkd-last-3", "pkd_3layer"}};
  const Shipped shipped;
  shipped.add_data();
  for (const char* file : {"sst-2", "mrpc", "qqp", "mnli", "qnli", "rte"}) {
    const Experiment experiment = shipped.load_official(std::string("pkd-best-") + file + ".toml");
    const std::string task = experiment.data.tasks.front();
    EXPECT_EQ(experiment.methods.size(), sources.size());
    for (const auto& method : experiment.methods) {
      SCOPED_TRACE(task + " " + method.label);
      expect_point(experiment, method,
                   published.at({sources.at(method.label) + "_mean.csv", task}));
      const auto& student = method.student ? *method.student : *experiment.student;
      EXPECT_EQ(student.layers, method.label.back() - '0');
    }
  }
}

}  // namespace
}  // namespace kdbench::shipped_experiments_test
