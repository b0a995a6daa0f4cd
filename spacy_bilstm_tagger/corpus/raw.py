"""Texts without annotation, for training vectors."""

import gzip
import json
import zlib
from pathlib import Path

import spacy
from spacy.tokens import DocBin

from ..errors import DataError, Errors
from ..util import read_text
from .formats import read_corpus


def read_raw_texts(path: Path) -> list[str]:
    """The texts of a file: one a line (.txt, .gz), JSON objects with a "text" (.jsonl), Docs (.spacy), or any annotated
    format that `convert` reads, tokens joined by spaces where the raw text is unknown.

    RAISES: DataError for a file that is missing, empty or not of its format.
    """
    if not path.is_file():
        raise DataError(Errors.CORPUS_MISSING.format(path=path))
    try:
        texts = _read_texts(path)
    except DataError:
        raise
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DataError(Errors.RAW_DAMAGED.format(path=path, kind=f"a {path.suffix} file", reason=reason)) from None
    texts = [text.strip() for text in texts if text.strip()]
    if not texts:
        raise DataError(f"{path}: found no text, expected at least one line")
    return texts


def _read_texts(path: Path) -> list[str]:
    if path.suffix == ".spacy":
        return [doc.text for doc in DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab)]
    if path.suffix == ".jsonl":
        lines = read_text(path, "utf-8").split("\n")  # splitlines() would part a text at U+0085 too
        return [_json_text(path, n, line) for n, line in enumerate(lines, 1) if line.strip()]
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode("utf-8-sig").split("\n")
    if path.suffix in (".txt", ""):
        return read_text(path, "utf-8").split("\n")
    return [text.raw or " ".join(text.words) for text in read_corpus(path)[1]]


def _json_text(path: Path, number: int, line: str) -> str:
    try:
        found = json.loads(line)
        text = found["text"]
        text.encode("utf8")  # JSON can hold half a surrogate pair, which is no text
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            f'{path}, line {number}: found {line.strip()[:60]!r}, expected a JSON object with a string as "text"'
        ) from None
    return text
