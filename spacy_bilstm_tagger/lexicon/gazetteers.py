"""Gazetteers, lists of names: reading them, and finding the names that the tokens of a text make up.

A name is known by a hash of its lower-cased characters without white space. The hash of several tokens follows from
theirs, so a name is found however a tokenizer cuts it, and `#newyork` is found like `New York`; but `to go` is not
Togo, which is of one piece.
"""

import html
import re
from pathlib import Path
from typing import Mapping, Optional, Sequence

import numpy as np
from spacy.lang.en.stop_words import STOP_WORDS

from ..errors import ConfigError, DataError
from ..types import Mask
from ..util import is_stream, read_text, wrong_download
from .files import load_table
from .name_lists import other_format
from .table import GAZETTEERS, NO_ROW, Hashes, WordTable, WordTypes

MAX_TOKENS = 6  # of a name

# Karp and Rabin 1987, "Efficient randomized pattern-matching algorithms", modulo 2 ** 64. The base is 2 ** 64 over the
# golden ratio: odd, and far from any ratio of two code points.
_BASE = np.uint64(0x9E3779B97F4A7C15)

_PIECE = re.compile(r"[^\W\d_]+|\d+|\S")  # a word, a number, a sign
_CONTROL = re.compile(r"[\x00-\x09\x0e-\x1f\x7f]")
_LETTER = re.compile(r"[^\W\d_]")


def gazetteer_table(lists: Mapping[str, Sequence[str]]) -> WordTable:
    """For each name, into how many pieces it can be cut (`pieces`), and the lists that it is on, a bit for each list
    (`bits`).

    lists (mapping): the names on each list.
    """
    hashes = [hash_texts([fold(name) for name in names])[0] for names in lists.values()]
    names, name = np.unique(np.concatenate(hashes), return_inverse=True)
    on = np.zeros((len(names), len(lists)), dtype=bool)
    on[name, np.repeat(np.arange(len(lists)), [len(each) for each in hashes])] = True
    pieces = np.zeros(len(names), dtype=np.uint8)
    np.maximum.at(pieces, name, [min(len(_PIECE.findall(text)), 255) for names in lists.values() for text in names])
    return WordTable(names, {"pieces": pieces, "bits": np.packbits(on, axis=1)}, {"lists": list(lists)})


def find_names(table: WordTable, types: WordTypes, lists: Optional[list[str]] = None) -> tuple[Mask, Mask]:
    """Whether a name of each list begins at each token, and whether one goes on there; (tokens, lists) each.

    Names have up to MAX_TOKENS tokens. One that lies within another of its list does not count: a token's row depends
    on the MAX_TOKENS - 1 tokens on either side of it and on no others.

    lists (list of str or None): some of the lists, in this order. None: all of them.
    RAISES: ConfigError where the table does not have them.
    """
    columns = _columns(table.info["lists"], lists)
    tokens = len(types.index)
    # White space stands for a character that no name has, so that names do not reach across it.
    by_type = hash_texts([fold(word) or "\1" for word in types.texts(types.lower)])
    hashes, powers = (values[types.index] for values in by_type)
    text_end = np.repeat(np.cumsum(types.lengths), types.lengths)
    size_of = np.zeros((tokens, len(columns)), dtype=np.int8)  # of the longest name that begins there, 0 for none
    first, joined = np.arange(tokens), hashes
    for size in range(1, MAX_TOKENS + 1):
        row = table.find(joined)
        found = np.flatnonzero((row != NO_ROW) & (size <= table.arrays["pieces"][row]))
        if len(found):
            on = np.unpackbits(table.arrays["bits"][row[found]], axis=1)[:, columns]
            begin = first[found]
            size_of[begin] = np.where(on, np.int8(size), size_of[begin])
        longer = np.flatnonzero(first + size < text_end[first])
        first = first[longer]
        joined = joined[longer] * powers[first + size] + hashes[first + size]
    reached = np.zeros_like(size_of)  # how far names that begin before a token reach, counted from there
    for back in range(1, min(MAX_TOKENS, tokens)):
        np.maximum(reached[back:], size_of[:-back] - np.int8(back), out=reached[back:])
    return size_of > reached, reached > 0


def fold(text: str) -> str:
    """The form in which names and tokens are compared: lower-cased, without white space, nor a `#` or `@` in front."""
    if text.isalpha():  # most are: the short way
        return text.lower()
    if "&" in text:
        text = html.unescape(text)
    text = "".join(text.lower().replace("’", "'").split())
    return text[1:] if len(text) > 1 and text[0] in "#@＃＠" else text


