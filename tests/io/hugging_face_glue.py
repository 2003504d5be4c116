# SPDX-License-Identifier: MIT
"""GLUE in Hugging Face's encoding, for the tests of io/glue_tsv.py: columns, numbers of labels, and
the two forms in which it is had (parquet, save_to_disk)."""
import json
import random
import sys
from pathlib import Path

try:
    import pyarrow
    from pyarrow import parquet
except ImportError:
    print("no pyarrow (python3 -m pip install pyarrow)")
    sys.exit(77)

# Configuration -> its text columns, the names of its labels in the order of their numbers.
CONFIGS = {
    "cola": (["sentence"], ["unacceptable", "acceptable"]),
    "sst2": (["sentence"], ["negative", "positive"]),
    "mrpc": (["sentence1", "sentence2"], ["not_equivalent", "equivalent"]),
    "qqp": (["question1", "question2"], ["not_duplicate", "duplicate"]),
    "stsb": (["sentence1", "sentence2"], None),
    "mnli": (["premise", "hypothesis"], ["entailment", "neutral", "contradiction"]),
    "mnli_matched": (["premise", "hypothesis"], ["entailment", "neutral", "contradiction"]),
    "mnli_mismatched": (["premise", "hypothesis"], ["entailment", "neutral", "contradiction"]),
    "qnli": (["question", "sentence"], ["entailment", "not_entailment"]),
    "rte": (["sentence1", "sentence2"], ["entailment", "not_entailment"]),
    "wnli": (["sentence1", "sentence2"], ["not_entailment", "entailment"]),
    "ax": (["premise", "hypothesis"], ["entailment", "neutral", "contradiction"]),
}


def table_of(config, rows, names=None, described=True):
    """rows of (idx, texts, number of the label or score) as a table, in another order than idx's."""
    texts, labels = CONFIGS[config]
    rows = list(rows)
    random.Random(len(rows)).shuffle(rows)
    columns = {name: [row[1][i] for row in rows] for i, name in enumerate(texts)}
    columns["label"] = [row[2] for row in rows]
    columns["idx"] = [row[0] for row in rows]
    kinds = [(name, pyarrow.string()) for name in texts]
    kinds += [("label", pyarrow.int64() if labels else pyarrow.float32()), ("idx", pyarrow.int32())]
    label = {"names": names or labels, "_type": "ClassLabel"} if labels else {"dtype": "float32"}
    metadata = {"huggingface": json.dumps({"info": {"features": {"label": label}}})}
    schema = pyarrow.schema(kinds, metadata=metadata if described else None)
    return pyarrow.table(columns, schema=schema)


def write_parquet(root, config, split, table, parts=1):
    folder = Path(root) / config
    folder.mkdir(parents=True, exist_ok=True)
    size = -(-table.num_rows // parts)
    for part in range(parts):
        parquet.write_table(table.slice(part * size, size),
                            folder / f"{split}-{part:05}-of-{parts:05}.parquet")


def save_to_disk(root, config, split, table):
    folder = Path(root) / config / split
    folder.mkdir(parents=True, exist_ok=True)
    name = "data-00000-of-00001.arrow"
    with pyarrow.OSFile(str(folder / name), "wb") as file:
        with pyarrow.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
