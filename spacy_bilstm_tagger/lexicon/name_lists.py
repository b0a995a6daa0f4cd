"""Is a file a list of names, one a line, or in another format that would be read as names without complaint?"""

import html
import re
from collections import Counter
from itertools import pairwise
from typing import Optional

_CONFLICT = ("<<<<<<< ", ">>>>>>> ")
_COMMENTS = ("# ", "// ", "<!--")
_JSON = re.compile(r"""[\[{][\[{\s]*(?:["']|$)""")  # no name begins like this, even where the rest is cut off
_XML = ("<?xml", "<!doctype")
_ID = re.compile(r"[A-Za-z]{0,2}[:_-]?\d+")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_TITLES = {"category", "class", "count", "id", "kind", "label", "name", "names", "source", "tag", "title", "type"}
_ENTITY_TAG = re.compile(r"O|[BILUES]-\S+")
_DECIMAL = re.compile(r"-?\d*\.\d+(?:[eE][-+]?\d+)?")
_TAG = re.compile(r"[A-Z]+\$?|[^\w\s]+")
_BULLET = re.compile(r"[-*+•] ")
_NUMBER = re.compile(r"(\d+)[.):]?\s")
_ROWS = 0.9  # of the lines; a few may be broken, such as those with a separator inside a cell


def other_format(text: str) -> Optional[tuple[int, str]]:
    """The line where it shows, and what the file seems to be; None for a list of names.

    Names may hold commas, brackets, signs and numbers. So only this is taken for something else: a head that is JSON,
    XML, a comment or the titles of columns; the mark of a merge; a last line that closes XML; columns whose number is the
    same in nearly all lines, without a blank after the separator, which is neither in quotes nor between digits; nearly all
    lines with a bullet, in quotes, with a colon and one of few values, numbered from 0 or 1, an address or an identifier; and
    nearly all lines a word with an entity tag or with decimal numbers, or, in blocks, a word with a tag.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if not lines:
        return None
    number, first = lines[0]
    if first.startswith(_COMMENTS):
        return number, "a comment"
    for line, content in lines:
        if content.startswith(_CONFLICT):
            return line, "the mark of a conflict that a merge has left"
    if _JSON.match(first):
        return number, "JSON"
    is_closed = lines[-1][1].endswith(">") and "</" in lines[-1][1]
    if first.lower().startswith(_XML) or (first.startswith("<") and is_closed):
        return number, "XML"
    for separator in ",;|":
        row = _find_row([line for _, line in lines], separator)
        if row is not None:
            return lines[row][0], f"columns separated by {separator!r}"
    rows = [line.split() for _, line in lines]
    kind = _find_marks([line for _, line in lines]) or _find_annotation(rows, blocks="\n\n" in text.strip())
    return None if kind is None else (number, kind)


def _find_marks(lines: list[str]) -> Optional[str]:
    """What stands around the names of all lines; None where they stand alone."""
    least = max(2, _ROWS * len(lines))
    if sum(_BULLET.match(line) is not None for line in lines) >= least:
        return "names with bullets"
    if sum("://" in line for line in lines) >= least:
        return "web addresses"
    if sum(_ID.fullmatch(line) is not None for line in lines) >= least:
        return "numbers or identifiers"
    if sum(_QUOTED.fullmatch(line) is not None for line in lines) >= least:
        return "names in quotes"
    values = [line.partition(": ")[2] for line in lines if ": " in line]
    if len(values) >= least and len(set(values)) < len(values):  # the subtitles of films are all different
        return "names with a colon and a value"
    numbers = [int(match[1]) if (match := _NUMBER.match(line)) else None for line in lines]
    steps = sum(b is not None and a is not None and b == a + 1 for a, b in pairwise(numbers))
    return "numbered names" if len(lines) > 2 and numbers[0] in (0, 1) and steps >= least - 1 else None


def _find_annotation(rows: list[list[str]], *, blocks: bool) -> Optional[str]:
    """What the columns of a corpus or of word vectors, separated by blanks, are; None for names."""
    pairs = [row[-1] for row in rows if len(row) == 2]
    least = max(2, _ROWS * len(rows))
    if sum(len(row) > 1 and _ENTITY_TAG.fullmatch(row[-1]) is not None for row in rows) >= least:
        return "tokens with entity tags"
    if sum(len(row) > 1 and all(map(_DECIMAL.fullmatch, row[1:])) for row in rows) >= least:
        return "word vectors"
    if blocks and sum(_TAG.fullmatch(tag) is not None for tag in pairs) >= least:
        return "tokens with tags"
    return None


def _find_row(lines: list[str], separator: str) -> Optional[int]:
    """Which line is the first row of a table; None where there is no table."""
    titles = [title.strip().strip('"').lower() for title in lines[0].split(separator)]
    if len(titles) > 1 and _TITLES.issuperset(titles):
        return 0
    least = max(2, _ROWS * len(lines))
    if sum(separator in line for line in lines) < least:
        return None
    counts = [_count(line, separator) for line in lines]
    count, rows = Counter(counts).most_common(1)[0]
    return counts.index(count) if count and rows >= least else None


def _count(line: str, separator: str) -> int:
    """How many separators part columns; 0 where one is followed by a blank, as it is inside of a name."""
    line = _QUOTED.sub('""', html.unescape(line))  # &amp; is no end of a column
    if f"{separator} " in line:
        return 0
    return len(re.findall(rf"(?<!\d){re.escape(separator)}|{re.escape(separator)}(?!\d)", line))
