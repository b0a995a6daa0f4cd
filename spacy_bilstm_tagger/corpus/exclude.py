"""Leaving out texts that other files hold too."""

from pathlib import Path

from ..errors import DataError
from .formats import read_corpus
from .raw import read_raw_texts
from .text import AnnotatedText, letters

Left = list[tuple[AnnotatedText, str]]


def exclude(path: Path, texts: list[AnnotatedText], others: list[Path]) -> tuple[list[AnnotatedText], Left]:
    """The texts that none of the other files holds, and those that are left out, each with where it was found.

    Texts are the same however they are cut, spaced or capitalized.
    path (Path): of the texts, for messages.
    others (list of Path): in any format that `convert` reads, or .spacy.
    RAISES: DataError where no text remains, and where a file cannot be read.
    """
    found: dict[str, str] = {}
    for other in others:
        for key, place in _places(other):
            found.setdefault(key, place)
    kept = [text for text in texts if text.letters not in found]
    if not kept:
        raise DataError(
            f"{path}: all {len(texts)} texts are also in the files of --exclude; nothing is left to convert"
        )
    return kept, [(text, found[text.letters]) for text in texts if text.letters in found]


def _places(path: Path) -> list[tuple[str, str]]:
    """What each text is compared by, and where it is."""
    if path.suffix == ".spacy":
        return [(letters(text), f"{path}, text {number}") for number, text in enumerate(read_raw_texts(path), start=1)]
    return [(text.letters, f"{path}, line {text.lines[0]}") for text in read_corpus(path)[1]]
