#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Made-up vocabularies and what the library "tokenizers" makes of texts with them: tokenizer/ of the tests' data.

pip install tokenizers==0.22.1; python3 tests/data/make/tokens.py tests/data
"""
import json
import pathlib
import random
import sys


from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA = ["<s>", "<pad>", "</s>", "<unk>"]  # and <mask>, the last one


def sentences(data):
    """The texts of the rows."""
    found = []
    for file in sorted((data / "rows").glob("*/*.tsv")):
        for line in file.read_text().splitlines():
            found += [cell for cell in line.split("\t") if " " in cell]
    return found


def write_records(file, tokenizer, texts, pairs, lengths):
    with open(file, "w") as out:
        def write(**record):
            out.write(json.dumps(record, separators=(",", ":")) + "\n")
        for text in texts:
            write(text=text, ids=tokenizer.encode(text, add_special_tokens=False).ids)
        for a, b in pairs:
            for length in lengths:
                tokenizer.enable_truncation(length, strategy="longest_first")
                row = tokenizer.encode(a) if b is None else tokenizer.encode(a, b)
                write(text_a=a, text_b=b, max_length=length, ids=row.ids, token_type_ids=row.type_ids)
        tokenizer.no_truncation()


def wordpiece(folder, texts):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=600, special_tokens=BERT, show_progress=False))
    vocabulary = [token for token, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def byte_bpe(folder, texts):
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    learner.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=700, special_tokens=ROBERTA, initial_alphabet=alphabet, show_progress=False))
    learner.model.save(str(folder))
    vocabulary = json.loads((folder / "vocab.json").read_text())
    vocabulary["<mask>"] = len(vocabulary)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":")))
    tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(ROBERTA + [AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=False, add_prefix_space=False)
    return tokenizer


def main():
    data = pathlib.Path(sys.argv[1])
    folder = data / "tokenizer"
    plain = sentences(data)
    odd = [json.loads(line) for line in (folder / "odd_texts.jsonl").read_text().splitlines()]
    draw = random.Random(1)
    pairs = [(draw.choice(plain), draw.choice(plain + [None] * 40)) for _ in range(30)]
    for name, make in ("wordpiece", wordpiece), ("byte_bpe", byte_bpe):
        (folder / name).mkdir(exist_ok=True)
        tokenizer = make(folder / name, plain + odd)
        write_records(folder / (name + ".jsonl"), tokenizer, draw.sample(plain, 60) + odd, pairs, [8, 15, 24, 128])


main()
