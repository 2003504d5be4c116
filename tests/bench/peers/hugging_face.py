# SPDX-License-Identifier: MIT
"""Training steps as users of transformers write them, timed: rows grouped by length, padded to the longest of their batch, fused AdamW.
--original: as the programs of the papers do, every row padded to 128, plain AdamW. Prints samples per second."""

import argparse
import csv
import json
import random
import time
from pathlib import Path

import torch
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

COLUMNS = {"CoLA": (3,), "SST-2": (0,), "MRPC": (3, 4), "RTE": (1, 2), "QNLI": (1, 2), "MNLI": (8, 9)}
WARM_UP, GROUP, LONGEST = 3, 50, 128


def read_rows(folder, task):
    with open(Path(folder) / task / "train.tsv", encoding="utf-8-sig") as file:
        lines = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [tuple(line[c] for c in COLUMNS[task]) for line in (lines if task == "CoLA" else lines[1:])]


def make_model(weights, layers):
    config = BertConfig.from_pretrained(weights, num_labels=2)
    config.num_hidden_layers = layers or config.num_hidden_layers
    return BertForSequenceClassification.from_pretrained(weights, config=config)


def make_batches(rows, size, grouped):
    order = list(range(len(rows)))
    random.Random(1).shuffle(order)
    if grouped:
        chunks = [order[i:i + GROUP * size] for i in range(0, len(order), GROUP * size)]
        order = [i for chunk in chunks for i in sorted(chunk, key=lambda i: -len(rows[i]["input_ids"]))]
    batches = [order[i:i + size] for i in range(0, len(order) - size + 1, size)]
    random.Random(2).shuffle(batches)
    return batches


def pad(rows, longest):
    fields = {}
    for name in ("input_ids", "token_type_ids", "attention_mask"):
        field = torch.zeros(len(rows), longest, dtype=torch.long)
        for i, row in enumerate(rows):
            field[i, :len(row[name])] = torch.tensor(row[name])
        fields[name] = field
    return fields


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--layers", type=int, default=0, help="of the student; 0: all")
    parser.add_argument("--teacher", help="weights of a teacher that runs beside the student")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--original", action="store_true")
    parser.add_argument("--steps", type=int, default=0, help="that are timed; 0: all of an epoch")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    tokenizer = AutoTokenizer.from_pretrained(options.weights)
    rows = [tokenizer(*row, truncation=True, max_length=LONGEST) for row in read_rows(options.data, options.task)]
    student = make_model(options.weights, options.layers).to(options.device).train()
    teacher = make_model(options.teacher, 0).to(options.device).eval() if options.teacher else None
    optimizer = torch.optim.AdamW(student.parameters(), lr=2e-5, fused=not options.original)

    def loss_of(fields, labels):
        low = options.precision == "bf16"
        with torch.autocast(options.device.split(":")[0], dtype=torch.bfloat16, enabled=low):
            outputs = student(**fields, labels=labels)
            if teacher is None:
                return outputs.loss
            with torch.no_grad():
                target = teacher(**fields).logits
        soft = torch.nn.functional.kl_div(torch.log_softmax(outputs.logits / 5, -1),
                                          torch.softmax(target / 5, -1), reduction="batchmean")
        return 0.5 * outputs.loss + 0.5 * 25 * soft

    def step(batch):
        chosen = [rows[i] for i in batch]
        longest = LONGEST if options.original else max(len(row["input_ids"]) for row in chosen)
        fields = {name: field.to(options.device) for name, field in pad(chosen, longest).items()}
        labels = torch.tensor([i % 2 for i in batch], device=options.device)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(fields, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    batches = make_batches(rows, options.batch, grouped=not options.original)
    for batch in batches[:WARM_UP]:
        step(batch)
    start = time.perf_counter()
    timed = batches[WARM_UP:][:options.steps or None]
    for batch in timed:
        step(batch)
    samples = sum(len(batch) for batch in timed)
    print(json.dumps({"samples_per_s": samples / (time.perf_counter() - start), "samples": samples}))


if __name__ == "__main__":
    main()
