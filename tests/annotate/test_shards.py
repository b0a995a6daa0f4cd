import json

import pytest

from spacy_bilstm_tagger.annotate.shards import Shards, folder_checksum
from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.util import file_checksum

RUN = {"texts": "abc", "--limit": None}


def fill(folder, numbers, run=RUN):
    shards = Shards(folder, run, suffix=".txt")
    for number in numbers:
        with shards.new(number) as (draft, counts):
            draft.write_text(f"text {number}", encoding="utf8")
            counts["texts"] = number
    return shards


def test_files_are_numbered_and_listed(tmp_path):
    fill(tmp_path / "out", range(2))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf8"))
    assert manifest["run"] == RUN
    assert sorted(manifest["files"]) == ["part-00000.txt", "part-00001.txt"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["manifest.json", *sorted(manifest["files"])]


def test_a_later_run_finds_what_is_done(tmp_path):
    fill(tmp_path / "out", [0, 2])
    shards = Shards(tmp_path / "out", RUN, suffix=".txt")
    assert [shards.done(number) for number in range(4)] == [{"texts": 0}, None, {"texts": 2}, None]


@pytest.mark.parametrize("damage", ["cut", "missing", "not listed"])
def test_a_file_that_is_not_as_it_was_written_is_to_be_written_again(tmp_path, damage):
    folder = tmp_path / "out"
    fill(folder, [0])
    if damage == "cut":
        (folder / "part-00000.txt").write_text("tex", encoding="utf8")
    elif damage == "missing":
        (folder / "part-00000.txt").unlink()
    else:
        manifest = json.loads((folder / "manifest.json").read_text("utf8"))
        (folder / "manifest.json").write_text(json.dumps({**manifest, "files": {}}), encoding="utf8")
    shards = Shards(folder, RUN, suffix=".txt")
    assert shards.done(0) is None
    assert fill(folder, [0]).done(0) == {"texts": 0}
    assert (folder / "part-00000.txt").read_text("utf8") == "text 0"


def test_another_run_is_refused_by_name(tmp_path):
    fill(tmp_path / "out", [0])
    with pytest.raises(DataError, match=r"out: was begun with another --limit \(none, now 5\); give another folder, or remove"):
        Shards(tmp_path / "out", {**RUN, "--limit": 5}, suffix=".txt")


@pytest.mark.parametrize("content", [None, "", "{}", "[1]", '{"run": 1}'])
def test_a_folder_of_something_else_is_refused(tmp_path, content):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf8")
    if content is not None:
        (tmp_path / "manifest.json").write_text(content, encoding="utf8")
    with pytest.raises(DataError, match="exists and is not a folder made by this command"):
        Shards(tmp_path, RUN, suffix=".txt")
    assert (tmp_path / "mine.txt").read_text("utf8") == "mine"


def test_a_write_that_fails_leaves_nothing(tmp_path):
    shards = fill(tmp_path / "out", [0])

    def write_half():
        with shards.new(1) as (draft, _):
            draft.write_text("half", encoding="utf8")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_half()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["manifest.json", "part-00000.txt"]


def test_checksums_tell_contents_and_names_apart(tmp_path):
    for name, files in {"a": {"x": "1"}, "b": {"x": "1"}, "c": {"y": "1"}, "d": {"x": "2"}}.items():
        (tmp_path / name).mkdir()
        for file, content in files.items():
            (tmp_path / name / file).write_text(content, encoding="utf8")
    found = [folder_checksum(tmp_path / name) for name in "abcd"]
    assert found[0] == found[1]
    assert len(set(found)) == 3
    assert file_checksum(tmp_path / "a" / "x") == file_checksum(tmp_path / "c" / "y")
