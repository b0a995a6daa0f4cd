"""scripts/frequent_words.py: the words of raw texts that are worth a vector."""

import gzip
import json
from functools import partial

import pytest
from spacy.util import registry


@pytest.fixture
def frequent_words(run_script):
    return partial(run_script, "frequent_words.py")


def test_words_are_types_of_distilled_tables(frequent_words, tmp_path):
    (tmp_path / "raw.txt").write_text("So good #Yolo @a\nso bad yolo @b http://bit.ly/x\n", encoding="utf8")
    result = frequent_words(tmp_path / "raw.txt", tmp_path / "out" / "words.txt")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "words.txt").read_text("utf8").split() == ["so", "yolo", "<user>"]
    assert "3 of 6 words" in result.output


def test_a_missing_file_is_one_line(frequent_words, tmp_path):
    result = frequent_words(tmp_path / "none.txt", tmp_path / "words.txt")
    assert result.exit_code == 1
    assert f"{tmp_path / 'none.txt'}: no such file" in result.output


def test_the_commonest_words_of_english(frequent_words, tmp_path, monkeypatch):
    """Of spaCy's table, in small letters, each once; what is no word of letters is left out."""
    with gzip.open(tmp_path / "prob.json.gz", "wt") as file:
        json.dump(
            {"The": -3.1, "lisbon": -12.0, "Lisbon": -9.0, "the": -3.0, "so": -4.0, "n't": -4.5, "caf\u00e9": -8.0},
            file,
        )
    monkeypatch.setattr(registry.lookups, "get", lambda name: {"lexeme_prob": tmp_path / "prob.json"})
    (tmp_path / "raw.txt").write_text("yolo yolo so so\n", encoding="utf8")
    result = frequent_words(tmp_path / "raw.txt", tmp_path / "words.txt", "--common", "3")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "words.txt").read_text("utf8").split() == ["yolo", "so", "the", "lisbon"]
