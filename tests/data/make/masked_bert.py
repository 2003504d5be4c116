#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A BERT with the head of its pre-training, and what another program computes of it: models/masked-bert of the tests'
data, whose vocabulary is that of rows/.

pip install torch==2.11.0 transformers==4.57.1 safetensors; python3 tests/data/make/masked_bert.py tests/data
"""
import pathlib
import shutil
import sys

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForPreTraining

# Ids as a model sees them, the ids of the first text, and what is to be told where.
ROWS = [
    ([2, 40, 4, 61, 17, 3], 6, {2: 33, 4: 18}),
    ([2, 9, 3], 3, {}),
    ([2, 70, 71, 4, 3, 25, 4, 26, 3], 5, {1: 70, 3: 72, 6: 44}),
    ([2, 12, 3, 4, 3], 3, {3: 99}),
]


def main(folder):
    out = folder / "models" / "masked-bert"
    vocabulary = (folder / "rows" / "vocab.txt").read_text().split("\n")[:-1]
    torch.manual_seed(5)
    config = BertConfig(vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=24, max_position_embeddings=32, initializer_range=0.3)
    model = BertForPreTraining(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.2)
    model.save_pretrained(out)
    for name in ("generation_config.json",):
        (out / name).unlink(missing_ok=True)
    shutil.copy(folder / "rows" / "vocab.txt", out / "vocab.txt")

    ids, offsets, first, targets, scores, losses = [], [0], [], [], [], []
    for row, first_segment, told in ROWS:
        types = [int(i >= first_segment) for i in range(len(row))]
        output = model(input_ids=torch.tensor([row]), token_type_ids=torch.tensor([types])).prediction_logits[0]
        ids += row
        offsets.append(len(ids))
        first.append(first_segment)
        targets += [told.get(i, -1) for i in range(len(row))]
        for place, target in told.items():
            scores.append(output[place].detach())
            losses.append(-torch.log_softmax(output[place], 0)[target])
    torch.stack(losses).mean().backward()
    tensors = {"ids": torch.tensor(ids), "offsets": torch.tensor(offsets), "first_segment": torch.tensor(first),
               "targets": torch.tensor(targets), "scores": torch.stack(scores), "losses": torch.stack(losses).detach()}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            tensors["grad." + name.removeprefix("bert.")] = parameter.grad
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, out / "expected.safetensors")


main(pathlib.Path(sys.argv[1]))