def hash_texts(texts: list[str]) -> tuple[Hashes, Hashes]:
    """The hash of each text, and the factor by which the hash of a text before it is multiplied to put the two
    together: that of `ab` is hash(a) * power(b) + hash(b); (texts,) each."""
    sizes = np.array([len(text) for text in texts], dtype=np.int64)
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4")
    powers = _BASE ** np.arange(sizes.max(initial=0) + 1, dtype=np.uint64)
    ends = np.cumsum(sizes)
    to_end = np.repeat(ends, sizes) - np.arange(len(codes)) - 1
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(codes * powers[to_end], dtype=np.uint64)])
    return sums[ends] - sums[ends - sizes], powers[sizes]


def _columns(known: list[str], wanted: Optional[list[str]]) -> list[int]:
    unknown = [name for name in wanted or [] if name not in known]
    if unknown:
        raise ConfigError(
            f"TweetEmbed.v1: the pipeline has no gazetteer {', '.join(unknown)}; expected some of: {', '.join(known)}"
        )
    return [known.index(name) for name in (known if wanted is None else wanted)]


def load_gazetteers(source: Path) -> WordTable:
    """The lists of a file or a folder, or those of the folder of a pipeline that has some.

    RAISES: DataError where there are none, or where they are damaged.
    """
    kind = "gazetteers"
    return load_table(source, GAZETTEERS, kind, kind, lambda path: gazetteer_table(read_gazetteers(path)[0]))


def read_gazetteers(source: Path) -> tuple[dict[str, list[str]], int]:
    """The names on each list: of each file of a folder, or of a single file, one name a line; also .gz. And how many
    names were left out.

    A list is called as its file, but for .txt and .gz at the end. Hidden files and folders inside are left alone. Names
    that cannot be found are left out, those of more than MAX_TOKENS words; and those that would be found in the wrong
    places: without a letter, of one character, or of English function words (`benchmarks/gazetteer_precision.py`
    prints how rarely such a name is one).

    RAISES: DataError with the file and the line that is wrong.
    """
    lists: dict[str, list[str]] = {}
    n_lines = 0
    for name, path in list_files(source).items():
        lines = [line for line in read_lines(path) if line.strip()]
        n_lines += len(lines)
        lists[name] = [line for line in lines if why_useless(line) is None]
        if not lists[name]:
            raise DataError(
                f"{path}: found no name to look for, expected at least one of up to {MAX_TOKENS} words, with a letter, and "
                "more than one character or function words"
                if lines
                else f"{path}: found no names, expected one a line"
            )
    return lists, n_lines - sum(map(len, lists.values()))


def list_files(source: Path) -> dict[str, Path]:
    """The file of each list."""
    paths = [source]
    if source.is_dir():
        paths = sorted(path for path in source.iterdir() if path.is_file() and not path.name.startswith("."))
        if not paths:
            raise DataError(f"{source}: found no files in this folder, expected lists with one name a line")
    elif not source.is_file() and not is_stream(source):
        raise DataError(
            f"{source}: no such file or folder. Expected a list with one name a line, a folder of such lists, or a folder "
            "made by 'spacy-bilstm vectors gazetteers'"
        )
    files: dict[str, Path] = {}
    for path in paths:
        name = path.name.removesuffix(".gz").removesuffix(".txt")
        if name in files:
            raise DataError(f"{path}: a second file of the list {name!r}; expected one, so rename or remove it")
        files[name] = path
    return files


def read_lines(path: Path) -> list[str]:
    """RAISES: DataError with the line that is not UTF-8, or is no name, or shows that the file is no list of names."""
    text = read_text(path)
    lines = text.split("\n")
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        raise DataError(
            f"{path}, line {line}: found {lines[line - 1][:80]!r}, expected one name and no TABs or other control characters"
        )
    if other := other_format(text):
        line, kind = other
        raise DataError(
            f"{path}, line {line}: found {kind} ({lines[line - 1].strip()[:80]!r}), expected one name a line and nothing "
            "else. Write the names alone into a file for each list"
        )
    if download := wrong_download(text):
        raise DataError(f"{path}: found {lines[0][:40]!r}, {download}")
    return lines


def why_useless(name: str) -> Optional[str]:
    """Why the name is not to be looked for, or None: see `read_gazetteers`."""
    words, key = name.lower().split(), fold(name)
    reasons = {
        "empty": not words,
        "too many words": len(words) > MAX_TOKENS,
        "one character": len(key) < 2,
        "no letter": not _LETTER.search(key),
        "function words": key in STOP_WORDS or STOP_WORDS.issuperset(words),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)
