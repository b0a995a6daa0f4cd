"""Brown clusters (Brown et al. 1992) inside of a vocabulary, and the path of each token.

A path is kept as a whole number: its bits after a leading 1, so that 0 and 00 differ and 0 is no path. The words'
hashes and their paths are two arrays in one of the vocabulary's lookups tables, which spaCy saves and copies with it.
With an entry for each word instead, spacy.load would take a third of a second longer for 100,000 words.
"""

from typing import Optional

import numpy as np
from spacy.attrs import LOWER, NORM
from spacy.lookups import Table
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.vocab import Vocab

from .errors import ConfigError

TABLE = "brown_paths"
LONGEST = 52  # bits of a path: as many as a float64 counts exactly

# What stands in for a NORM that is no word of a cluster file. The words on the right are those of the published
# clusters of tweets (Owoputi et al. 2013, "Improved part-of-speech tagging for online conversational text with word
# clusters"): they name a link's host, and their tokens keep n't and the like on the verb. For links it is the most
# frequent word of the kind; for hashtags and numbers, of which only rare ones come this far, the most frequent word of
# the cluster that has most of them. 's is the verb more often than the genitive (44 of 74 times in T-POS, train).
# Faces need none: those that people write are words of the file.
STAND_INS = {
    "<user>": "<@MENTION>",
    "<url>": "<URL-bit.ly>",
    "<hashtag>": "#jobs",
    "<number>": "6",
    "n't": "not",
    "'m": "am",
    "'s": "is",
    "'re": "are",
    "'ve": "have",
    "'ll": "will",
    "'d": "would",
}
_STAND_IN_HASHES = {get_string_id(norm): get_string_id(word) for norm, word in STAND_INS.items()}


def set_brown(vocab: Vocab, paths: dict[str, str]) -> None:
    """Make these the vocabulary's clusters.

    paths (dict): each word's path, a string of 0 and 1.
    """
    words = np.array([get_string_id(word) for word in paths], dtype="<u8")
    numbers = np.array([int("1" + path, 2) for path in paths.values()], dtype="<u8")
    order = np.argsort(words)
    data = {"words": words[order].tobytes(), "paths": numbers[order].tobytes()}
    vocab.lookups.set_table(TABLE, Table(name=TABLE, data=data))


def get_brown(vocab: Vocab) -> Optional[tuple[np.ndarray, np.ndarray]]:
    """The sorted hashes of the words and their paths, (words,) each; None where the vocabulary has no clusters."""
    if TABLE not in vocab.lookups:
        return None
    table = vocab.lookups.get_table(TABLE)
    return np.frombuffer(table["words"], dtype="<u8"), np.frombuffer(table["paths"], dtype="<u8")


def find_paths(docs: list[Doc]) -> np.ndarray:
    """The path of each token's LOWER, or else of its NORM, or else of its NORM's stand-in, or 0; (tokens,) uint64.

    RAISES: ConfigError where the vocabulary has no clusters.
    """
    return find_paths_and_ways(docs)[0]


def find_paths_and_ways(docs: list[Doc]) -> tuple[np.ndarray, dict[str, int]]:
    """As `find_paths`, and how many tokens were found by each of these, in the order in which they are tried."""
    brown = get_brown(docs[0].vocab) if docs else None
    if brown is None:
        raise ConfigError(
            "TweetEmbed.v1 has brown_prefixes, but the pipeline has no Brown clusters. Set brown in "
            '[initialize.before_init] with @callbacks = "spacy-bilstm-tagger.load_vectors.v1" to a file of '
            "them, or brown_prefixes = []. If brown is set there, [initialize] lookups took their place; set "
            "lookups = null"
        )
    attributes = np.concatenate([doc.to_array([LOWER, NORM]).reshape(-1, 2) for doc in docs])
    paths = np.zeros(len(attributes), dtype="uint64")
    ways, missing = {}, np.arange(len(attributes))
    for way, keys in _WAYS.items():
        paths[missing] = _look_up(brown, keys(attributes[missing]))
        still_missing = missing[paths[missing] == 0]
        ways[way] = len(missing) - len(still_missing)
        missing = still_missing
    return paths, ways


# The keys of tokens, (tokens,), from their LOWER and NORM, (tokens, 2).


def _lower(attributes: np.ndarray) -> np.ndarray:
    return attributes[:, 0]


def _norm(attributes: np.ndarray) -> np.ndarray:
    return attributes[:, 1]


def _stand_in(attributes: np.ndarray) -> np.ndarray:
    return np.array([_STAND_IN_HASHES.get(norm, 0) for norm in attributes[:, 1].tolist()], dtype="uint64")


_WAYS = {"LOWER": _lower, "NORM": _norm, "a stand-in for their NORM": _stand_in}


def cut_paths(paths: np.ndarray, length: int) -> np.ndarray:
    """The first bits of each path, or all of it where it is shorter; 0 stays 0."""
    lengths = np.frexp(paths.astype("float64"))[1] - 1
    return paths >> np.maximum(lengths - length, 0).astype("uint64")


def _look_up(brown: tuple[np.ndarray, np.ndarray], hashes: np.ndarray) -> np.ndarray:
    words, paths = brown
    word_types, token_type = np.unique(hashes, return_inverse=True)  # one look-up for every word type
    at = np.minimum(np.searchsorted(words, word_types), len(words) - 1)
    return np.where(words[at] == word_types, paths[at], 0).astype("uint64")[token_type]
