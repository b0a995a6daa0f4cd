"""What scripts/texts_to_jsonl.py makes of raw texts."""

import subprocess
import sys

import srsly


def convert(project, *paths):
    command = [sys.executable, project / "scripts" / "texts_to_jsonl.py", *paths]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


def test_texts_of_all_files_in_their_order(project, tmp_path):
    (tmp_path / "a.txt").write_text('so "good" 😭\n\n there\n', encoding="utf8")
    (tmp_path / "b.tsv").write_text("do\tVB\nn't\tRB\n\nok\tUH\n", encoding="utf8")
    result = convert(project, tmp_path / "a.txt", tmp_path / "b.tsv", tmp_path / "out" / "raw.jsonl")
    assert result.returncode == 0, result.stderr
    assert list(srsly.read_jsonl(tmp_path / "out" / "raw.jsonl")) == [
        {"text": text} for text in ('so "good" 😭', "there", "do n't", "ok")
    ]


def test_a_missing_file_is_one_line_and_nothing_is_written(project, tmp_path):
    result = convert(project, tmp_path / "a.txt", tmp_path / "raw.jsonl")
    assert result.returncode == 1
    assert result.stderr.strip() == f"{tmp_path / 'a.txt'}: no such file"
    assert not list(tmp_path.iterdir())
