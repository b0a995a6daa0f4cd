"""The texts of a report: annotated ones with their gold, or raw ones."""

import json
import zlib
from pathlib import Path
from typing import Iterable, Optional

from spacy.language import Language
from spacy.training import Corpus, Example

from ..corpus.annotated_text import text_fingerprints
from ..corpus.docs import to_docbin
from ..corpus.formats import read_corpus
from ..corpus.json_lines import KEYS
from ..corpus.raw import RAW, docbin_files, holds_columns, iter_raw_texts
from ..errors import DataError, damaged
from ..util import read_lines, unpacked_suffix


def read_examples(nlp: Language, path: Path, format: Optional[str] = None) -> list[Example]:
    """The texts of a file: .spacy, or a folder with some; raw texts, one a line (.txt), or as JSON lines with nothing but a
    text; or an annotated corpus in any format that `convert` reads without options. format: its name, where it is not guessed.

    RAISES: DataError for a file that is missing, empty or damaged.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file; expected annotated texts, such as a .spacy file, or .txt with a text a line")
    suffix = unpacked_suffix(path)
    if path.is_dir() or suffix == ".spacy":
        if format is not None:
            raise DataError(f"--format {format}: is of files that convert reads, and not of {path}; leave it out")
        examples = _of_docbin(nlp, path)
    elif format is None and (
        (path.suffix and suffix in RAW and not holds_columns(path)) or (suffix == ".jsonl" and not _has_ranges(path))
    ):
        examples = [Example(nlp.make_doc(text), nlp.make_doc(text)) for text in iter_raw_texts(path)]
    else:
        _, texts = read_corpus(path, format=format)
        gold = to_docbin(path, texts).get_docs(nlp.vocab)
        examples = list(Corpus(path).make_examples(nlp, gold))
    if not examples:
        raise DataError(f"{path}: holds no text; expected at least one")
    return examples


def training_files(nlp: Language) -> list[Path]:
    """The training corpus that the config names, if it is there."""
    path = nlp.config.interpolate().get("paths", {}).get("train")
    return [Path(path)] if isinstance(path, str) and Path(path).exists() else []


def count_learned(texts: Iterable[str], examples: Iterable[Example]) -> int:
    """How many of the examples are among these texts of the training, but for users and links."""
    seen = {each for text in texts for each in text_fingerprints(text)}
    return sum(not seen.isdisjoint(text_fingerprints(example.predicted.text)) for example in examples)


def _has_ranges(path: Path) -> bool:
    """Whether one of JSON lines has labelled ranges."""
    try:
        records = [json.loads(line) for line in read_lines(path) if line.strip()]
    except ValueError:  # the reader says what is wrong
        return True
    return any(not isinstance(record, dict) or not record.keys().isdisjoint(KEYS) for record in records)


def _of_docbin(nlp: Language, path: Path) -> list[Example]:
    examples: list[Example] = []
    for file in docbin_files(path):
        try:
            examples += Corpus(file)(nlp)
        except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{damaged(file, 'a .spacy file', error)}; get the file again") from None
    return examples
