# SPDX-License-Identifier: MIT
"""reference_glue_tsv_test.py SCRIPT KDBENCH SHARED: real GLUE files, put into Hugging Face's encoding, come back from
io/glue_tsv.py with the same texts and labels, and kdbench makes as many tokens of both."""
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from hugging_face_glue import CONFIGS, table_of, write_parquet

SCRIPT, KDBENCH, SHARED = sys.argv[1], sys.argv[2], Path(sys.argv[3])
GLUE = SHARED / "data" / "glue"

# Configuration, split, file there, file of kdbench, columns of the texts, column of the label (from 0; None: no label).
# What is no whole official file stands in for one, in the official columns.
FILES = [
    ("cola", "train", "CoLA/train.tsv", "CoLA/train.tsv", [3], 1),
    ("cola", "validation", "CoLA/dev.tsv", "CoLA/dev.tsv", [3], 1),
    ("cola", "test", "CoLA/test.tsv", "CoLA/test.tsv", [1], None),
    ("sst2", "train", "SST-2/train.tsv", "SST-2/train.tsv", [0], 1),
    ("sst2", "validation", "SST-2/dev.tsv", "SST-2/dev.tsv", [0], 1),
    ("sst2", "test", "SST-2/test.tsv", "SST-2/test.tsv", [1], None),
    ("mrpc", "train", "MRPC/train.tsv", "MRPC/train.tsv", [3, 4], 0),
    ("mrpc", "validation", "MRPC/dev.tsv", "MRPC/dev.tsv", [3, 4], 0),
    ("mrpc", "test", "MRPC/test.tsv", "MRPC/test.tsv", [3, 4], None),
    ("stsb", "train", "STS-B/train.tsv", "STS-B/train.tsv", [7, 8], 9),
    ("stsb", "validation", "STS-B/dev.tsv", "STS-B/dev.tsv", [7, 8], 9),
    ("stsb", "test", "STS-B/test.tsv", "STS-B/test.tsv", [7, 8], None),
    ("qqp", "train", "QQP/train.subset9999.rebuilt.tsv", "QQP/train.tsv", [3, 4], 5),
    ("mnli", "train", "MNLI/train.subset9999.rebuilt.tsv", "MNLI/train.tsv", [8, 9], 11),
    ("mnli", "validation_matched", "MNLI/dev_matched.rebuilt.tsv", "MNLI/dev_matched.tsv", [8, 9], 15),
    ("mnli", "validation_mismatched", "MNLI/dev_mismatched.subset1000.tokenized.tsv", "MNLI/dev_mismatched.tsv", [8, 9],
     15),
    ("qnli", "train", "QNLI/train.subset9999.rebuilt.tsv", "QNLI/train.tsv", [1, 2], 3),
    ("qnli", "validation", "QNLI/dev.tsv", "QNLI/dev.tsv", [1, 2], 3),
    ("qnli", "test", "QNLI/test.tsv", "QNLI/test.tsv", [1, 2], None),
    ("rte", "train", "RTE/train.tsv", "RTE/train.tsv", [1, 2], 3),
    ("rte", "validation", "RTE/dev.tsv", "RTE/dev.tsv", [1, 2], 3),
    ("rte", "test", "RTE/test.tsv", "RTE/test.tsv", [1, 2], None),
    ("wnli", "train", "WNLI/train.tsv", "WNLI/train.tsv", [1, 2], 3),
    ("wnli", "validation", "WNLI/dev.tsv", "WNLI/dev.tsv", [1, 2], 3),
    ("wnli", "test", "WNLI/test.tsv", "WNLI/test.tsv", [1, 2], None),
    ("ax", "test", "diagnostic/diagnostic.tsv", "diagnostic/diagnostic.tsv", [1, 2], None),
]
PREPARED = "CoLA,SST-2,MRPC,STS-B,QQP,MNLI,QNLI,RTE,WNLI,AX"


def official_rows(path, texts, label, header):
    """(texts, label) of each row, as the file has them."""
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    if lines[-1] == "":
        lines.pop()
    for line in lines[1 if header else 0:]:
        cells = line.split("\t")
        yield [cells[i] for i in texts], None if label is None else cells[label]


def has_header(config, split):
    return config != "cola" or split == "test"


def number_of(config, label):
    """The label as Hugging Face has it."""
    names = CONFIGS[config][1]
    if label is None:
        return -1
    if names is None:
        return float(label)
    return names.index(label) if label in names else int(label)


def equal(config, found, expected):
    if config == "stsb" and expected[1] is not None:
        scores = [struct.pack("f", float(row[1])) for row in (found, expected)]
        return found[0] == expected[0] and scores[0] == scores[1]
    return found == expected


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def tokens_of(root, results):
    """Task, split, rows and tokens of all that kdbench prepares."""
    said = run(KDBENCH, "prepare", "--data", root, "--tasks", PREPARED, "--tokenizer",
               SHARED / "data" / "vocab" / "bert-base-uncased", "--out", results)
    return [line.rsplit(None, 1)[0] for line in said.splitlines() if " tokens " in line]


def main():
    if not GLUE.is_dir():
        print(f"no {GLUE}")
        sys.exit(1 if os.environ.get("CI") else 77)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for config, split, file, name, texts, label in FILES:
            official = folder / "official" / name
            official.parent.mkdir(parents=True, exist_ok=True)
            official.symlink_to((GLUE / file).resolve())
            rows = official_rows(GLUE / file, texts, label, has_header(config, split))
            # MRPC's idx counts the rows of train and dev together, so that it has gaps.
            step = 2 if config == "mrpc" else 1
            numbered = ((step * i, row[0], number_of(config, row[1])) for i, row in enumerate(rows))
            write_parquet(folder / "hf", config, split, table_of(config, numbered))
        print(run(sys.executable, SCRIPT, "--from", folder / "hf", "--out", folder / "made"))
        failures = 0
        for config, split, file, name, texts, label in FILES:
            header = has_header(config, split)
            expected = list(official_rows(GLUE / file, texts, label, header))
            found = list(official_rows(folder / "made" / name, texts, label, header))
            wrong = [i for i, rows in enumerate(zip(found, expected)) if not equal(config, *rows)]
            if len(found) != len(expected) or wrong:
                print(f"FAILED: {name}: {len(found)} rows of {len(expected)}, {len(wrong)} differ")
                failures += 1
        official, made = (tokens_of(folder / root, folder / "results") for root in ("official", "made"))
        if official != made or len(made) != len(FILES) + 1:  # the diagnostic set is MNLI's too
            print("FAILED: kdbench reads", *official, "and", *made, sep="\n")
            failures += 1
    sys.exit(1 if failures else 0)


main()
