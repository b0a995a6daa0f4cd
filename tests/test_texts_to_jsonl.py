"""What scripts/texts_to_jsonl.py makes of raw texts."""

from functools import partial

import pytest
import srsly


@pytest.fixture
def convert(run_script):
    return partial(run_script, "texts_to_jsonl.py")


def test_texts_of_all_files_in_their_order(convert, tmp_path):
    (tmp_path / "a.txt").write_text('so "good" 😭\n\n there\n', encoding="utf8")
    (tmp_path / "b.tsv").write_text("do\tVB\nn't\tRB\n\nok\tUH\n", encoding="utf8")
    result = convert(tmp_path / "a.txt", tmp_path / "b.tsv", tmp_path / "out" / "raw.jsonl")
    assert result.exit_code == 0, result.output
    assert list(srsly.read_jsonl(tmp_path / "out" / "raw.jsonl")) == [
        {"text": text} for text in ('so "good" 😭', "there", "do n't", "ok")
    ]


def test_a_missing_file_is_one_line_and_nothing_is_written(convert, tmp_path):
    result = convert(tmp_path / "a.txt", tmp_path / "raw.jsonl")
    assert result.exit_code == 1
    assert result.stderr.strip() == f"{tmp_path / 'a.txt'}: no such file"
    assert not list(tmp_path.iterdir())
