"""Files of Brown clusters, and folders of pipelines that hold some."""

import zlib
from codecs import BOM_UTF8
from pathlib import Path

import spacy
from spacy.vocab import Vocab

from ..brown_table import LONGEST, TABLE, set_brown
from ..errors import DataError, Errors, damaged
from .lookups_folder import is_pipeline, save_lookups, take_over
from .text import open_bytes

NAME = "brown"  # in the meta.json of the folders written here


def read_brown(path: Path) -> dict[str, str]:
    """Each word's path of 0 and 1, from lines of `path TAB word TAB count`, the layout that the usual programs write.

    RAISES: DataError with the file and the line that is wrong.
    """
    if path.is_dir():
        raise DataError(
            f"{path}: is a folder, expected a file of Brown clusters (bit path TAB word TAB count in each line, "
            "also .gz). A folder made by 'spacy-bilstm vectors brown' is ready: load_vectors.v1 takes it"
        )
    if not path.is_file():
        raise DataError(
            f"{path}: no such file. Expected Brown clusters (bit path TAB word TAB count in each line, also .gz); "
            "recipes also take a folder made of them by 'spacy-bilstm vectors brown'"
        )
    paths: dict[str, str] = {}
    try:
        with open_bytes(path) as file:
            for line, row in enumerate(file, start=1):
                bits, word = _parse(path, line, row)
                first = paths.setdefault(word, bits)
                if first != bits:
                    raise DataError(
                        f"{path}, line {line}: {word!r} has the path {bits} here and {first} above; expected one "
                        "path a word"
                    )
    except (EOFError, OSError, zlib.error) as error:
        raise damaged(path, "Brown clusters", error) from None
    if not paths:
        raise DataError(f"{path}: found no Brown clusters, expected lines of bit path TAB word TAB count")
    return paths


def _parse(path: Path, line: int, row: bytes) -> tuple[str, str]:
    try:
        text = row.removeprefix(BOM_UTF8).decode("utf8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DataError(Errors.VECTORS_ENCODING.format(path=path, line=line, byte=error.start)) from None
    if not text.strip():
        raise DataError(
            f"{path}, line {line}: found an empty line, expected a bit path, a word and a count. Remove the line"
        )
    columns = text.split("\t")
    if len(columns) != 3 or not columns[1]:
        raise DataError(
            f"{path}, line {line}: found {text[:80]!r}, expected a bit path, a word and a count, a TAB between them"
        )
    bits, word, count = columns
    if not 1 <= len(bits) <= LONGEST or bits.strip("01"):
        raise DataError(
            f"{path}, line {line}: found the path {bits[:80]!r}, expected up to {LONGEST} of the digits 0 and 1"
        )
    if not count.strip().isdecimal():
        raise DataError(f"{path}, line {line}: found the count {count[:80]!r}, expected a whole number")
    return bits, word


def save_brown(paths: dict[str, str], output: Path) -> None:
    """Write a blank pipeline that holds the clusters; load_vectors.v1 takes it.

    RAISES: DataError where `output` is something else than such a folder.
    """
    nlp = spacy.blank("en")
    set_brown(nlp.vocab, paths)
    save_lookups(nlp, output, name=NAME)


def load_brown(vocab: Vocab, source: Path) -> None:
    """Give the vocabulary the clusters of a file, or of the folder of a pipeline that has some.

    RAISES: DataError where there are none, or where they are damaged.
    """
    if is_pipeline(source):
        take_over(
            vocab,
            source,
            TABLE,
            missing=(
                f"{source}: the pipeline in this folder has no Brown clusters; expected a folder made by "
                "'spacy-bilstm vectors brown', or in a config brown = null for none"
            ),
        )
    else:
        set_brown(vocab, read_brown(source))
