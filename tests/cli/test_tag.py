import io
import json
import re
import shutil
import sys

import pytest
import spacy
import srsly
from golden.make import GOLDEN

PIPELINE = GOLDEN / "pipeline"
TWEET = "RT @mara: sooo happy in Lisbon!! See you"


def test_table(spacy_bilstm):
    code, output, _ = spacy_bilstm("tag", PIPELINE, TWEET)
    assert code == 0
    assert output.startswith(TWEET)
    lines = [line.split() for line in output.splitlines()]
    assert ["token", "tag", "entity", "probability"] in lines
    assert [line[0] for line in lines if line and line[0] in ("@mara", "Lisbon", "!!")] == ["@mara", "Lisbon", "!!"]


def test_json_has_what_the_pipeline_sets(spacy_bilstm):
    _, output, _ = spacy_bilstm("tag", "--json", PIPELINE, TWEET, "so good")
    first, second = map(json.loads, output.splitlines())
    assert first["text"] == TWEET
    doc = spacy.load(PIPELINE)(TWEET)
    assert [(token["text"], token["tag"]) for token in first["tokens"]] == [(token.text, token.tag_) for token in doc]
    assert all(TWEET[token["start"] : token["end"]] == token["text"] for token in first["tokens"])
    assert "lemma" not in first["tokens"][0]
    assert [ent["label"] for ent in first["ents"]] == [ent.label_ for ent in doc.ents]
    assert all(0 < ent["score"] <= 1 for ent in first["ents"])
    assert len(second["tokens"]) == 2


@pytest.mark.parametrize(
    ("items", "word"), [(["tweets.tx"], "tweets.tx"), (["nopipe", "hi there"], "nopipe"), (["so", "good"], "so")]
)
def test_a_word_that_may_be_no_text_is_told(spacy_bilstm, items, word):
    code, output, error = spacy_bilstm("tag", "--json", PIPELINE, *items)
    assert code == 0
    assert [json.loads(line)["text"] for line in output.splitlines()] == items
    assert error.count("⚠") == 1
    assert f"⚠ {word!r} is no pipeline and no file here, so it is tagged as a text" in error
    assert spacy_bilstm("tag", "--json", PIPELINE, "so good", "lol")[2] == ""
    assert spacy_bilstm("tag", "--json", PIPELINE, "x" * 300, "lol")[0] == 0


@pytest.mark.parametrize("name", ["/nonexist", "models/x", "en-tweet-sm", "my_model"])
def test_a_pipeline_that_is_not_there_is_no_text(spacy_bilstm, name):
    code, output, error = spacy_bilstm("tag", name, "hi there")
    assert (code, output) == (1, "")
    assert f"found {name!r} and more behind it, expected a pipeline or a file first" in error


def test_a_word_with_a_full_stop_before_other_texts_is_one(spacy_bilstm, en_tweet_sm):
    code, output, error = spacy_bilstm("tag", "--json", "Hello.", "hi there")
    assert code == 0, error
    assert [json.loads(line)["text"] for line in output.splitlines()] == ["Hello.", "hi there"]


def test_files_and_the_standard_input(spacy_bilstm, tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("so good\n\nso bad\n", encoding="utf8")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"so happy\n")))
    code, output, error = spacy_bilstm("tag", "--json", PIPELINE, tmp_path / "a.txt", "-")
    assert code == 0, error
    assert [json.loads(line)["text"] for line in output.splitlines()] == ["so good", "so bad", "so happy"]


@pytest.mark.parametrize("text", ["[bold]so[/bold] good", "x" * 300, "a\x00b"])
def test_any_text_is_no_markup_and_no_file_name(spacy_bilstm, text):
    code, output, error = spacy_bilstm("tag", "--json", PIPELINE, text)
    assert code == 0, error
    assert json.loads(output)["text"] == text


def test_without_a_pipeline_the_way_out_is_named(spacy_bilstm, monkeypatch):
    monkeypatch.setattr(sys.modules["spacy_bilstm_tagger.cli.tag"], "is_package", lambda name: False)
    code, _, error = spacy_bilstm("tag", "so good")
    assert code == 1
    assert "en_tweet_sm is not installed; pip install it from wheels/" in error


def test_empty_input_is_an_error(spacy_bilstm, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    code, _, error = spacy_bilstm("tag", PIPELINE)
    assert code == 1
    assert "found no text" in error


@pytest.mark.parametrize("command", ["tag", "explain"])
def test_argument_in_the_encoding_of_another_terminal(spacy_bilstm, command):
    code, _, error = spacy_bilstm(command, PIPELINE, "caf\udce9 Mara")
    assert code == 1
    assert "found no text, but bytes that are not utf-8: 'caf\\udce9 Mara'; expected an argument in utf-8" in error


def test_pipeline_of_another_spacy_is_refused(spacy_bilstm, tmp_path):
    shutil.copytree(PIPELINE, tmp_path / "old")
    meta = srsly.read_json(tmp_path / "old" / "meta.json")
    srsly.write_json(tmp_path / "old" / "meta.json", {**meta, "spacy_version": ">=2.0.0,<2.1.0"})
    code, _, error = spacy_bilstm("tag", tmp_path / "old", "so good")
    assert code == 1
    assert "W095" in error


@pytest.mark.parametrize("name", ["meta.json", "config.cfg"])
@pytest.mark.parametrize("command", [["tag", "PIPELINE", "hi"], ["explain", "PIPELINE", "hi"]])
def test_a_damaged_file_of_spacys_own_is_named(spacy_bilstm, project, tmp_path, name, command):
    folder = tmp_path / "pipeline"
    shutil.copytree(project / "tests" / "golden" / "pipeline", folder)
    (folder / name).write_bytes((folder / name).read_bytes()[:5])
    code, out, err = spacy_bilstm(*[str(folder) if word == "PIPELINE" else word for word in command])
    assert code == 1
    assert f"{folder / name}: cannot be read as a part of a pipeline" in (out + err).replace("\n", " ")


@pytest.mark.parametrize("kept", [0, 300])
def test_a_config_that_ends_too_early_is_one_line_with_the_folder(spacy_bilstm, project, tmp_path, kept):
    folder = tmp_path / "pipeline"
    shutil.copytree(project / "tests" / "golden" / "pipeline", folder)
    lines = (folder / "config.cfg").read_bytes()[:kept].rpartition(b"\n")[0]
    (folder / "config.cfg").write_bytes(lines)
    code, out, err = spacy_bilstm("tag", folder, "hi")
    assert (code, out) == (1, "")
    assert re.match(rf"✘ {re.escape(str(folder))}\S*: cannot be read as a", " ".join(err.split()))
    assert "Traceback" not in err
