"""The rooms of docs/architecture.md: which folder imports which, and how large files and folders are."""

import ast
import re
from pathlib import Path

import pytest

import spacy_bilstm_tagger

PACKAGE = Path(spacy_bilstm_tagger.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
# Rows of the table: folder, contents, imports.
ROW = re.compile(r"\| `(\w+)/` \|.*\| ([\w, ]+) \|")
PAGE = Path(__file__).parent.parent / "docs" / "architecture.md"
# From top to bottom: room -> the rooms that it imports.
ROOMS = {
    room: set() if names == "none" else set(names.split(", "))
    for room, names in ROW.findall(PAGE.read_text(encoding="utf8").partition("## Rooms")[2].partition("\n## ")[0])
}
ROOT = {"__init__", "__main__", "errors", "types", "util"}
# Packages that a room does without.
FORBIDDEN = {"crf": {"spacy", "thinc"}}


def room_of(path: Path) -> str:
    """The folder of a file, or the name of a module at the root."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> set[str]:
    """The modules that a file imports anywhere, also inside of functions, by their full names."""
    package = ("spacy_bilstm_tagger", *path.relative_to(PACKAGE).parent.parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def test_imports_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.PACKAGE", tmp_path)
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "x.py"
    path.write_text("import os.path\nfrom . import y\ndef f():\n    from ..crf.loss import z\n    from spacy import a\n")
    ours = {"spacy_bilstm_tagger.models.y", "spacy_bilstm_tagger.crf.loss.z"}
    assert imports(path) == {"os.path", "spacy.a", *ours}


def rooms_imported(path: Path) -> set[str]:
    names = {name.split(".")[1] for name in imports(path) if name.startswith("spacy_bilstm_tagger.")}
    return names - ROOT - {room_of(path), "__version__"}


def test_the_page_lists_all_rooms():
    assert set(ROOMS) == {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_the_rooms_that_the_page_lists(room):
    assert set.union(*(rooms_imported(path) for path in FILES if room_of(path) == room)) == ROOMS[room]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_stands_above_its_imports(room):
    below = list(ROOMS)[list(ROOMS).index(room) + 1 :]
    assert ROOMS[room] <= set(below)


def test_modules_at_the_root_import_no_room():
    found = {path.name: rooms_imported(path) for path in PACKAGE.glob("*.py") if path.name != "__main__.py"}
    assert not {path: names for path, names in found.items() if names}


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_does_without_packages(room):
    paths = [path for path in FILES if room_of(path) == room]
    assert not {str(path): names for path in paths if (names := {n.split(".")[0] for n in imports(path)} & FORBIDDEN[room])}


def test_nothing_but_rooms_and_general_modules_is_at_the_root():
    assert {path.stem for path in PACKAGE.glob("*.py")} == ROOT
    assert {room_of(path) for path in FILES} - ROOT <= set(ROOMS)


def test_no_file_is_too_long_to_be_read():
    lines = {str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf8").splitlines()) for path in FILES}
    assert not {path: n for path, n in lines.items() if n > 400}
    assert (len(lines) <= 142, sum(lines.values()) <= 23_000) == (True, True), (len(lines), sum(lines.values()))
