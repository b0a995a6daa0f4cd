"""scripts/frequent_words.py: the words of raw texts that are worth a vector."""

from functools import partial

import pytest


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
