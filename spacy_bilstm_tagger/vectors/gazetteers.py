"""Files of names, a list each, and folders of pipelines that hold some."""

import re
import zlib
from codecs import BOM_UTF8
from pathlib import Path
from typing import Optional

import spacy
from spacy.lang.en.stop_words import STOP_WORDS
from spacy.vocab import Vocab

from ..errors import DataError, Errors, damaged
from ..gazetteer_table import LONGEST, TABLE, fold, set_gazetteers
from .lookups_folder import is_pipeline, save_lookups, take_over
from .name_lists import other_format
from .text import open_bytes

NAME = "gazetteers"  # in the meta.json of the folders written here

_CONTROL = re.compile(r"[\x00-\x09\x0e-\x1f\x7f]")
_LETTER = re.compile(r"[^\W\d_]")


def read_gazetteers(source: Path) -> dict[str, list[str]]:
    """The names on each list: of each file of a folder, or of a single file, one name a line; also .gz.

    A list is called as its file, but for .txt and .gz at the end. Hidden files and folders inside are left alone. Names
    that cannot be found are left out, those of more than LONGEST words; and those that would be found in the wrong
    places: without a letter, of one character, or of English function words (`benchmarks/gazetteer_precision.py`
    prints how rarely such a name is one).

    RAISES: DataError with the file and the line that is wrong.
    """
    lists = {}
    for name, path in list_files(source).items():
        lines = read_lines(path)
        lists[name] = [line for line in lines if why_useless(line) is None]
        if not lists[name]:
            message = Errors.GAZETTEERS_USELESS if any(map(str.strip, lines)) else Errors.GAZETTEERS_EMPTY
            raise DataError(message.format(path=path, longest=LONGEST))
    return lists


def list_files(source: Path) -> dict[str, Path]:
    """The file of each list."""
    paths = [source]
    if source.is_dir():
        paths = sorted(path for path in source.iterdir() if path.is_file() and not path.name.startswith("."))
        if not paths:
            raise DataError(f"{source}: found no files in this folder, expected lists with one name a line")
    elif not source.is_file():
        raise DataError(
            f"{source}: no such file or folder. Expected a list with one name a line, a folder of such lists, or "
            "a folder made by 'spacy-bilstm vectors gazetteers'"
        )
    files: dict[str, Path] = {}
    for path in paths:
        name = path.name.removesuffix(".gz").removesuffix(".txt")
        if name in files:
            raise DataError(f"{path}: a second file of the list {name!r}; expected one, so rename or remove it")
        files[name] = path
    return files


def read_lines(path: Path) -> list[str]:
    """RAISES: DataError with the line that is not UTF-8, or is no name, or shows that the file is no list of names."""
    try:
        with open_bytes(path) as file:
            data = file.read().removeprefix(BOM_UTF8)
    except (EOFError, OSError, zlib.error) as error:
        raise damaged(path, "a list of names", error) from None
    try:
        text = data.decode("utf8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = error.start - (data.rfind(b"\n", 0, error.start) + 1)
        raise DataError(Errors.VECTORS_ENCODING.format(path=path, line=line, byte=byte)) from None
    control = _CONTROL.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        found = text.split("\n")[line - 1][:80]
        raise DataError(
            f"{path}, line {line}: found {found!r}, expected one name and no TABs or other control characters"
        )
    lines, other = text.split("\n"), other_format(text)
    if other is not None:
        line, kind = other
        found = lines[line - 1].strip()[:80]
        raise DataError(
            f"{path}, line {line}: found {kind} ({found!r}), expected one name a line and nothing else. Write the "
            "names alone into a file for each list"
        )
    return lines


def why_useless(name: str) -> Optional[str]:
    """Why the name is not to be looked for, or None: see `read_gazetteers`."""
    words = name.lower().split()
    if not 1 <= len(words) <= LONGEST:
        return "too many words" if words else "empty"
    key = fold(name)
    if len(key) < 2:
        return "one character"
    if not _LETTER.search(key):
        return "no letter"
    if key in STOP_WORDS or all(word in STOP_WORDS for word in words):
        return "function words"
    return None


def save_gazetteers(lists: dict[str, list[str]], output: Path) -> None:
    """Write a blank pipeline that holds the lists; load_vectors.v1 takes it.

    RAISES: DataError where `output` is something else than such a folder.
    """
    nlp = spacy.blank("en")
    set_gazetteers(nlp.vocab, lists)
    save_lookups(nlp, output, name=NAME)


def load_gazetteers(vocab: Vocab, source: Path) -> None:
    """Give the vocabulary the lists of a file or a folder, or those of the folder of a pipeline that has some.

    RAISES: DataError where there are none, or where they are damaged.
    """
    if is_pipeline(source):
        take_over(
            vocab,
            source,
            TABLE,
            missing=(
                f"{source}: the pipeline in this folder has no gazetteers; expected a folder made by 'spacy-bilstm "
                "vectors gazetteers', or in a config gazetteers = null for none"
            ),
        )
    else:
        set_gazetteers(vocab, read_gazetteers(source))
