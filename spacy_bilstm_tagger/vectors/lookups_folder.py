"""Folders of blank pipelines whose vocabulary holds a lookups table, and such tables of any pipeline."""

from pathlib import Path

from spacy.language import Language
from spacy.lookups import Lookups
from spacy.vocab import Vocab

from ..errors import DataError, damaged
from ..util import write_beside
from .table import check_output


def save_lookups(nlp: Language, output: Path, *, name: str) -> None:
    """Write a blank pipeline, and its name into its meta.json.

    RAISES: DataError where `output` is something else than such a folder.
    """
    check_output(output, name=name)
    nlp.meta["name"] = name
    with write_beside(output) as draft:
        nlp.to_disk(draft)


def is_pipeline(source: Path) -> bool:
    return (source / "vocab").is_dir()


def read_lookups(folder: Path) -> Lookups:
    """The lookups of a pipeline's folder. RAISES: DataError where they are damaged."""
    try:
        return Lookups().from_disk(folder / "vocab")
    except Exception as error:  # damaged data can raise anything
        raise damaged(folder, "the lookups of a spaCy pipeline", error) from None


def take_over(vocab: Vocab, folder: Path, table: str, *, missing: str) -> None:
    """Give the vocabulary this table of the folder's pipeline.

    missing (str): the message where it has none.
    RAISES: DataError where there is none, or where the lookups are damaged.
    """
    lookups = read_lookups(folder)
    if table not in lookups:
        raise DataError(missing)
    vocab.lookups.set_table(table, lookups.get_table(table))
