"""Inputs of the commands that would give a wrong result without a word, or an error that nobody understands: one line each."""

import gzip
import io
import json
import os
import shutil
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spacy
import srsly
from golden.make import GOLDEN

PIPELINE = GOLDEN / "pipeline"
GOLD = "so\tUH\tO\nMara\tNNP\tB-person\n\nhi\tUH\tO\nKim\tNNP\tB-person\n"
RANGES = '{"text": "hello Paris"}\n{"text": "bye Rome", "label": [[4, 8, "place"]]}\n'


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with files that the cases name."""
    monkeypatch.chdir(tmp_path)
    files = {
        "t.txt": "so good\nso bad\n",
        "u.txt": "so good\n",
        "greet.log": "good morning\nhappy birthday\nhello Paris\nthank you\n",
        "two.jsonl": '{"text": "so good"}\n{"text": "so bad"}\n',
        "json.txt": '{"text": "so good"}\n',
        "cr.txt": "so good\rso bad\r",
        "columns.txt": "Mara\tB-PER\nleft\tO\n\nI\tO\n",
        "one.csv": "id;text\n1;a\n",
        "headless.csv": "1,so good\n2,so bad\n",
        "gold.tsv": GOLD,
        "posts.csv": "id,post\n1,so good\n",
        "csv.jsonl": "id,text\n1,so good\n",
        "ranges.jsonl": RANGES,
        "nan.json": '{"tag_acc": 90.5}',
        "sheet.csv": b"PK\x03\x04 and more",
        "utf16.txt": "so good\nso bad\n".encode("utf-16-le"),
        "plain.txt": gzip.compress(b"so good\n"),
        "gold.conllu.gz": gzip.compress(b"# text = so\n1\tso\t_\tX\tUH\t_\t_\t_\t_\t_\n\n"),
        "text.jsonl.gz": gzip.compress(b'{"text": "so good"}\n'),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "folder.jsonl").mkdir()
    return tmp_path


REFUSED = {
    "raw texts that may be columns": (
        ["pretag", PIPELINE, "greet.log", "o.conll"],
        "may be raw texts, one a line, or columns",
    ),
    "JSON lines in a .txt": (["pretag", PIPELINE, "json.txt", "o.tsv"], "json.txt: its first line is a JSON object"),
    "CSV without a column text": (
        ["pretag", PIPELINE, "posts.csv", "o.tsv"],
        "(Raw texts, one a line: name the file .txt",
    ),
    "the texts as the output": (
        ["pretag", PIPELINE, "t.txt", "t.txt", "--format", "tsv", "--overwrite"],
        "t.txt: is read too",
    ),
    "a folder as the output": (
        ["pretag", PIPELINE, "t.txt", "folder.jsonl", "--overwrite"],
        "folder.jsonl: is no name of a file",
    ),
    "fields of text": (
        ["annotate", PIPELINE, "t.txt", "o.jsonl", "--keep", "lang"],
        "no fields for --keep; leave it out",
    ),
    "an id of text": (["annotate", PIPELINE, "t.txt", "o.jsonl", "--id-field", "id"], "no fields for --id-field"),
    "fields of the standard input": (
        ["annotate", PIPELINE, "-", "o.jsonl", "--text-field", "body"],
        "no fields for --text-field; name the format by --input-format",
    ),
    "JSON as text": (
        ["annotate", PIPELINE, "json.txt", "o.jsonl"],
        "its first line is a JSON object; expected a text a line. Write JSON lines to a .jsonl file, or give --input-format",
    ),
    "columns as text": (
        ["annotate", PIPELINE, "columns.txt", "o.jsonl"],
        "columns.txt: its lines look like columns of tokens and labels, such as 'Mara\\tB-PER'; expected a text a line",
    ),
    "lines that end in CR": (["annotate", PIPELINE, "cr.txt", "o.jsonl"], "its lines end in CR alone"),
    "UTF-16 without a mark": (["annotate", PIPELINE, "utf16.txt", "o.jsonl"], "is UTF-16, expected UTF-8"),
    "gzip without its ending": (["annotate", PIPELINE, "plain.txt", "o.jsonl"], "is no text, but gzip; unpack it"),
    "a spreadsheet": (["annotate", PIPELINE, "sheet.csv", "o.jsonl"], "is no text, but a zip"),
    "another separator": (["annotate", PIPELINE, "one.csv", "o.jsonl", "--id-field", "no"], "has no column 'no'"),
    "no header": (["annotate", PIPELINE, "headless.csv", "o.jsonl"], "or write a first line that names the columns"),
    "the standard output": (["annotate", PIPELINE, "t.txt", "-"], "the standard output is not written to"),
    "a folder of that name": (
        ["annotate", PIPELINE, "t.txt", "folder.jsonl"],
        "folder.jsonl: is a folder, expected the name",
    ),
    "Parquet as a stream": (
        ["annotate", PIPELINE, "-", "o.jsonl", "--input-format", "parquet"],
        "Parquet cannot be read from the standard input",
    ),
    "an address without Ray": (["annotate", PIPELINE, "t.txt", "o.jsonl", "--address", "x"], "give --engine ray too"),
    "an encoding of escapes": (
        ["annotate", PIPELINE, "t.txt", "o.jsonl", "--encoding", "unicode_escape"],
        "expected UTF-8, or an encoding of single bytes",
    ),
    "a file that is not there": (["tag", "nofile.txt"], "nofile.txt: no file of texts, and no pipeline"),
    "a path that is not there": (["tag", "./data/x.csv"], "./data/x.csv: no file of texts, and no pipeline"),
    "a pipeline that is not there": (["tag", "en_nope", "hello"], "en_nope: no file of texts, and no pipeline"),
    "a pipeline of another name": (
        ["tag", "training/mien/model-best", "so good"],
        "model-best: no file of texts, and no pipeline",
    ),
    "the folder above a pipeline": (
        ["tag", "training", "so good"],
        "training: no file of texts, and no pipeline that is installed or lies there; there is one in training/model-best",
    ),
    "another folder above it": (["explain", "training", "so good"], "(there is one in training/model-best)"),
    "the input before the pipeline": (["annotate", "t.txt", PIPELINE, "o.jsonl"], "t.txt: is no pipeline"),
    "CSV as JSON lines": (
        ["annotate", PIPELINE, "csv.jsonl", "o.jsonl"],
        "none of its first 1000 lines is a JSON object",
    ),
    "a component to disable that is needed": (
        ["annotate", PIPELINE, "two.jsonl", "o.jsonl", "--disable", "tok2vec"],
        "cannot annotate a text (",
    ),
    "a text as the pipeline, and none to read": (
        ["explain", "so happy in Lisbon"],
        "is no pipeline; expected a folder",
    ),
    "a text as the pipeline": (["explain", "so long " * 60, "so"], "is no pipeline; expected a folder with config.cfg"),
    "raw texts on a card": (["card", "copy", "t.txt"], "t.txt: has no annotation of what the pipeline sets"),
    "an installed pipeline on a card": (["card", "en_tweet_sm", "gold.tsv"], "en_tweet_sm: holds no meta.json"),
    "a name twice on a card": (["card", "copy", "A=gold.tsv", "A=gold.tsv"], "a second corpus of the name 'A'"),
    "the data as the page": (["report", PIPELINE, "gold.tsv", "-o", "gold.tsv"], "gold.tsv: is read too"),
    "the page as the numbers": (
        ["report", PIPELINE, "gold.tsv", "-o", "r", "--json", "r"],
        "r: is the name of the page; give the numbers another one",
    ),
    "data twice": (["report", PIPELINE, "gold.tsv", "gold.tsv"], "a file is named twice"),
    "ranges after a text without": (["report", PIPELINE, "ranges.jsonl"], "ranges.jsonl, line 1: found"),
    "a format that does not exist": (
        ["report", PIPELINE, "t.txt", "--format", "nope"],
        "--format nope: expected one of",
    ),
    "another file than --exclude": (
        ["label", "t.txt", PIPELINE, "soft", "--exclude", "nope"],
        "--exclude nope: no such file",
    ),
    "a map that nothing uses": (
        ["label", "t.txt", f"{PIPELINE}:tagger", "soft", "--map-ents", "map.tsv"],
        "--map-ents: no teacher gives entities",
    ),
    "a teacher twice": (
        ["label", "t.txt", f"{PIPELINE}:tagger", f"{PIPELINE}: tagger ,ner", "soft"],
        "tagger of the same pipeline is in",
    ),
    "scores above one": (["scores", "nan.json"], "tag_acc is '90.5', expected a number from 0 to 1"),
    "a tokenizer that does not exist": (
        ["tokenize-eval", "gold.tsv", "--tokenizer", '{"@tokenizers": "nope"}'],
        '--tokenizer {"@tokenizers": "nope"}: ',
    ),
    "vectors that are made": (["vectors", "load", PIPELINE, "out"], "is a folder of spaCy vectors already"),
    "a file as a folder": (["vectors", "brown", "brown.txt", "t.txt/out"], "a part of this path is a file"),
}


@pytest.mark.parametrize(("words", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_in_one_line(spacy_bilstm, here, monkeypatch, words, message):
    shutil.copytree(PIPELINE, here / "copy")
    shutil.copytree(PIPELINE, here / "training" / "model-best")
    (here / "map.tsv").write_text("person\tPER\nplace\tLOC\n")
    (here / "brown.txt").write_text("0010\tso\t5\n0011\tgood\t3\n")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "so good"}\n')))
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    code, _, error = spacy_bilstm(*words)
    assert code == 1
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before
    assert not list(here.glob("*.parts"))


def test_a_pipe_is_told(spacy_bilstm, here):
    os.mkfifo("pipe.txt")
    code, _, error = spacy_bilstm("annotate", PIPELINE, "pipe.txt", "o.jsonl")
    assert code == 1
    assert error.strip() == "✘ pipe.txt: is a pipe, which can be read only once; give - and send it to the standard input"


def test_packed_files_are_read_by_what_is_in_them(spacy_bilstm, here):
    for name, text in (("text.jsonl.gz", "so good"), ("gold.conllu.gz", "so")):
        code, output, error = spacy_bilstm("tag", "--json", PIPELINE, name)
        assert code == 0, error
        assert json.loads(output)["text"] == text
    (here / "so.txt").write_text("so\nso good\n")
    code, output, error = spacy_bilstm("pretag", PIPELINE, "so.txt", "o.tsv", "--exclude", "gold.conllu.gz")
    assert (code, error) == (0, "")
    assert "were excluded: 1" in output


def test_a_single_file_of_other_texts_is_not_kept(spacy_bilstm, here):
    assert spacy_bilstm("annotate", PIPELINE, "t.txt", "one.jsonl")[0] == 0
    (here / "t.txt").write_text("another\n")
    code, _, error = spacy_bilstm("annotate", PIPELINE, "t.txt", "one.jsonl", "--resume", "always")
    assert code == 1
    assert "was begun with another input" in error


def test_tsv_with_quotes_is_read_without_them(spacy_bilstm, here):
    (here / "r.tsv").write_text('"id"\t"text"\n"1"\t"so ""happy"""\n')
    code, _, error = spacy_bilstm("annotate", PIPELINE, "r.tsv", "o.jsonl", "--id-field", "id")
    assert code == 0, error
    (found,) = srsly.read_jsonl(here / "o.jsonl")
    assert (found["id"], found["text"]) == ("1", 'so "happy"')


