"""Texts without annotation, for training vectors."""

import gzip
import json
from pathlib import Path

import spacy
from spacy.tokens import DocBin

from ..errors import DataError, Errors
from ..files import read_text
from .formats import read_corpus


def read_raw_texts(path: Path) -> list[str]:
    """The texts of a file: one a line (.txt, .gz), JSON objects with a "text" (.jsonl), Docs (.spacy), or any annotated
    format that `convert` reads, tokens joined by spaces where the raw text is unknown.

    RAISES: DataError for a file that is missing, empty or not of its format.
    """
    if not path.is_file():
        raise DataError(Errors.CORPUS_MISSING.format(path=path))
    if path.suffix == ".spacy":
        texts = [doc.text for doc in DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab)]
    elif path.suffix == ".jsonl":
        texts = [_json_text(path, n, line) for n, line in enumerate(read_text(path, "utf-8").splitlines(), 1) if line.strip()]
    elif path.suffix == ".gz":
        texts = gzip.decompress(path.read_bytes()).decode("utf8").split("\n")
    elif path.suffix in (".txt", ""):
        texts = read_text(path, "utf-8").split("\n")
    else:
        texts = [text.raw or " ".join(text.words) for text in read_corpus(path)[1]]
    texts = [text.strip() for text in texts if text.strip()]
    if not texts:
        raise DataError(Errors.RAW_EMPTY.format(path=path))
    return texts


def _json_text(path: Path, number: int, line: str) -> str:
    try:
        text = json.loads(line)["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(Errors.RAW_JSON.format(path=path, line=number, found=repr(error))) from None
    return str(text)
