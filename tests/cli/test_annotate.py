"""The command: what reaches the job, and what is told. The job itself: tests/annotate/test_jobs.py."""

import json

import pyarrow.parquet as pq
import pytest
import srsly
from golden.make import GOLDEN

PIPELINE = GOLDEN / "pipeline"


@pytest.fixture
def tweets(tmp_path):
    path = tmp_path / "tweets.csv"
    path.write_text('id,body,lang\n1,"so happy, in Lisbon!! 😭",en\n2,,en\n3,so bad,de\n', encoding="utf8")
    return path


def test_csv_to_parquet(spacy_bilstm, tweets, tmp_path):
    out = tmp_path / "tweets.parquet"
    code, output, error = spacy_bilstm(
        "annotate", PIPELINE, tweets, out, "--text-field", "body", "--id-field", "id", "--keep", "lang"
    )
    assert code == 0, error
    assert "2 texts; this run took" in output
    assert f"✔ {out}" in output
    assert f"⚠ 1 records were rejected, see {tmp_path / 'tweets.parquet.rejects.jsonl'}" in error
    rows = pq.read_table(out).to_pylist()
    assert [(row["id"], row["lang"], row["text"]) for row in rows] == [
        ("1", "en", "so happy, in Lisbon!! 😭"),
        ("3", "de", "so bad"),
    ]
    assert rows[0]["tokens"][0]["text"] == "so"


def test_a_folder_of_json_lines_and_options(spacy_bilstm, tweets, tmp_path):
    out = tmp_path / "out"
    options = [
        "--text-field",
        "body",
        "--fields",
        "tokens,ents",
        "--offsets",
        "utf16",
        "--disable",
        "tagger",
        "--limit",
        "1",
    ]
    code, _, error = spacy_bilstm("annotate", PIPELINE, tweets, out, *options)
    assert code == 0, error
    (row,) = srsly.read_jsonl(out / "part-00000.jsonl")
    assert set(row) == {"id", "text", "tokens", "ents"}
    assert row["id"] == 0
    assert row["tokens"][-1] == {"text": "😭", "start": 22, "end": 24}
    code, output, _ = spacy_bilstm("annotate", PIPELINE, tweets, out, *options)
    assert code == 0
    assert "Files of an earlier run, kept: 1" in output


def test_a_run_of_rejects_alone_is_an_error(spacy_bilstm, tmp_path):
    path, out = tmp_path / "latin.csv", tmp_path / "out.jsonl"
    path.write_bytes("body\ncaf\xe9\nna\xefve\n".encode("cp1252"))
    for _ in range(2):
        code, _, error = spacy_bilstm("annotate", PIPELINE, path, out, "--text-field", "body")
        assert code == 1
        assert "give --encoding, such as cp1252; all 2 records were rejected, see" in error
        assert len(error.strip().splitlines()) == 1


def test_ids_that_come_again_are_told(spacy_bilstm, tmp_path):
    path, out = tmp_path / "tweets.jsonl", tmp_path / "out.csv"
    path.write_text('{"id": 1, "text": "so"}\n{"id": "1", "text": "good"}\n{"id": 2, "text": "now"}\n')
    for _ in range(2):  # also of a run that is done
        code, _, error = spacy_bilstm("annotate", PIPELINE, path, out, "--id-field", "id")
        assert code == 0
        assert "⚠ 1 records have the id of an earlier one, so ids do not tell them apart" in error


def test_byte_order_marks_of_joined_files_are_left_out(spacy_bilstm, tmp_path):
    path, out = tmp_path / "tweets.txt", tmp_path / "out.jsonl"
    path.write_bytes("\ufeffso good\n\ufeffMia\n".encode())
    assert spacy_bilstm("annotate", PIPELINE, path, out)[0] == 0
    assert [record["text"] for record in srsly.read_jsonl(out)] == ["so good", "Mia"]


def test_an_input_without_texts_is_told(spacy_bilstm, tmp_path):
    (tmp_path / "empty.txt").write_text("")
    code, _, error = spacy_bilstm("annotate", PIPELINE, tmp_path / "empty.txt", tmp_path / "out.jsonl")
    assert (code, error.strip()) == (0, "⚠ The input holds no text")


def test_another_input_is_told_by_its_size(spacy_bilstm, tmp_path):
    path = tmp_path / "tweets.txt"
    path.write_text("so happy\n")
    assert spacy_bilstm("annotate", PIPELINE, path, tmp_path / "out.jsonl")[0] == 0
    path.write_text("so happy\nso sad\n")
    code, _, error = spacy_bilstm("annotate", PIPELINE, path, tmp_path / "out.jsonl")
    assert code == 1
    assert "another input (9 bytes in 1 files, now 16 bytes in 1 files)" in error


