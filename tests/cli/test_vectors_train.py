import gzip
import json
import sys

import pytest
import spacy
from spacy.tokens import DocBin

from spacy_bilstm_tagger import cli

LINES = ["RT @mara_lune: so good http://bit.ly/x7", "@jo so good too http://bit.ly/q"]
TEXTS = "\n".join(LINES) + "\n"


@pytest.fixture
def train(monkeypatch, capsys):
    """Run `spacy-bilstm vectors train ...`; returns its exit code, stdout and stderr."""

    def call(*arguments):
        small = ["--dim", "2", "--epochs", "1"]
        monkeypatch.setattr(sys, "argv", ["spacy-bilstm", "vectors", "train", *map(str, arguments), *small])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code, *capsys.readouterr()

    return call


def _docs(path):
    nlp = spacy.blank("en")
    DocBin(docs=[nlp(line) for line in LINES]).to_disk(path)
    return path.read_bytes()


GOOD = {
    "texts.txt": lambda path: TEXTS.encode(),
    "texts": lambda path: TEXTS.replace("\n", "\r\n").encode("utf-8-sig"),
    "texts.gz": lambda path: gzip.compress(TEXTS.encode()),
    "texts.jsonl": lambda path: "\n".join(json.dumps({"text": line}) for line in LINES).encode(),
    "texts.spacy": _docs,
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("algorithm", ["word2vec", "fasttext"])
def test_train(name, algorithm, train, tmp_path):
    path = tmp_path / name
    path.write_bytes(GOOD[name](path))
    code, out, err = train(path, tmp_path / "out", "--algorithm", algorithm)
    assert (code, err) == (0, "")
    assert out == f"5 keys, 5 rows of width 2\n✔ {tmp_path / 'out'}\n"
    vectors = spacy.load(tmp_path / "out").vocab.vectors
    assert {vectors.strings[key] for key in vectors} == {"<unk>", "<user>", "<url>", "so", "good"}


def test_seed(train, tmp_path):
    (tmp_path / "texts.txt").write_text(TEXTS)
    tables = []
    for seed in (0, 0, 1):
        train(tmp_path / "texts.txt", tmp_path / "out", "--seed", seed)
        tables.append((tmp_path / "out" / "vocab" / "vectors").read_bytes())
    assert tables[0] == tables[1] != tables[2]


def test_options(train, tmp_path):
    (tmp_path / "texts.txt").write_text(TEXTS)
    options = ["--min-count", 1, "--prune-to", 3, "--dtype", "float16"]
    out = train(tmp_path / "texts.txt", tmp_path / "out", *options)[1]
    assert out.startswith("8 keys, 3 rows of width 2\n")
    assert spacy.load(tmp_path / "out").vocab.vectors.data.dtype == "float16"


def _cut(data):
    return data[: len(data) // 2]


BAD = {
    "empty.txt": (lambda path: b"", "found no text"),
    "blank.txt": (lambda path: b" \n\t\n", "found no text"),
    "rare.txt": (lambda path: b"every word once\n", "found no words that occur at least 2 times"),
    "latin1.txt": (lambda path: b"ok\ncaf\xe9\n", "line 2: not utf-8"),
    "no.jsonl": (lambda path: b'{"text": "a"}\n{"text": \n', "line 2: found '{\"text\":', expected"),
    "key.jsonl": (lambda path: b'{"txt": "a"}\n', 'line 1: found \'{"txt": "a"}\', expected a JSON object'),
    "list.jsonl": (lambda path: b"[1]\n", "line 1: found '[1]'"),
    "number.jsonl": (lambda path: b'{"text": 5}\n', "line 1: found '{\"text\": 5}'"),
    "null.jsonl": (lambda path: b'{"text": null}\n', "line 1: found '{\"text\": null}'"),
    "half.jsonl": (lambda path: b'{"text": "\\ud83d"}\n', "line 1: the text has half of a surrogate pair"),
    "empty.jsonl": (lambda path: b"", "found no text"),
    "cut.gz": (lambda path: _cut(gzip.compress(TEXTS.encode())), "cannot be read as"),
    "plain.gz": (lambda path: TEXTS.encode(), "cannot be read as"),
    "damaged.gz": (lambda path: gzip.compress(TEXTS.encode())[:10] + b"\xff" * 40, "cannot be read as"),
    "latin1.gz": (lambda path: gzip.compress(b"caf\xe9 caf\xe9"), "utf-8"),
    "cut.spacy": (lambda path: _cut(_docs(path)), "cannot be read as"),
    "plain.spacy": (lambda path: b"words", "cannot be read as"),
    "empty.spacy": (lambda path: b"", "cannot be read as"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_texts_are_one_line_and_leave_nothing(name, train, tmp_path):
    make, message = BAD[name]
    path = tmp_path / name
    path.write_bytes(make(path))
    code, out, err = train(path, tmp_path / "out")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"✘ {path}")
    assert message in err
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_texts_that_are_not_there(train, tmp_path):
    for path, problem in ((tmp_path / "none.txt", "no such file"), (tmp_path, "is a folder, expected a file")):
        assert train(path, tmp_path / "out") == (1, "", f"✘ {path}: {problem}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seed_that_gensim_cannot_take(seed, train, tmp_path):
    assert train("none", tmp_path / "out", "--seed", seed)[0] == 2
