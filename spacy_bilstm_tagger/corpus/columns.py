"""Formats with a token a line and a blank line between texts: columns of any kind, and CoNLL-U."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, NamedTuple, Optional

from ..errors import DataError, Errors
from ..pipeline.gold import is_missing
from .annotated_text import AnnotatedText
from .bio import EntityTags, looks_like_bio
from .labels import list_counts

CONLLU_WIDTH = 10
CONLLU_TAGS = {"upos": 3, "xpos": 4}
_TEXT_COMMENT = re.compile(r"# text =(.*)")
_CONLLU_COMMENT = re.compile(r"#(?:\s*text\s*=(.*))?")

_ROLES = {"token", "tag", "ent", "-"}
# Names of columns: a first line of nothing else is a header, not a token and its tag.
_NAMES = {"token", "word", "form", "text", "tag", "tags", "pos", "upos", "xpos", "ner", "entity", "label"}

Row = tuple[int, list[str]]  # the line's number and its cells


@dataclass
class Columns:
    """The roles of the columns of a file.

    roles (list of str): token, tag, ent or "-" for each column. By default they are guessed when a file is read: the
        first is the token, the last the entity if its values look like BIO tags, and the second the tag if it is not
        the entity.
    guessed (bool): whether they were guessed.
    unused (dict): the number of each column without a role, from 1 -> counts of its values.
    RAISES: DataError for other roles, and for a role that is given twice.
    """

    roles: list[str] = field(default_factory=list)
    guessed: bool = field(default=False, init=False)
    unused: dict[int, "Counter[str]"] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        named = [role for role in self.roles if role != "-"]
        if self.roles and not (_ROLES.issuperset(named) and len(named) == len(set(named)) > 1 and "token" in named):
            raise DataError(
                f"--columns {','.join(self.roles)}: expected each of token, tag and ent at most once (token in any "
                "case) and - for the others"
            )

    def fit(self, path: Path, rows: list[Row], separator: Optional[str]) -> None:
        """Guess the roles if none are given, and check all rows.

        RAISES: DataError for a row with another number of columns, and for a header.
        """
        if not self.roles:
            self.roles, self.guessed = _guess_roles(rows), True
        width = len(self.roles)
        expected = f"{width} ({', '.join(self.roles)})" if width > 1 else "at least 2: a token and a tag"
        for line, cells in rows:
            check_width(path, line, cells, separator or " ", max(width, 2), expected)
        line, cells = rows[0]
        if _NAMES.issuperset(cell.lower() for cell in cells):
            raise DataError(
                f"{path}, line {line}: found {cells}, names of columns, expected a token and its tag; remove the line, "
                "and name the columns with --columns"
            )
        for i, role in enumerate(self.roles):
            if role == "-":
                self.unused[i + 1] = Counter(cells[i] for _, cells in rows)

    def summary(self) -> list[str]:
        """Lines about guessed columns; empty if the roles were given."""
        if not self.guessed:
            return []
        return [f"Columns: {', '.join(self.roles)}, guessed"] + [
            f"Column {number} is not used: {list_counts(values, most=5)}; name it with --columns (token, tag, ent)"
            for number, values in self.unused.items()
        ]


def read_columns(
    path: Path, content: str, *, separator: Optional[str], entities: EntityTags, columns: Optional[Columns] = None
) -> list[AnnotatedText]:
    """Quotes are ordinary characters. A comment line `# text = ...` gives the raw text of the tokens after it.

    separator (str or None): between columns; None for any white space.
    columns (Columns or None): the roles of the columns; guessed by default.
    RAISES: DataError for a line with another number of columns than most have, an empty token, a header, and entity
        tags that `entities` refuses.
    """
    blocks = list(_blocks(content, separator, _TEXT_COMMENT))
    rows = [row for _, block in blocks for row in block]
    if not rows:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    for line, cells in rows:
        if not cells[0].strip():
            raise DataError(Errors.CORPUS_TOKEN.format(path=path, line=line))
        cells[:] = map(str.strip, cells)
    columns = columns or Columns()
    columns.fit(path, rows, separator)
    texts = []
    for raw, block in blocks:
        lines = [line for line, _ in block]
        by_role = dict(zip(columns.roles, map(list, zip(*(cells for _, cells in block)))))
        ents = entities.to_bio(path, by_role["ent"], lines) if "ent" in by_role else None
        tags = ["" if is_missing(tag) else tag for tag in by_role["tag"]] if "tag" in by_role else None
        texts.append(AnnotatedText(by_role["token"], tags, ents, raw, lines))
    entities.check_ends(path)
    return texts


def _guess_roles(rows: list[Row]) -> list[str]:
    width = Counter(len(cells) for _, cells in rows).most_common(1)[0][0]
    roles = ["token"] + ["-"] * (width - 1)
    if width > 1:
        if looks_like_bio({cells[-1] for _, cells in rows if len(cells) == width}):
            roles[-1] = "ent"
        if width > 2 or roles[-1] == "-":
            roles[1] = "tag"
    return roles


class _Word(NamedTuple):
    id: int
    form: str
    tag: str
    line: int
    space_after: bool


def read_conllu(path: Path, content: str, *, tags: str = "upos") -> list[AnnotatedText]:
    """CoNLL-U (https://universaldependencies.org/format.html): words, UPOS or XPOS, raw text and SpaceAfter. Each
    sentence is a text.

    A multiword token whose words spell it (don't = do + n't) becomes its words. Any other (au = a + le) becomes one
    word, its tag missing. Empty nodes (1.1) are left out.

    tags (str): "upos" or "xpos".
    RAISES: DataError for a line that is not ten columns, and for an id of another form.
    """
    check_conllu_tags(tags)
    texts = []
    for raw, rows in _blocks(content, "\t", _CONLLU_COMMENT):
        words = _conllu_words(path, rows, CONLLU_TAGS[tags])
        if words:
            raw = raw or "".join(word.form + " " * word.space_after for word in words).rstrip()
            _, forms, gold, lines, _ = map(list, zip(*words))
            texts.append(AnnotatedText(forms, gold, None, raw, lines))
    if not texts:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    return texts


def check_conllu_tags(tags: str) -> None:
    """RAISES: DataError if this is no column of tags."""
    if tags not in CONLLU_TAGS:
        raise DataError(f"--tags {tags}: expected upos or xpos")


def _conllu_words(path: Path, rows: list[Row], tag_column: int) -> list[_Word]:
    words: list[_Word] = []
    multiword: list[tuple[int, int, str, bool]] = []  # the ids of its first and last word, form, space after
    for line, cells in rows:
        check_width(path, line, cells, "\t", CONLLU_WIDTH, f"{CONLLU_WIDTH}, separated by TAB")
        first, dash, last = cells[0].partition("-")
        form, tag, space_after = cells[1], cells[tag_column], "SpaceAfter=No" not in cells[9].split("|")
        if dash and first.isdecimal() and last.isdecimal():
            multiword.append((int(first), int(last), form, space_after))
        elif first.isdecimal() and not dash:
            if not form.strip():
                raise DataError(Errors.CORPUS_TOKEN.format(path=path, line=line))
            words.append(_Word(int(first), form, "" if tag == "_" else tag, line, space_after))
        elif not cells[0].replace(".", "", 1).isdecimal():
            raise DataError(
                f"{path}, line {line}: found the id {cells[0]!r}, expected a number, a range 1-2 or an empty node 1.1"
            )
    for first_id, last_id, form, space_after in reversed(multiword):
        at = [i for i, word in enumerate(words) if first_id <= word.id <= last_id]
        if at:
            parts = words[at[0] : at[-1] + 1]
            if "".join(word.form for word in parts) == form:
                spaces = [False] * (len(parts) - 1) + [space_after]
                parts = [word._replace(space_after=space) for word, space in zip(parts, spaces)]
            else:
                parts = [_Word(first_id, form, "", parts[0].line, space_after)]
            words[at[0] : at[-1] + 1] = parts
    return words


def _blocks(
    content: str, separator: Optional[str], text_comment: "re.Pattern[str]"
) -> Iterator[tuple[Optional[str], list[Row]]]:
    """The raw text, if a comment gives it, and the rows of each text.

    text_comment (Pattern): matches a comment line; its group is the raw text.
    """
    raw: Optional[str] = None
    rows: list[Row] = []
    for number, line in enumerate(content.split("\n"), 1):
        line = line.rstrip("\r")
        comment = text_comment.match(line)
        if not line.strip() or line.startswith("-DOCSTART-"):
            if rows:
                yield raw, rows
            raw, rows = None, []
        elif comment:
            raw = raw if comment[1] is None else comment[1].strip()
        else:
            rows.append((number, line.split(separator)))
    if rows:
        yield raw, rows


def check_width(path: Path, line: int, cells: list[str], separator: str, width: int, expected: str) -> None:
    """RAISES: DataError for a row with another number of cells."""
    if len(cells) != width:
        text = separator.join(cells)[:60]
        raise DataError(f"{path}, line {line}: found {len(cells)} column(s) in {text!r}, expected {expected}")
