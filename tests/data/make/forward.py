#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A BERT's states by the formulas, in double precision: forward.safetensors of the tests' data.

pip install numpy==2.3.5; python3 tests/data/make/forward.py tests/data
"""
import json
import math
import pathlib
import struct
import sys

import numpy as np

TYPES = {"F32": np.float32, "I64": np.int64}


def read(file):
    content = file.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            values = np.frombuffer(content[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
            tensors[name.removeprefix("bert.")] = values.astype(np.float64)
    return tensors


def write(file, tensors):
    header, data = {}, b""
    for name, (dtype, values) in tensors.items():
        content = np.ascontiguousarray(values, TYPES[dtype]).tobytes()
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(struct.pack("<Q", len(text)) + text + data)


class Bert:
    def __init__(self, folder):
        self.weights = read(folder / "model.safetensors")
        self.config = json.loads((folder / "config.json").read_text())

    def linear(self, name, x):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def norm(self, name, x):
        scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + self.config["layer_norm_eps"])
        return scaled * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def attention(self, layer, x):
        heads = self.config["num_attention_heads"]
        q, k, v = (np.split(self.linear(f"{layer}.attention.self.{part}", x), heads, -1) for part in ("query", "key", "value"))
        context = []
        for head in range(heads):
            scores = np.exp(q[head] @ k[head].T / math.sqrt(x.shape[-1] / heads))
            context.append(scores / scores.sum(-1, keepdims=True) @ v[head])
        return np.concatenate(context, -1)

    def states(self, ids, types):
        """The embedding output and each layer's, of one row; then tanh(W [CLS] + b)."""
        w = self.weights
        x = (w["embeddings.word_embeddings.weight"][ids] + w["embeddings.token_type_embeddings.weight"][types]
             + w["embeddings.position_embeddings.weight"][:len(ids)])
        states = [self.norm("embeddings.LayerNorm", x)]
        for number in range(self.config["num_hidden_layers"]):
            layer, x = f"encoder.layer.{number}", states[-1]
            x = self.norm(f"{layer}.attention.output.LayerNorm",
                          x + self.linear(f"{layer}.attention.output.dense", self.attention(layer, x)))
            inner = self.linear(f"{layer}.intermediate.dense", x)
            inner = 0.5 * inner * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
            states.append(self.norm(f"{layer}.output.LayerNorm", x + self.linear(f"{layer}.output.dense", inner)))
        return np.stack(states), np.tanh(self.linear("pooler.dense", states[-1][0]))


def main():
    data = pathlib.Path(sys.argv[1])
    bert = Bert(data / "models/rte-deep-teacher")
    vocabulary, hidden = bert.config["vocab_size"], bert.config["hidden_size"]
    lengths, firsts = [3, 17, 9, 24, 12], [3, 8, 9, 10, 2]  # tokens of a row, of which so many are of type 0
    shape = (len(lengths), max(lengths))
    ids, types, mask = (np.zeros(shape, np.int64) for _ in range(3))
    hidden_states, pooled = np.zeros((bert.config["num_hidden_layers"] + 1, *shape, hidden)), np.zeros((len(lengths), hidden))
    for row, (length, first) in enumerate(zip(lengths, firsts)):
        ids[row, :length] = [(7919 * (row + 1) * (place + 1)) % vocabulary for place in range(length)]
        types[row, first:length] = 1
        mask[row, :length] = 1
        hidden_states[:, row, :length], pooled[row] = bert.states(ids[row, :length], types[row, :length])
    write(data / "forward.safetensors", {
        "input_ids": ("I64", ids), "token_type_ids": ("I64", types), "attention_mask": ("I64", mask),
        "hidden_states": ("F32", hidden_states), "pooled": ("F32", pooled)})


main()