def test_the_standard_input(spacy_bilstm, tmp_path, monkeypatch):
    import io

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "so good"}\n')))
    code, _, error = spacy_bilstm("annotate", PIPELINE, "-", tmp_path / "a.jsonl", "--input-format", "jsonl")
    assert code == 0, error
    assert json.loads((tmp_path / "a.jsonl").read_text("utf8"))["text"] == "so good"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["IN"], "expected the input and the output: spacy-bilstm annotate MODEL IN ... OUT"),
        (["IN", "out"], "has no column 'text'; found 'id', 'body', 'lang'. Name one by --text-field"),
        (
            ["IN", "out", "--text-field", "body", "--fields", "tokens,deps"],
            "--fields: found 'deps', expected names of tokens",
        ),
        (["IN", "out.tsv", "--text-field", "body"], ".tsv is not written; expected a folder, or .jsonl"),
        (["IN", "IN"], "is an input too"),
        (["IN", "s3://bucket/out", "--text-field", "body"], "is an address; give a folder or file of this machine"),
        (
            ["IN", "out", "--text-field", "body", "--encoding", "utf-16"],
            "expected UTF-8, or an encoding of single bytes",
        ),
        (["IN", "a.conllu", "--text-field", "body", "--offsets", "utf16"], "--offsets utf16: conllu holds no places"),
        (["IN", "a.spacy", "--text-field", "body", "--format", "jsonl"], "--format jsonl: "),
        (["IN", "out", "--text-field", "body", "--disable", "parser"], "--disable parser: "),
        (["missing.csv", "out"], "missing.csv: found no file, expected one or a folder of .jsonl"),
        (
            ["IN", "out", "--text-field", "body", "--strict"],
            "line 3: no text: it is blank; without --strict it is left out",
        ),
        (["IN", "out", "--text-field", "body", "--engine", "ray"], "--engine ray"),
    ],
)
def test_what_is_wrong_is_one_line(spacy_bilstm, tweets, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, _, error = spacy_bilstm("annotate", PIPELINE, *(tweets if word == "IN" else word for word in words))
    assert code == 1
    assert message in error
    assert error.count("\n") == 1


def test_an_input_is_no_output(spacy_bilstm, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "so good"}\n', encoding="utf8")
    code, _, error = spacy_bilstm("annotate", PIPELINE, path, path)
    assert (code, error) == (1, f"✘ {path}: is an input too, or lies in one, or holds one; give another output\n")
    assert path.read_text("utf8") == '{"text": "so good"}\n'


def test_a_pattern_and_side_files_are_no_output(spacy_bilstm, tmp_path):
    for name in ("a.jsonl", "out.jsonl.rejects.jsonl"):
        (tmp_path / name).write_text('{"text": "so good"}\n', encoding="utf8")
    for given, output in (
        (tmp_path / "*.jsonl", "a.jsonl"),
        (tmp_path / "out.jsonl.rejects.jsonl", "out.jsonl"),
        (tmp_path / "a.jsonl", "."),
    ):
        code, _, error = spacy_bilstm("annotate", PIPELINE, given, tmp_path / output)
        assert code == 1
        assert "is an input too" in error
    code, _, error = spacy_bilstm("annotate", PIPELINE, tmp_path / "a.jsonl", tmp_path / "out.jsonl")
    assert code == 1
    assert "out.jsonl.rejects.jsonl: exists, and was not made by this command" in error
    assert (tmp_path / "out.jsonl.rejects.jsonl").read_text("utf8") == '{"text": "so good"}\n'


@pytest.mark.parametrize("encoding", ["rot13", "hex", "undefined", "punycode", "utf-16"])
def test_encodings_without_lines_are_refused(spacy_bilstm, tmp_path, encoding):
    (tmp_path / "a.jsonl").write_text('{"text": "so good"}\n', encoding="utf8")
    code, _, error = spacy_bilstm("annotate", PIPELINE, tmp_path / "a.jsonl", tmp_path / "out", "--encoding", encoding)
    assert code == 1
    assert f"--encoding {encoding}" in error


@pytest.mark.parametrize("option", ["--text-field", "--id-field", "--keep"])
def test_a_key_that_no_object_has_is_told_before_the_work(spacy_bilstm, tmp_path, option):
    (tmp_path / "a.jsonl").write_text('{"id": "x", "text": "so good"}\n' * 3, encoding="utf8")
    code, _, error = spacy_bilstm("annotate", PIPELINE, tmp_path / "a.jsonl", tmp_path / "out", option, "lnag")
    assert code == 1
    assert "has no key 'lnag' in its first 1000 lines; found 'id', 'text'" in error
    assert not (tmp_path / "out").exists()


def test_files_of_the_same_run_are_read_once_and_hidden_ones_not_at_all(spacy_bilstm, tmp_path):
    folder = tmp_path / "in"
    for name in ("a.jsonl", "_temporary/b.jsonl", ".git/c.jsonl", "D.JSONL"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text('{"text": "so good"}\n', encoding="utf8")
    (folder / "e.csv").write_bytes(b"")
    code, out, error = spacy_bilstm("annotate", PIPELINE, folder, folder / "a.jsonl", tmp_path / "out.JSONL")
    assert code == 0, error
    assert "2 texts" in out
    assert (tmp_path / "out.JSONL").is_file()


def test_ctrl_c_is_told(spacy_bilstm, tweets, tmp_path, monkeypatch):
    from spacy_bilstm_tagger.annotate import run

    def stop(job, progress):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "run_job", stop)
    code, _, error = spacy_bilstm("annotate", PIPELINE, tweets, tmp_path / "out", "--text-field", "body")
    assert code == 130
    assert "What is complete stays; the same command goes on" in error
