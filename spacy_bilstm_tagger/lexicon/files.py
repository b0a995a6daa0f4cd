"""Files that tables are read from, and folders of pipelines that hold some."""

import gzip
import json
from pathlib import Path
from typing import IO, cast

import spacy
from spacy.lookups import Lookups
from spacy.vocab import Vocab

from ..errors import DataError, Errors, damaged
from ..util import write_beside
from .table import WordTable

_GZIP = b"\x1f\x8b"
VECTORS_FOLDER, BROWN_FOLDER, GAZETTEERS_FOLDER = "vectors", "brown", "gazetteers"  # the names in their meta.json


def save_folder(vocab: Vocab, output: Path, *, kind: str) -> None:
    """Write a blank pipeline with this vocabulary, as `spacy init vectors` does: any config can name it.

    kind (str): the name in its meta.json.
    RAISES: DataError where `output` is something else than such a folder.
    """
    check_output(output, kind=kind)
    nlp = spacy.blank("en", vocab=vocab, meta={"name": kind})
    with write_beside(output) as draft:
        nlp.to_disk(draft)


def check_output(path: Path, *, kind: str) -> None:
    """Raise DataError where `path` is there and is no folder of this kind that was written here."""
    if not path.exists():
        return
    try:
        meta = json.loads((path / "meta.json").read_text("utf8"))
        is_ours = meta["name"] == kind and meta["pipeline"] == []
    except (OSError, ValueError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise DataError(Errors.OUTPUT_NOT_FOLDER.format(path=path))


def is_pipeline(source: Path) -> bool:
    return (source / "vocab").is_dir()


def read_lookups(folder: Path) -> Lookups:
    """The lookups of a pipeline's folder. RAISES: DataError where they are damaged."""
    try:
        return Lookups().from_disk(folder / "vocab")
    except Exception as error:  # damaged data can raise anything
        raise damaged(folder, "the lookups of a spaCy pipeline", error) from None


def read_table(folder: Path, name: str, *, missing: str) -> WordTable:
    """The table of this name of the folder's pipeline.

    missing (str): the message where it has none.
    RAISES: DataError where there is none, or where the lookups are damaged.
    """
    lookups = read_lookups(folder)
    try:
        table = WordTable.from_lookups(lookups, name)
    except Exception as error:
        raise damaged(folder, "the lookups of a spaCy pipeline", error) from None
    if table is None:
        raise DataError(missing)
    return table


def open_bytes(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked if it is gzip, whatever its name."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")
