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
        raise DataError(Errors.BROWN_FOLDER.format(path=path))
    if not path.is_file():
        raise DataError(Errors.BROWN_UNKNOWN_SOURCE.format(source=path))
    paths: dict[str, str] = {}
    try:
        with open_bytes(path) as file:
            for line, row in enumerate(file, start=1):
                bits, word = _parse(path, line, row)
                first = paths.setdefault(word, bits)
                if first != bits:
                    raise DataError(Errors.BROWN_TWICE.format(path=path, line=line, word=word, found=bits, first=first))
    except (EOFError, OSError, zlib.error) as error:
        raise damaged(path, "Brown clusters", error) from None
    if not paths:
        raise DataError(Errors.BROWN_EMPTY.format(path=path))
    return paths


def _parse(path: Path, line: int, row: bytes) -> tuple[str, str]:
    try:
        text = row.removeprefix(BOM_UTF8).decode("utf8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DataError(Errors.VECTORS_ENCODING.format(path=path, line=line, byte=error.start)) from None
    if not text.strip():
        raise DataError(Errors.BROWN_BLANK.format(path=path, line=line))
    columns = text.split("\t")
    if len(columns) != 3 or not columns[1]:
        raise DataError(Errors.BROWN_COLUMNS.format(path=path, line=line, found=text[:80]))
    bits, word, count = columns
    if not 1 <= len(bits) <= LONGEST or bits.strip("01"):
        raise DataError(Errors.BROWN_PATH.format(path=path, line=line, found=bits[:80], longest=LONGEST))
    if not count.strip().isdecimal():
        raise DataError(Errors.BROWN_COUNT.format(path=path, line=line, found=count[:80]))
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
        take_over(vocab, source, TABLE, missing=Errors.BROWN_NO_TABLE.format(path=source))
    else:
        set_brown(vocab, read_brown(source))
