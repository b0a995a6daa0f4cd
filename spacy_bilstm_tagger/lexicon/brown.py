"""Brown clusters (Brown et al. 1992, "Class-based n-gram models of natural language"): a path of bits for each word.

A path is kept as a whole number: its bits after a leading 1, so that 0 and 00 differ and 0 is no path. The layer
`BrownPrefixes` in layers/word_features.py looks it up and cuts it to the prefixes that are embedded.
"""

from io import StringIO
from pathlib import Path
from typing import Mapping

import numpy as np
from spacy.strings import get_string_id

from ..errors import DataError
from ..util import is_stream, read_text
from .files import load_table
from .table import BROWN, WordTable

MAX_BITS = 52  # of a path: as many as a float64 counts exactly

# Words whose path is used for a NORM that the clusters do not have. They are those of the published clusters of tweets
# (Owoputi et al. 2013, "Improved part-of-speech tagging for online conversational text with word clusters"): these name
# a link's host, and their tokens keep n't and the like on the verb. For links it is the most frequent word of the kind;
# for hashtags and numbers, of which only rare ones have no path of their own, the most frequent word of the cluster
# that has most of them. 's is the verb more often than the genitive (44 of 74 times in T-POS, train). Faces need none:
# those that people write are words of the file.
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


def brown_table(paths: Mapping[str, str]) -> WordTable:
    """The paths (`paths`), also of the NORMs that have a stand-in, whose hashes are in the info (`stand_ins`).

    paths (mapping): each word's path, a string of 0 and 1.
    """
    added = {norm: paths[word] for norm, word in STAND_INS.items() if word in paths and norm not in paths}
    hashes = np.array([get_string_id(word) for word in (*paths, *added)], dtype=np.uint64)
    numbers = np.array([int("1" + path, 2) for path in (*paths.values(), *added.values())], dtype=np.uint64)
    return WordTable.build(hashes, {"stand_ins": [get_string_id(norm) for norm in added]}, paths=numbers)


def load_brown(source: Path) -> WordTable:
    """The clusters of a file, or of the folder of a pipeline that has some.

    RAISES: DataError where there are none, or where they are damaged.
    """
    return load_table(source, BROWN, "Brown clusters", "brown", lambda path: brown_table(read_brown(path)))


def read_brown(path: Path) -> dict[str, str]:
    """Each word's path of 0 and 1, from lines of `path TAB word TAB count`, the layout that the usual programs write.

    RAISES: DataError with the file and the line that is wrong.
    """
    layout = "Brown clusters (bit path TAB word TAB count in each line, also .gz)"
    if path.is_dir():
        raise DataError(
            f"{path}: is a folder, expected a file of {layout}. A folder made by 'spacy-bilstm vectors brown' is "
            "ready: load_vectors.v1 takes it"
        )
    if not path.is_file() and not is_stream(path):
        raise DataError(
            f"{path}: no such file. Expected {layout}; recipes also take a folder made of them by 'spacy-bilstm vectors brown'"
        )
    paths: dict[str, str] = {}
    for line, row in enumerate(StringIO(read_text(path)), start=1):
        columns = row.rstrip("\n").split("\t")
        bits, word, count = columns if len(columns) == 3 else ("", "", "")
        if not row.strip():
            problem = "found an empty line, expected a bit path, a word and a count. Remove the line"
        elif not word:
            problem = f"found {row.rstrip()[:80]!r}, expected a bit path, a word and a count, a TAB between them"
        elif not 1 <= len(bits) <= MAX_BITS or bits.strip("01"):
            problem = f"found the path {bits[:80]!r}, expected up to {MAX_BITS} of the digits 0 and 1"
        elif not count.strip().isdecimal():
            problem = f"found the count {count[:80]!r}, expected a whole number"
        elif (first := paths.setdefault(word, bits)) != bits:
            problem = f"{word!r} has the path {bits} here and {first} above; expected one path a word"
        else:
            continue
        raise DataError(f"{path}, line {line}: {problem}")
    if not paths:
        raise DataError(f"{path}: found no Brown clusters, expected lines of bit path TAB word TAB count")
    if len(set(paths.values())) > 1 and all(bits.startswith("1") for bits in paths.values()):
        raise DataError(
            f"{path}: no path begins with 0, so leading zeros were probably lost, as in a spreadsheet, or a half of the file; "
            "expected the paths of a whole tree: get the file again"
        )
    return paths