def test_categories_of_pandas_are_ids(spacy_bilstm, here):
    ids = pa.array(["a", "b"]).dictionary_encode()
    pq.write_table(pa.table({"id": ids, "text": ["so good", "so bad"]}), here / "k.parquet")
    code, _, error = spacy_bilstm("annotate", PIPELINE, "k.parquet", "o.parquet", "--id-field", "id")
    assert code == 0, error
    assert pq.read_table(here / "o.parquet").column("id").to_pylist() == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "so", "n": 1e999}', "1e999 is too large for a number"),
        (f'{{"text": "so", "n": {"9" * 5000}}}', "an integer of thousands of digits"),
    ],
)
def test_numbers_that_cannot_be_kept_are_rejected(spacy_bilstm, here, line, reason):
    (here / "n.jsonl").write_text('{"text": "so", "n": 1}\n' + line + "\n")
    code, _, error = spacy_bilstm("annotate", PIPELINE, "n.jsonl", "o.jsonl", "--keep", "n")
    assert code == 0, error
    (rejected,) = srsly.read_jsonl(here / "o.jsonl.rejects.jsonl")
    assert rejected["reason"] == f"broken JSON: {reason}"


@pytest.mark.parametrize("words", [["tag", "raw", "so"], ["explain", "raw", "so"], ["pretag", "raw", "t.txt", "o.tsv"]])
def test_an_untrained_pipeline_is_told(spacy_bilstm, here, words):
    nlp = spacy.blank("en")
    nlp.add_pipe("bilstm_tagger")
    nlp.to_disk("raw")
    code, _, error = spacy_bilstm(*words)
    assert code == 1
    assert "raw: cannot annotate a text" in error
    assert len(error.strip().splitlines()) == 1


