"""Folders of pipelines that hold tables."""

import json
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import spacy
from spacy.lookups import Lookups
from spacy.vocab import Vocab

from ..errors import DataError, Errors, damaged
from ..util import write_beside
from .table import WordTable

VECTORS_FOLDER, BROWN_FOLDER, GAZETTEERS_FOLDER = "vectors", "brown", "gazetteers"  # the names in their meta.json


def save_folder(vocab: Vocab, output: Path, *, kind: str) -> None:
    """Write a blank pipeline with this vocabulary and this name, as `spacy init vectors` does: any config can name it.

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
    with keeping_reason(folder, "the lookups of a spaCy pipeline"):
        return Lookups().from_disk(folder / "vocab")


def read_table(folder: Path, name: str, *, missing: str) -> WordTable:
    """The table of this name of the folder's pipeline.

    RAISES: DataError where there is none, with the message `missing`, or where the lookups are damaged.
    """
    with keeping_reason(folder, "the lookups of a spaCy pipeline"):
        table = WordTable.from_lookups(read_lookups(folder), name)
    if table is None:
        raise DataError(missing)
    return table


@contextmanager
def keeping_reason(path: Path, kind: str, errors: tuple[type[BaseException], ...] = (BaseException,)) -> Iterator[None]:
    """RAISES: DataError with the reason in one line, in the place of whatever another library raises for damaged files: a
    panic in the Rust of tokenizers is no Exception. errors (tuple of types): what it can be, where that is known."""
    try:
        yield
    except (DataError, KeyboardInterrupt, SystemExit):
        raise
    except errors as error:
        raise damaged(path, kind, error) from None
