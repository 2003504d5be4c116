# SPDX-License-Identifier: MIT
"""glue_tsv_test.py SCRIPT KDBENCH: made-up rows of all ten tasks, in Hugging Face's encoding, through io/glue_tsv.py
into kdbench; and what the script refuses."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from hugging_face_glue import CONFIGS, parquet, save_to_disk, table_of, write_parquet

SCRIPT, KDBENCH = sys.argv[1], sys.argv[2]
TASKS = "CoLA,SST-2,MRPC,STS-B,QQP,MNLI,QNLI,RTE,WNLI,AX"
SPLITS = {"mnli": ["train", "validation_matched", "validation_mismatched", "test_matched", "test_mismatched"],
          "ax": ["test"]}
TEN = ["cola", "sst2", "mrpc", "stsb", "qqp", "mnli", "qnli", "rte", "wnli", "ax"]
SCORES = [5.0, 3.8, 0.0, 4.167]


def made_up_rows(config, split):
    """Four rows; idx has gaps, as MRPC's and QQP's have."""
    texts, labels = CONFIGS[config]
    for row in range(4):
        words = [f'"{config} {split} {row}{chr(97 + i)}' for i in range(len(texts))]
        if split.startswith("test"):
            label = -1
        else:
            label = row % len(labels) if labels else SCORES[row]
        yield 3 * row + 1, words, label


class GlueTsv(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.source, self.out = self.folder / "hf", self.folder / "glue"
        self.source.mkdir()

    def convert(self, *arguments, code=0, python=()):
        done = subprocess.run([sys.executable, *python, SCRIPT, "--from", self.source, "--out", self.out, *arguments],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def put(self, config, split, rows, **how):
        write_parquet(self.source, config, split, table_of(config, rows, **how))

    def put_all(self, write=write_parquet, configs=TEN):
        for config in configs:
            for split in SPLITS.get(config, ["train", "validation", "test"]):
                write(self.source, config, split, table_of(config, made_up_rows(config, split)))

    def lines(self, file):
        return (self.out / file).read_text(encoding="utf-8").split("\n")

    def files(self):
        return {str(path.relative_to(self.out)): path.read_bytes() for path in self.out.rglob("*") if path.is_file()}

    def refused(self, *problems, arguments=()):
        before = self.files()
        said = self.convert(*arguments, code=2)
        self.assertIn(f"{len(problems)} problem", said)
        for problem in problems:
            self.assertIn(problem, said)
        self.assertEqual(self.files(), before, "something was written")

    def test_kdbench_reads_all_ten_tasks(self):
        self.put_all()
        self.convert()
        self.assertEqual(len(self.files()), 8 * 3 + 5 + 1)
        (self.folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]) + "\n")
        done = subprocess.run([KDBENCH, "prepare", "--data", self.out, "--tasks", TASKS, "--tokenizer", self.folder,
                               "--out", self.folder / "results"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # MNLI has the diagnostic set too.
        self.assertEqual(done.stdout.count(" 4 rows "), 8 * 3 + 6 + 1, done.stdout)

    def test_the_official_columns(self):
        self.put_all()
        self.convert("--tasks", "CoLA,STS-B,MNLI,QQP,AX")
        self.assertEqual(self.lines("CoLA/dev.tsv")[:2],
                         ['_\t0\t_\t"cola validation 0a', '_\t1\t_\t"cola validation 1a'])
        self.assertEqual(self.lines("CoLA/test.tsv")[:2], ["index\tsentence", '0\t"cola test 0a'])
        self.assertEqual([line.split("\t")[-1] for line in self.lines("STS-B/train.tsv")],
                         ["score", "5", "3.8", "0", "4.167", ""])
        header, first, second = self.lines("MNLI/dev_mismatched.tsv")[:3]
        self.assertEqual(header.split("\t")[8:], ["sentence1", "sentence2", "label1", "label2", "label3", "label4",
                                                  "label5", "gold_label"])
        self.assertEqual(first.split("\t")[7:11], ["_", '"mnli validation_mismatched 0a',
                                                   '"mnli validation_mismatched 0b', "_"])
        self.assertTrue(first.endswith("\tentailment") and second.endswith("\tneutral"))
        self.assertEqual(self.lines("QQP/train.tsv")[2], '1\t_\t_\t"qqp train 1a\t"qqp train 1b\t1')
        self.assertEqual(self.lines("diagnostic/diagnostic.tsv")[4], '3\t"ax test 3a\t"ax test 3b')
        self.assertFalse((self.out / "RTE").exists())

    def test_saved_folders_and_parts_are_the_same(self):
        self.put_all()
        self.convert()
        expected = self.files()
        self.source, self.out = self.folder / "saved", self.folder / "from-saved"
        self.put_all(save_to_disk)
        self.convert()
        self.assertEqual(self.files(), expected)
        self.source, self.out = self.folder / "parts", self.folder / "from-parts"
        self.put_all(lambda *place: write_parquet(*place, parts=3))
        self.convert()
        self.assertEqual(self.files(), expected)

    def test_mnli_in_its_two_configurations(self):
        self.put_all(configs=["mnli_matched", "mnli_mismatched"])
        self.assertIn("MNLI/dev_matched.tsv", self.convert())
        self.assertEqual(len(self.files()), 4)

    def test_tabs_and_line_ends_become_spaces(self):
        self.put("sst2", "train", [(0, ["a\tb\r\nc"], 0), (1, ['"quoted" '], 1)])
        said = self.convert()
        self.assertEqual(self.lines("SST-2/train.tsv")[1:3], ["a b  c\t0", '"quoted" \t1'])
        self.assertIn("in 1 texts tabs or line ends became spaces", said)
        self.assertIn("2 rows (GLUE has 67349)", said)

    def test_the_files_own_names_of_labels(self):
        self.put("rte", "train", [(0, ["a", "b"], 0), (1, ["c", "d"], 1)], names=["not_entailment", "entailment"])
        self.put("rte", "validation", [(0, ["a", "b"], 0)], described=False)
        table = table_of("rte", [(0, ["a", "b"], 0)])
        table = table.set_column(table.column_names.index("label"), "label", [["not_entailment"]])
        (self.source / "wnli").mkdir()
        parquet.write_table(table, self.source / "wnli" / "train.parquet")
        self.convert()
        self.assertEqual(self.lines("RTE/train.tsv")[1:3], ["0\ta\tb\tnot_entailment", "1\tc\td\tentailment"])
        self.assertEqual(self.lines("RTE/dev.tsv")[1], "0\ta\tb\tentailment")
        self.assertEqual(self.lines("WNLI/train.tsv")[1], "0\ta\tb\t0")

    def test_all_problems_at_once(self):
        self.put("rte", "train", [(0, ["a", "b"], -1), (1, ["c", "d"], 2)])
        self.put("rte", "validation", [(0, ["a", None], 0)])
        self.put("rte", "test", [(0, ["a", "b"], -1)])
        self.put("wnli", "train", [(5, ["a", "b"], 0), (5, ["c", "d"], 1)])
        self.put("qnli", "train", [(0, ["a", "b"], 0)], names=["yes", "no"])
        self.put("stsb", "train", [(0, ["a", "b"], 5.5)])
        self.put("cola", "train", [])
        table = table_of("sst2", [(0, ["a"], 0)])
        write_parquet(self.source, "sst2", "train", table.rename_columns(["text", "label", "idx"]))
        write_parquet(self.source, "qqp", "train", table_of("qqp", made_up_rows("qqp", "train")), parts=2)
        (self.source / "qqp" / "train-00001-of-00002.parquet").unlink()
        (self.source / "ax").mkdir()
        (self.source / "ax" / "test.parquet").write_text("version https://git-lfs.github.com/spec/v1\noid 0\n")
        (self.source / "mnli").mkdir()
        (self.source / "mnli" / "train.parquet").write_text("PAR1 and no more")
        save_to_disk(self.source, "mrpc", "train", table_of("mrpc", made_up_rows("mrpc", "train")))
        state = self.source / "mrpc" / "train" / "state.json"
        state.write_text(json.dumps({**json.loads(state.read_text()), "_indices_data_files": [{"filename": "i"}]}))
        self.refused("rte/train: 2 rows have a label that is none", "rte/validation: the column sentence2 has 1 rows",
                     "wnli/train: 1 rows have the idx of another", "qnli/train: its labels are called yes, no",
                     "stsb/train: 1 rows have a label", "cola/train: has no rows", "sst2/train: no column sentence",
                     "missing train-00001-of-00002.parquet", "is a Git LFS pointer",
                     "mnli/train.parquet: cannot be read", "a selection that stands beside them")

    def test_nothing_is_replaced_unless_asked(self):
        self.put("wnli", "train", [(0, ["a", "b"], 0)])
        self.convert()
        self.put("wnli", "train", [(0, ["a", "b"], 1)])
        self.refused("WNLI/train.tsv: is there already; --force")
        self.convert("--force")
        self.assertEqual(self.lines("WNLI/train.tsv")[1], "0\ta\tb\t1")

    def test_what_is_not_there(self):
        self.refused("no GLUE in ")
        self.refused("RTE: no folder rte", "MNLI: no folder mnli or mnli_matched or mnli_mismatched",
                     arguments=["--tasks", "RTE,MNLI"])
        self.assertIn("unknown task SST2", self.convert("--tasks", "SST2", code=2))
        self.out.write_text("a file")
        self.source = self.folder / "nothing"
        self.refused("--from: no folder ", "glue is no folder")

    def test_without_pyarrow(self):
        self.assertIn("python3 -m pip install pyarrow", self.convert(code=3, python=["-I", "-S"]))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