def test_a_package_of_another_kind_is_no_pipeline(spacy_bilstm, here, monkeypatch):
    monkeypatch.setattr(sys.modules["spacy_bilstm_tagger.cli.tag"], "DEFAULT", str(PIPELINE))
    code, output, error = spacy_bilstm("tag", "--json", "rich people")
    assert code == 0, error
    assert [json.loads(line)["text"] for line in output.splitlines()] == ["rich people"]
    code, output, error = spacy_bilstm("tag", "--json", "rich", "people")
    assert (code, output) == (1, "")
    assert "found 'rich' and more behind it, expected a pipeline or a file first; a text of several words goes in" in error


def test_labels_are_shown_as_they_are_kept(spacy_bilstm, here):
    types = spacy.load(PIPELINE).get_pipe("ner").labels
    (here / "map.tsv").write_text("".join(f"{label}\tANY\n" for label in types))
    code, output, error = spacy_bilstm("label", "t.txt", f"{PIPELINE}:ner", "soft", "--map-ents", "map.tsv")
    assert code == 0, error
    assert "ents: ANY" in output


def test_nothing_is_left_of_a_run_without_texts(spacy_bilstm, here):
    code, _, error = spacy_bilstm("label", "t.txt", PIPELINE, "soft", "--exclude", "t.txt")
    assert code == 1
    assert "no text is left" in error
    assert not (here / "soft").exists()
