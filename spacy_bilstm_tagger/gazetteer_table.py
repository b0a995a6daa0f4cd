"""Gazetteers, lists of names, inside of a vocabulary, and the names that the tokens of a text make up.

A name is known by a hash of its lower-cased characters without white space. The hash of several tokens follows from
theirs, so a name is found however a tokenizer cuts it, and `#newyork` is found like `New York`; but `to go` is not
Togo, which is of one piece. The names' hashes, pieces and lists are three arrays in one of the vocabulary's lookups
tables, so spacy.load stays fast.
"""

import html
import re
from dataclasses import dataclass
from typing import Mapping, Optional, Sequence

import numpy as np
from spacy.lookups import Table
from spacy.tokens import Doc
from spacy.vocab import Vocab

from .errors import ConfigError

TABLE = "gazetteers"
LONGEST = 6  # tokens of a name

# Karp and Rabin 1987, "Efficient randomized pattern-matching algorithms", modulo 2 ** 64. The base is 2 ** 64 over the
# golden ratio: odd, and far from any ratio of two code points.
BASE = np.uint64(0x9E3779B97F4A7C15)


_PIECE = re.compile(r"[^\W\d_]+|\d+|\S")  # a word, a number, a sign


@dataclass(frozen=True)
class Gazetteers:
    """lists: their names. names: the sorted hashes of all lists' names, (names,). pieces: how many tokens each can be
    cut into, (names,). bits: the lists that each is on, one bit a list, (names, bytes)."""

    lists: list[str]
    names: np.ndarray
    pieces: np.ndarray
    bits: np.ndarray


def set_gazetteers(vocab: Vocab, lists: Mapping[str, Sequence[str]]) -> None:
    """Make these the vocabulary's gazetteers.

    lists (mapping): the names on each list.
    """
    hashes = [hash_texts([fold(name) for name in names])[0] for names in lists.values()]
    names, name = np.unique(np.concatenate(hashes), return_inverse=True)
    on = np.zeros((len(names), len(lists)), dtype=bool)
    on[name, np.repeat(np.arange(len(lists)), [len(each) for each in hashes])] = True
    pieces = np.zeros(len(names), dtype="uint8")
    np.maximum.at(pieces, name, [min(len(_PIECE.findall(text)), 255) for names in lists.values() for text in names])
    arrays = {"names": names.astype("<u8"), "pieces": pieces, "bits": np.packbits(on, axis=1)}
    data = {"lists": list(lists), **{part: array.tobytes() for part, array in arrays.items()}}
    vocab.lookups.set_table(TABLE, Table(name=TABLE, data=data))


def get_gazetteers(vocab: Vocab) -> Gazetteers:
    """RAISES: ConfigError where the vocabulary has none."""
    if TABLE not in vocab.lookups:
        raise ConfigError(
            "TweetEmbed.v1 has gazetteers, but the pipeline has none. Set gazetteers in [initialize.before_init] "
            'with @callbacks = "spacy-bilstm-tagger.load_vectors.v1" to a folder of lists, or gazetteers = '
            "false. If it is set there, [initialize] lookups took their place; set lookups = null"
        )
    table = vocab.lookups.get_table(TABLE)
    names = np.frombuffer(table["names"], dtype="<u8")
    pieces, bits = (np.frombuffer(table[part], dtype="uint8") for part in ("pieces", "bits"))
    return Gazetteers(list(table["lists"]), names, pieces, bits.reshape(len(names), -1))


def find_names(docs: Sequence[Doc], lists: Optional[list[str]] = None) -> tuple[np.ndarray, np.ndarray]:
    """Whether a name of each list begins at each token, and whether one goes on there; (tokens, lists) bool each.

    Names have up to LONGEST tokens. One that lies within another of its list does not count: what a token is told
    depends on the LONGEST - 1 tokens on either side of it and on no others.

    lists (list of str or None): some of the lists, in this order. None: all of them.
    RAISES: ConfigError where the vocabulary does not have them.
    """
    lengths = np.array([len(doc) for doc in docs], dtype="int64")
    tokens = int(lengths.sum())
    if not tokens:
        nothing = np.zeros((0, len(lists or [])), dtype=bool)
        return nothing, nothing
    gazetteers = get_gazetteers(docs[0].vocab)
    columns = _columns(gazetteers.lists, lists)
    hashes, powers = _hash_tokens(docs)
    text_end = np.repeat(np.cumsum(lengths), lengths)
    name_end = np.zeros((tokens, len(columns)), dtype="int32")  # of the longest that begins there, 0 for none
    first, joined = np.arange(tokens), hashes
    for size in range(1, LONGEST + 1):
        name, found = _look_up(gazetteers.names, joined)
        found &= size <= gazetteers.pieces[name]
        on = np.unpackbits(gazetteers.bits[name[found]], axis=1)[:, columns]
        begin = first[found]
        name_end[begin] = np.where(on, begin[:, None] + size, name_end[begin])
        longer = first + size < text_end[first]
        first = first[longer]
        joined = joined[longer] * powers[first + size] + hashes[first + size]
    reached = np.zeros_like(name_end)  # by the names that begin before the token
    np.maximum.accumulate(name_end[:-1], axis=0, out=reached[1:])
    return name_end > reached, reached > np.arange(tokens)[:, None]


def fold(text: str) -> str:
    """What names and tokens are compared by: lower-cased, without white space, nor a `#` or `@` in front."""
    if text.isalpha():  # most are: the short way
        return text.lower()
    if "&" in text:
        text = html.unescape(text)
    text = "".join(text.lower().replace("’", "'").split())
    return text[1:] if len(text) > 1 and text[0] in "#@＃＠" else text


def hash_texts(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The hash of each text, and what the hash of a text before it is multiplied by to put the two together: that of
    `ab` is hash(a) * power(b) + hash(b); (texts,) uint64 each."""
    sizes = np.array([len(text) for text in texts], dtype="int64")
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4")
    powers = BASE ** np.arange(sizes.max(initial=0) + 1, dtype="uint64")
    ends = np.cumsum(sizes)
    to_end = np.repeat(ends, sizes) - np.arange(len(codes)) - 1
    sums = np.concatenate([np.zeros(1, dtype="uint64"), np.cumsum(codes * powers[to_end], dtype="uint64")])
    return sums[ends] - sums[ends - sizes], powers[sizes]


def _hash_tokens(docs: Sequence[Doc]) -> tuple[np.ndarray, np.ndarray]:
    lower = np.concatenate([doc.to_array("LOWER") for doc in docs])
    word_types, token_type = np.unique(lower, return_inverse=True)
    strings = docs[0].vocab.strings
    # White space stands for a character that no name has, so that names do not reach across it.
    hashes, powers = hash_texts([fold(strings[key]) or "\1" for key in word_types.tolist()])
    return hashes[token_type], powers[token_type]


def _look_up(names: np.ndarray, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each hash is among the names, and whether it is; (hashes,) each."""
    wanted, which = np.unique(hashes, return_inverse=True)  # sorted, they are found several times faster
    at = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    return at[which], (names[at] == wanted)[which]


def _columns(known: list[str], wanted: Optional[list[str]]) -> list[int]:
    unknown = [name for name in wanted or [] if name not in known]
    if unknown:
        raise ConfigError(
            f"TweetEmbed.v1: the pipeline has no gazetteer {', '.join(unknown)}; expected some of: {', '.join(known)}"
        )
    return [known.index(name) for name in (known if wanted is None else wanted)]
