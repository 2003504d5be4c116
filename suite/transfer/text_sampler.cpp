// SPDX-License-Identifier: MIT
#include "suite/transfer/text_sampler.h"

#include "methods/models/language_model.h"
#include "methods/models/masked_model.h"
#include "suite/transfer/ancestral_sampler.h"
#include "suite/transfer/infill_sampler.h"

namespace kdbench {

std::unique_ptr<TextSampler> make_text_sampler(const SampleSource& source, bool pair,
                                               const SampleSettings& settings) {
  if (dynamic_cast<const MaskedModel*>(&source.model))
    return std::make_unique<InfillSampler>(source, pair, settings);
  return std::make_unique<AncestralSampler>(source, pair, settings);
}

}  // namespace kdbench
