"""Files and folders are written completely or not at all; packed ones are read in bounded memory."""

import errno
import gzip
import json
import os
import platform
import sys

import pytest

from spacy_bilstm_tagger import util
from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.util import check_output, read_lines, read_text, without_doubles, write_beside


def write(path, text, *, folder=False):
    with write_beside(path) as draft:
        if folder:
            draft.mkdir()
            (draft / "file").write_text(text, encoding="utf8")
        else:
            draft.write_text(text, encoding="utf8")


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")
def test_a_file_keeps_its_mode_and_a_link_stays_one(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old", encoding="utf8")
    target.chmod(0o600)
    link.symlink_to(target)
    write(link, "new")
    assert (link.is_symlink(), target.read_text("utf8"), target.stat().st_mode & 0o777) == (True, "new", 0o600)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "target"]


def test_a_folder_is_exchanged(tmp_path):
    for text in ("old", "new"):
        write(tmp_path / "out", text, folder=True)
    assert (tmp_path / "out" / "file").read_text("utf8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2")
def test_there_is_a_folder_under_the_name_at_any_time(tmp_path, monkeypatch):
    write(tmp_path / "out", "old", folder=True)
    (tmp_path / "out").chmod(0o750)
    monkeypatch.setattr("pathlib.Path.rename", lambda self, target: pytest.fail("two steps"))
    write(tmp_path / "out", "new", folder=True)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o750


def test_without_an_exchange_in_one_step(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "other")
    for text in ("old", "new"):
        write(tmp_path / "out", text, folder=True)
    assert (tmp_path / "out" / "file").read_text("utf8") == "new"


@pytest.mark.skipif(os.name != "posix", reason="asks whether a process runs")
def test_what_killed_processes_have_left_is_removed_or_named(tmp_path):
    here = f".out.{platform.node()}"
    left = [
        f"{here}.{os.getpid()}-abc",
        ".out.elsewhere.4194305-abc",
        ".out.mine",
        f".other.{platform.node()}.4194305-a",
    ]
    for name in (f"{here}.4194305-abc", *left):
        (tmp_path / name).mkdir()
    with pytest.warns(UserWarning, match=r"out\.elsewhere\.4194305-abc: was left by another process") as warned:
        write(tmp_path / "out", "new")
    assert len(warned) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*left, "out"])


@pytest.mark.parametrize("read", [read_text, lambda path: list(read_lines(path))], ids=["whole", "by lines"])
@pytest.mark.parametrize("name", ["texts.txt", "texts.txt.gz"])
def test_a_line_of_a_gigabyte_is_refused_before_it_is_read(tmp_path, monkeypatch, name, read):
    monkeypatch.setattr(util, "LONGEST_LINE", 100_000)
    data = b"short\n" + 2_000 * (b"x" * 99 + b"\n")
    write_bytes = gzip.compress if name.endswith("gz") else bytes
    (tmp_path / name).write_bytes(write_bytes(data))
    read(tmp_path / name)
    (tmp_path / name).write_bytes(write_bytes(data + b"x" * 20_000_000))
    with pytest.raises(DataError, match=r"texts.txt\S*: found a line of more than 100,000 bytes; expected lines of text"):
        read(tmp_path / name)


@pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")
def test_a_link_to_itself_is_told(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(DataError, match="loop: is a link that leads to itself"):
        write(tmp_path / "loop", "new")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match=r"pipe: is a pipe or a device, which no file can replace; give another name"):
        write(tmp_path / "pipe", "new")
    with pytest.raises(DataError, match=r"pipe: is no name of a file; expected one, such as a.txt"):
        check_output(tmp_path / "pipe", example="a.txt")
    assert (tmp_path / "pipe").is_fifo()


def test_no_room_is_told_with_the_name_of_the_file(tmp_path):
    write(tmp_path / "a.txt", "old")
    with (
        pytest.raises(DataError, match=r"a.txt: cannot be written \(No space left\), and is as it was before; make room"),
        write_beside(tmp_path / "a.txt"),
    ):
        raise OSError(errno.ENOSPC, "No space left")
    with pytest.raises(OSError, match="no such thing"), write_beside(tmp_path / "a.txt"):
        raise OSError(errno.ENOENT, "no such thing")
    assert read_text(tmp_path / "a.txt") == "old"


def test_an_output_that_is_an_input_is_refused(tmp_path):
    for name in ("a.spacy", "in/b.spacy"):
        write(tmp_path / name, "old")
    (tmp_path / "link.spacy").symlink_to(tmp_path / "a.spacy")
    for output, read in [
        ("a.spacy", "a.spacy"),
        ("link.spacy", "a.spacy"),
        ("a.spacy", "link.spacy"),
        ("in/b.spacy", "in"),
    ]:
        with pytest.raises(DataError, match="is read too, and would be replaced; give another name"):
            check_output(tmp_path / output, [tmp_path / read], example="a.spacy")
    for output in ("new.spacy", "in/new.spacy", "in/page.html"):
        check_output(tmp_path / output, [tmp_path / "a.spacy", tmp_path / "in"], example="a.spacy")


@pytest.mark.parametrize("text", ['{"a": 1, "b": 2, "a": 1}', '[{"c": {"a": 1, "a": null}}]'])
def test_a_key_twice_is_refused(text):
    with pytest.raises(DataError, match="the key 'a' is there twice in an object, expected it once"):
        json.loads(text, object_pairs_hook=without_doubles)
    assert json.loads('{"a": {"a": 1}}', object_pairs_hook=without_doubles) == {"a": {"a": 1}}
