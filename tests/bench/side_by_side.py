# SPDX-License-Identifier: MIT
"""kdbench beside what users would run instead: samples per second of training on the same rows, from the same weights, in turn.
Needs Python with torch and transformers. Prints a table in Markdown."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

WARM_UP, BATCH = 3, 32
STEPS = {"CoLA": 32, "SST-2": 32, "MRPC": 10, "RTE": 8}
STEPS_OF_ORIGINAL = 3  # each as long as the other: every row is as long
EXPERIMENT = """name = "side-by-side"
[data]
root = "{data}"
tasks = ["{task}"]
max_seq_length = 128
{teacher}
[student]
weights = "{weights}"
init = "first-layers"
layers = {layers}
[train]
batch_size = 32
epochs = 1
learning_rate = 2e-5
precision = "{precision}"
[[method]]
name = "{method}"
"""
PEER = Path(__file__).parent / "peers" / "hugging_face.py"


def cut_data(source, folder, task, rows):
    """The first rows to train on, and a few to score: no time is spent on scores."""
    (folder / task).mkdir(parents=True)
    header = 0 if task == "CoLA" else 1
    for split in ("train", "dev", "test"):
        lines = (Path(source) / task / f"{split}.tsv").read_text(encoding="utf-8-sig").splitlines(keepends=True)
        kept = lines[:rows + header] if split == "train" else lines[:17]
        (folder / task / f"{split}.tsv").write_text("".join(kept), encoding="utf-8")


def layers_of(weights):
    return json.loads((Path(weights) / "config.json").read_text())["num_hidden_layers"]


class Bench:
    def __init__(self, options, scratch):
        self.options, self.scratch = options, scratch
        self.layers = layers_of(options.weights)

    def kdbench(self, task, ranks, kd, precision):
        teacher = f'[teacher]\nweights = "{self.options.weights}"\n[teacher.train]\n' if kd else ""  # and has a classifier
        text = EXPERIMENT.format(data=self.scratch / "data", task=task, teacher=teacher, weights=self.options.weights,
                                 layers=self.layers // 2 if kd else self.layers, precision=precision,
                                 method="kd" if kd else "finetune")
        with tempfile.TemporaryDirectory(dir=self.scratch) as out:
            file = Path(out) / "experiment.toml"
            file.write_text(text)
            command = [self.options.kdbench, "run", str(file), "--out", out, "--threads", "1", "--device", "cpu", "--quiet"]
            if ranks == 1:
                command = ["taskset", "-c", "0", *command]
            else:
                command = ["mpirun", "--bind-to", "none", "-n", str(ranks), *command]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            (events,) = (path for path in Path(out).glob("side-by-side/*/events.jsonl") if "-teacher-" not in str(path))
            steps = [json.loads(line) for line in events.read_text().splitlines()]
        steps = [step for step in steps if step["type"] == "step"][WARM_UP:]
        return sum(step["samples"] for step in steps) / sum(step["step_s"] for step in steps)

    def hugging_face(self, task, threads, kd, precision, original):
        command = ["taskset", "-c", ",".join(map(str, range(threads))), sys.executable, str(PEER),
                   "--data", str(self.scratch / "data"), "--task", task, "--weights", self.options.weights,
                   "--threads", str(threads), "--precision", precision]
        command += ["--layers", str(self.layers // 2), "--teacher", self.options.weights] if kd else []
        command += ["--original", "--steps", str(STEPS_OF_ORIGINAL)] if original else []
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return json.loads(done.stdout.splitlines()[-1])["samples_per_s"]

    def row(self, task, kd, precision):
        ways = {
            "kdbench": lambda: self.kdbench(task, 1, kd, precision),
            "Hugging Face": lambda: self.hugging_face(task, 1, kd, precision, False),
            "originals' way": lambda: self.hugging_face(task, 1, kd, precision, True),
            "kdbench, 2 ranks": lambda: self.kdbench(task, 2, kd, precision),
            "Hugging Face, 2 threads": lambda: self.hugging_face(task, 2, kd, precision, False),
        }
        found = {name: [] for name in ways}
        for _ in range(self.options.repetitions):
            for name, way in ways.items():
                found[name].append(way())
        return {name: statistics.median(values) for name, values in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kdbench", default="build/kdbench")
    parser.add_argument("--data", required=True, help="folder in GLUE's layout")
    parser.add_argument("--weights", required=True, help="Hugging Face folder of a BERT")
    parser.add_argument("--tasks", nargs="*", default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--kd", nargs="*", default=["MRPC"], choices=list(STEPS),
                        help="tasks of a row by kd: half of the layers learn from all of them")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    options.kdbench, options.weights = os.path.abspath(options.kdbench), os.path.abspath(options.weights)

    print("| rows | kdbench | Hugging Face | originals' way | ratio | kdbench, 2 ranks | Hugging Face, 2 threads | ratio | 2 ranks / 1 |")
    print("|---|---|---|---|---|---|---|---|---|")
    for task, kd in [(task, False) for task in options.tasks] + [(task, True) for task in options.kd]:
        with tempfile.TemporaryDirectory() as scratch:
            cut_data(options.data, Path(scratch) / "data", task, (STEPS[task] + WARM_UP) * BATCH)
            found = Bench(options, Path(scratch)).row(task, kd, options.precision)
        one, peer, original, two, peer_two = found.values()
        print(f"| {task}{', kd' if kd else ''} | {one:.1f} | {peer:.1f} | {original:.1f} | {one / peer:.2f} | {two:.1f} | "
              f"{peer_two:.1f} | {two / peer_two:.2f} | {two / one:.2f} |", flush=True)


if __name__ == "__main__":
    main()
