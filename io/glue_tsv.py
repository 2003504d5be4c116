#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes GLUE's own TSV files, which kdbench reads, from Hugging Face's data set `glue`.

    python3 io/glue_tsv.py --from FOLDER --out data/glue [--tasks RTE,MNLI] [--force]

FOLDER has one folder a configuration (cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte, wnli, ax):
parquet files as in the repository nyu-mll/glue, or what `datasets` wrote with save_to_disk. Nothing
is downloaded. Rows are written in the order of idx. What the data set does not have (ids, genres,
parses, single annotators' labels) becomes "_", which kdbench does not read. All files are made
beside their names first: with any problem none appears.
"""
import argparse
import json
import re
import struct
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

LISTED_ROWS = 5
SPACES = str.maketrans("\t\n\r", "   ")


class Problem(Exception):
    """A user's mistake: what, where, what to do."""


class Split(NamedTuple):
    places: Tuple[Tuple[str, str], ...]  # (configuration, split) there, the first that is found
    file: str  # below --out
    columns: Tuple[str, ...]  # of the official file
    rows: int  # in GLUE
    labelled: bool
    header: bool = True


class Task(NamedTuple):
    texts: Dict[str, str]  # official column -> theirs
    label: str  # official column
    labels: Tuple[Tuple[str, str], ...]  # their names in the order of their numbers, with ours
    splits: Tuple[Split, ...]


def three(config: str, task: str, columns: str, test: str, rows: Tuple[int, int, int],
          header: bool = True) -> Tuple[Split, ...]:
    """The splits of a task with train, dev and test."""
    labelled, unlabelled = tuple(columns.split(",")), tuple(test.split(","))
    return (Split(((config, "train"),), f"{task}/train.tsv", labelled, rows[0], True, header),
            Split(((config, "validation"),), f"{task}/dev.tsv", labelled, rows[1], True, header),
            Split(((config, "test"),), f"{task}/test.tsv", unlabelled, rows[2], False))


def mnli_splits() -> Tuple[Split, ...]:
    """MNLI; its dev and test rows are also configurations of their own."""
    columns = ("index,promptID,pairID,genre,sentence1_binary_parse,sentence2_binary_parse,"
               "sentence1_parse,sentence2_parse,sentence1,sentence2").split(",")
    train = (*columns, "label1", "gold_label")
    dev = (*columns, "label1", "label2", "label3", "label4", "label5", "gold_label")
    splits = [Split((("mnli", "train"),), "MNLI/train.tsv", train, 392702, True)]
    for kind, dev_rows, test_rows in (("matched", 9815, 9796), ("mismatched", 9832, 9847)):
        places = (("mnli", f"validation_{kind}"), (f"mnli_{kind}", "validation"))
        splits.append(Split(places, f"MNLI/dev_{kind}.tsv", dev, dev_rows, True))
        places = (("mnli", f"test_{kind}"), (f"mnli_{kind}", "test"))
        splits.append(Split(places, f"MNLI/test_{kind}.tsv", tuple(columns), test_rows, False))
    return tuple(splits)


ENTAILMENT = (("entailment", "entailment"), ("not_entailment", "not_entailment"))
THREE_WAY = tuple((name, name) for name in ("entailment", "neutral", "contradiction"))
PAIR = {"sentence1": "sentence1", "sentence2": "sentence2"}
PREMISE = {"sentence1": "premise", "sentence2": "hypothesis"}
STSB = "index,genre,filename,year,old_index,source1,source2,sentence1,sentence2"
MRPC = "#1 ID,#2 ID,#1 String,#2 String"

TASKS = {
    "CoLA": Task({"sentence": "sentence"}, "label", (("unacceptable", "0"), ("acceptable", "1")),
                 three("cola", "CoLA", "source,label,mark,sentence", "index,sentence",
                       (8551, 1043, 1063), header=False)),
    "SST-2": Task({"sentence": "sentence"}, "label", (("negative", "0"), ("positive", "1")),
                  three("sst2", "SST-2", "sentence,label", "index,sentence", (67349, 872, 1821))),
    "MRPC": Task({"#1 String": "sentence1", "#2 String": "sentence2"}, "Quality",
                 (("not_equivalent", "0"), ("equivalent", "1")),
                 three("mrpc", "MRPC", "Quality," + MRPC, "index," + MRPC, (3668, 408, 1725))),
    "STS-B": Task(PAIR, "score", (),
                  three("stsb", "STS-B", STSB + ",score", STSB, (5749, 1500, 1379))),
    "QQP": Task({"question1": "question1", "question2": "question2"}, "is_duplicate",
                (("not_duplicate", "0"), ("duplicate", "1")),
                three("qqp", "QQP", "id,qid1,qid2,question1,question2,is_duplicate",
                      "id,question1,question2", (363846, 40430, 390965))),
    "MNLI": Task(PREMISE, "gold_label", THREE_WAY, mnli_splits()),
    "QNLI": Task({"question": "question", "sentence": "sentence"}, "label", ENTAILMENT,
                 three("qnli", "QNLI", "index,question,sentence,label", "index,question,sentence",
                       (104743, 5463, 5463))),
    "RTE": Task(PAIR, "label", ENTAILMENT,
                three("rte", "RTE", "index,sentence1,sentence2,label", "index,sentence1,sentence2",
                      (2490, 277, 3000))),
    "WNLI": Task(PAIR, "label", (("not_entailment", "0"), ("entailment", "1")),
                 three("wnli", "WNLI", "index,sentence1,sentence2,label",
                       "index,sentence1,sentence2", (635, 71, 146))),
    "AX": Task(PREMISE, "", THREE_WAY,
               (Split((("ax", "test"),), "diagnostic/diagnostic.tsv",
                      ("index", "sentence1", "sentence2"), 1104, False),)),
}


# ---- finding and reading their files


def shards(folder: Path, split: str) -> List[Path]:
    """<split>-00000-of-00002.parquet, ...: in order, all of them."""
    pattern = re.compile(re.escape(split) + r"-(\d+)-of-(\d+)\.parquet")
    found = {}
    for path in folder.iterdir():
        match = pattern.fullmatch(path.name)
        if match:
            found.setdefault(int(match[2]), {})[int(match[1])] = path
    if len(found) > 1:
        raise Problem(f"{folder}: {split} is there in {' and in '.join(map(str, sorted(found)))}"
                      " parts: keep one of the two")
    if not found:
        return []
    (count, parts), = found.items()
    missing = [f"{split}-{i:05}-of-{count:05}.parquet" for i in range(count) if i not in parts]
    if missing:
        raise Problem(f"{folder}: missing {', '.join(missing)}")
    return [parts[i] for i in range(count)]


def saved_files(folder: Path) -> List[Path]:
    """The files of one split that save_to_disk has written."""
    state = folder / "state.json"
    if not state.is_file():
        return []
    try:
        described = json.loads(state.read_text(encoding="utf-8"))
        names = [entry["filename"] for entry in described["_data_files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Problem(f"{state}: is not what save_to_disk writes ({error!r})") from error
    if described.get("_indices_data_files") or described.get("_indices_files"):
        raise Problem(f"{state}: the rows are a selection that stands beside them; save it again "
                      "after flatten_indices()")
    return [folder / name for name in names]


def files_of(folder: Path, split: str) -> List[Path]:
    """The files of a split in a configuration's folder; none: it is not there."""
    if not folder.is_dir():
        return []
    whole = folder / f"{split}.parquet"
    below = folder / split
    return (shards(folder, split) or ([whole] if whole.is_file() else [])
            or (sorted(below.glob("*.parquet")) or saved_files(below) if below.is_dir() else []))


def read_table(path: Path):
    """One file as an Arrow table."""
    import pyarrow
    from pyarrow import parquet
    try:
        with open(path, "rb") as file:
            if file.read(40).startswith(b"version https://git-lfs"):
                raise Problem(f"{path}: is a Git LFS pointer, not the file; `git lfs pull` has it")
        if path.suffix == ".parquet":
            return parquet.read_table(path, partitioning=None)
        with pyarrow.memory_map(str(path)) as source:
            return pyarrow.ipc.open_stream(source).read_all()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise Problem(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error


# ---- a split's rows in our words


def label_names(table) -> Optional[List[str]]:
    """Names of the label's numbers, where the files say them."""
    try:
        described = json.loads((table.schema.metadata or {})[b"huggingface"])
        return list(described["info"]["features"]["label"]["names"])
    except (KeyError, ValueError, TypeError):
        return None


def score_text(value, single: bool) -> Optional[str]:
    """The shortest decimals that are this number: 3.8, not the 3.7999999523 of 32 bits."""
    if not isinstance(value, (int, float)) or not 0 <= value <= 5:
        return None
    for digits in range(1, 10 if single else 1):
        text = f"{value:.{digits}g}"
        if struct.pack("f", float(text)) == struct.pack("f", value):
            return text
    return repr(value)


def label_texts(table, task: Task, where: str) -> List[Optional[str]]:
    """The official label of each row; None where there is none that fits."""
    import pyarrow
    kind = table.schema.field("label").type
    values = table.column("label").to_pylist()
    if not task.labels:
        return [score_text(value, pyarrow.types.is_float32(kind)) for value in values]
    ours = dict(task.labels)
    names = label_names(table) or list(ours)
    if set(names) != set(ours):
        raise Problem(f"{where}: its labels are called {', '.join(names)}; expected "
                      f"{', '.join(ours)}")
    if pyarrow.types.is_integer(kind):
        by_number = {number: ours[name] for number, name in enumerate(names)}
        return [by_number.get(value) for value in values]
    if pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind):
        words = {**ours, **{word: word for word in ours.values()}}
        return [words.get(value) for value in values]
    raise Problem(f"{where}: the column label holds {kind}; expected integers or names")


def row_order(table, where: str) -> List[int]:
    """Positions of the rows in the order of idx; as they stand where there is no idx."""
    if "idx" not in table.column_names:
        return list(range(table.num_rows))
    indices = table.column("idx").to_pylist()
    if not all(isinstance(index, int) for index in indices):
        raise Problem(f"{where}: the column idx has rows without a number")
    if len(set(indices)) != len(indices):
        raise Problem(f"{where}: {len(indices) - len(set(indices))} rows have the idx of another")
    return sorted(range(len(indices)), key=indices.__getitem__)


def text_column(table, name: str, where: str) -> Tuple[List[str], int]:
    """Cells of a file without quoting: tabs and line ends are spaces. In how many that was so."""
    try:
        values = table.column(name).to_pylist()
    except UnicodeDecodeError as error:
        raise Problem(f"{where}: the column {name} is not valid UTF-8") from error
    wrong = [row for row, value in enumerate(values) if not isinstance(value, str)]
    if wrong:
        raise Problem(f"{where}: the column {name} has {len(wrong)} rows without a text, the first "
                      f"is row {wrong[0]}")
    cells = [value.translate(SPACES) for value in values]
    return cells, sum(cell != value for cell, value in zip(cells, values))


def check_labels(table, labels: List[Optional[str]], where: str) -> None:
    wrong = [row for row, label in enumerate(labels) if label is None]
    if not wrong:
        return
    values = table.column("label")
    listed = ", ".join(f"row {row}: {values[row].as_py()}" for row in wrong[:LISTED_ROWS])
    more = f", and {len(wrong) - LISTED_ROWS} more" if len(wrong) > LISTED_ROWS else ""
    raise Problem(f"{where}: {len(wrong)} rows have a label that is none ({listed}{more})")


def lines_of(table, task: Task, split: Split, where: str) -> Tuple[List[str], int]:
    """The file's lines, the header included; in how many texts something became a space."""
    wanted = list(task.texts.values()) + (["label"] if split.labelled else [])
    missing = [name for name in wanted if name not in table.column_names]
    if missing:
        raise Problem(f"{where}: no column {', '.join(missing)}; there are "
                      f"{', '.join(table.column_names)}")
    if table.num_rows == 0:
        raise Problem(f"{where}: has no rows")
    order = row_order(table, where)
    filled: Dict[str, list] = {}
    replaced = 0
    for column, theirs in task.texts.items():
        filled[column], changed = text_column(table, theirs, where)
        replaced += changed
    if split.labelled:
        filled[task.label] = label_texts(table, task, where)
        check_labels(table, filled[task.label], where)
    lines = ["\t".join(split.columns)] if split.header else []
    for number, row in enumerate(order):
        unknown = {"index": str(number), "id": str(number)}
        lines.append("\t".join(filled[column][row] if column in filled
                               else unknown.get(column, "_") for column in split.columns))
    return lines, replaced


class Found(NamedTuple):
    task: Task
    split: Split
    where: str
    files: List[Path]


def find_splits(source: Path, names: List[str], asked: bool, problems: List[str]) -> List[Found]:
    """What is there of the tasks; something must be of each that was asked for."""
    found: List[Found] = []
    for name in names:
        before = len(found), len(problems)
        for split in TASKS[name].splits:
            try:
                places = [Found(TASKS[name], split, f"{source / config / theirs}", files)
                          for config, theirs in split.places
                          for files in [files_of(source / config, theirs)] if files]
                found += places[:1]
            except Problem as problem:
                problems.append(str(problem))
        if asked and before == (len(found), len(problems)):
            configs = sorted({config for split in TASKS[name].splits for config, _ in split.places})
            problems.append(f"{name}: no folder {' or '.join(configs)} with its files in {source}")
    if not found and not problems:
        problems.append(f"--from: no GLUE in {source}; expected folders cola, sst2, mrpc, ... "
                        "with <split>-00000-of-00001.parquet, or what save_to_disk wrote")
    return found


def convert(found: Found, out: Path, made: List[Tuple[Path, Path]]) -> str:
    """Writes one file beside its name; returns what is said of it."""
    import pyarrow
    tables = [read_table(path) for path in found.files]
    if any(table.schema != tables[0].schema for table in tables):
        raise Problem(f"{found.where}: its files have different columns")
    table = pyarrow.concat_tables(tables)
    lines, replaced = lines_of(table, found.task, found.split, found.where)
    path = out / found.split.file
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    made.append((partial, path))
    partial.write_bytes(("\n".join(lines) + "\n").encode("utf-8"))
    said = f"{found.split.file:26} {table.num_rows:7} rows"
    if table.num_rows != found.split.rows:
        said += f" (GLUE has {found.split.rows})"
    if replaced:
        said += f"; in {replaced} texts tabs or line ends became spaces"
    return said


def make_files(found: List[Found], out: Path, problems: List[str]) -> List[str]:
    """All files or, with any problem, none; returns what is said of them."""
    made: List[Tuple[Path, Path]] = []
    said = []
    try:
        for entry in found:
            try:
                said.append(convert(entry, out, made))
            except Problem as problem:
                problems.append(str(problem))
        if not problems:
            for partial, path in made:
                partial.replace(path)
    finally:
        for partial, _ in made:
            partial.unlink(missing_ok=True)
    return said


def run(source: Path, out: Path, names: List[str], asked: bool, force: bool) -> int:
    problems = [] if source.is_dir() else [f"--from: no folder {source}"]
    found = [] if problems else find_splits(source, names, asked, problems)
    if out.exists() and not out.is_dir():
        problems.append(f"--out: {out} is no folder")
        found = []
    if not force:
        problems += [f"{out / entry.split.file}: is there already; --force replaces it"
                     for entry in found if (out / entry.split.file).exists()]
    said = make_files(found, out, problems)
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        print(f"glue_tsv: {count}; nothing was written", *problems, sep="\n  ", file=sys.stderr)
        return 2
    print(*said, sep="\n")
    return 0


def task_list(text: str) -> List[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in TASKS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown task {', '.join(unknown)}; there are "
                                         f"{', '.join(TASKS)}")
    return names


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="glue_tsv.py", description=__doc__.split("\n\n")[0],
        epilog="exit codes: 0 done, 2 your input is wrong, 3 the machine failed")
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="FOLDER",
                        help="has one folder a configuration: cola, sst2, ..., ax")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="e.g. data/glue")
    parser.add_argument("--tasks", type=task_list, metavar="A,B",
                        help=f"of {', '.join(TASKS)}; else all that are there")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    options = parser.parse_args()
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        print("glue_tsv: needs pyarrow: python3 -m pip install pyarrow", file=sys.stderr)
        return 3
    try:
        return run(options.source, options.out, options.tasks or list(TASKS),
                   options.tasks is not None, options.force)
    except OSError as error:
        print(f"glue_tsv: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
