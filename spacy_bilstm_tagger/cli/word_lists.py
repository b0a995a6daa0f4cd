"""The words of any file: a list, a corpus, raw text, Brown clusters or vectors."""

import re
from pathlib import Path

from spacy.vocab import Vocab
from tqdm import tqdm

from ..corpus import read_corpus
from ..corpus.csv_formats import csv_format
from ..corpus.formats import guess_format
from ..corpus.raw import docbin_files, read_raw_texts
from ..errors import DataError
from ..lexicon.brown import read_brown
from ..lexicon.files import is_pipeline
from ..lexicon.sources import read_vectors
from ..lexicon.vectors import UNK_KEY, load_vectors
from ..tokenizer import default_tokenizer
from ..util import check_file, open_bytes, read_text

_SAMPLE = 1 << 16  # bytes to guess from
_BROWN = re.compile(r"[01]+\t[^\t]+\t\d+")
_ROW = re.compile(r"\S+(?: [-+]?\d*\.?\d+(?:[eE][-+]?\d+)?){2,}")
_HEADER = re.compile(r"\d+ \d+")


def read_words(path: Path) -> tuple[str, list[str]]:
    """The kind of the file, and its words in order, repeated as they are there.

    Corpora with gold tokens give these; texts are tokenized by TweetTokenizer, and so are entries of a word list with
    white space in them. `<unk>` is no word.
    RAISES: DataError for a file that is missing, damaged or without words.
    """
    kind = guess_kind(path)
    if kind == "vectors":
        words = _keys(path) if path.is_dir() else read_vectors(str(path)).index_to_key
    elif kind == "Brown clusters":
        words = list(read_brown(path))
    elif kind == "word list":
        entries = [_entry(line) for line in _lines(path)]
        words = [entry for entry in entries if len(entry.split()) == 1]
        words += _tokenize([entry for entry in entries if len(entry.split()) > 1])
    elif kind == "corpus":
        texts = read_corpus(path)[1]
        words = [word for text in texts for word in text.words]
        words += _tokenize([text.raw for text in texts if text.raw and not text.words])
    else:
        words = _tokenize(_lines(path))
    words = [word for word in words if word.strip() and word != UNK_KEY]
    if not words:
        raise DataError(f"{path}: found no word, read as {kind}; expected at least one")
    return kind, words


def guess_kind(path: Path) -> str:
    """vectors, Brown clusters, word list, corpus or texts: by the first lines, and by the name for .spacy and .jsonl.

    RAISES: DataError where there is no such file.
    """
    if path.is_dir():
        return "texts" if docbin_files(path) and not is_pipeline(path) else "vectors"
    check_file(path)
    if path.suffix in (".spacy", ".jsonl"):
        return "texts"
    with open_bytes(path) as file:
        sample = file.read(_SAMPLE)
    if sample.startswith((b"\x80", b"PK\x03\x04")) or b"\0" in sample:
        return "vectors"
    lines = sample.decode("utf-8-sig", "replace").replace("\r\n", "\n").strip("\n").split("\n")
    if len(sample) == _SAMPLE and len(lines) > 1:
        lines.pop()  # cut off
    rows = [line.rstrip() for line in lines if line.strip()]
    if rows and all(map(_BROWN.fullmatch, rows)):
        return "Brown clusters"
    numbers = rows[1:] if rows and _HEADER.fullmatch(rows[0]) else rows
    if numbers and all(map(_ROW.fullmatch, numbers)):
        return "vectors"
    if csv_format(lines[0]):
        return "corpus"
    has_sentences = len(rows) < len(lines)
    if not has_sentences and 2 * sum(len(_entry(row).split()) == 1 for row in rows) >= len(rows):
        return "word list"
    try:
        format = guess_format(path, "\n".join(lines))
    except DataError:
        return "texts"
    # Names of two words, or short texts, can look like a token and its tag.
    is_table = has_sentences and len({len(row.split()) for row in rows}) == 1
    return "corpus" if is_table or format not in ("ritter", "conll") else "texts"


def _entry(line: str) -> str:
    return line.split("\t", 1)[0].strip()


def _lines(path: Path) -> list[str]:
    return read_raw_texts(path) if path.is_dir() or path.suffix in (".spacy", ".jsonl") else read_text(path).split("\n")


def _tokenize(texts: list[str]) -> list[str]:
    bar = tqdm(texts, desc="Tokenizing", unit=" texts", disable=None, leave=False)
    return [token.text for doc in default_tokenizer().pipe(bar) for token in doc]


def _keys(folder: Path) -> list[str]:
    if not is_pipeline(folder):
        raise DataError(f"{folder}: a folder without vectors; expected one made by 'spacy-bilstm vectors', or a file of words")
    vocab = Vocab()
    load_vectors(vocab, folder)
    return [vocab.strings[key] for key in vocab.vectors]
