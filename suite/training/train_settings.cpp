// SPDX-License-Identifier: MIT
#include "suite/training/train_settings.h"

namespace kdbench {

nlohmann::json to_json(const TrainSettings& settings) {
  return {{"batch_size", settings.batch_size},
          {"micro_batch", settings.micro_batch},
          {"epochs", settings.epochs},
          {"learning_rate", settings.learning_rate},
          {"optimizer", settings.optimizer},
          {"schedule", settings.schedule},
          {"warmup", settings.warmup},
          {"weight_decay", settings.weight_decay},
          {"clip", settings.clip},
          {"dropout", settings.dropout ? nlohmann::json(*settings.dropout) : nlohmann::json()},
          {"precision", settings.precision},
          {"shuffle", settings.shuffle},
          {"checkpoint", settings.checkpoint},
          {"best_metric", settings.best_metric},
          {"eval_steps", settings.eval_steps},
          {"seeds", settings.seeds}};
}

}  // namespace kdbench
