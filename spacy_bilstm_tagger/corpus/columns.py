"""Formats with a token a line in columns of any kind, and a blank line between texts; and spaCy's `.iob`, a text a line."""

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Optional

from ..errors import DataError, Errors
from ..pipeline.gold import is_missing
from .annotated_text import AnnotatedText, Notes
from .bio import EntityTags, looks_like_bio, other_form
from .labels import list_counts

_ROLES = {"token", "tag", "ent", "-"}
# Names of columns: a first line of nothing else is a header, not a token and its tag.
_NAMES = {"token", "word", "form", "text", "tag", "tags", "pos", "upos", "xpos", "ner", "entity", "label"}
_TEXT = re.compile(r"# text =(.*)")
# Comments of common corpora. A token of this form has a tag or entity tag that other tokens have too.
_COMMENT = re.compile(r"#\s*(?:[\w.:-]+\s*=\s*\S|(?:id|sent_?id|doc_?id|text_?id|newdoc|newpar)\b)", re.IGNORECASE)
_EMPTY = {"-", "_", ""}
_CHUNKS = {"NP", "VP", "PP", "NC", "VC", "PC"}  # of CoNLL 2000 and 2003
_MOST_TAGS = 1000  # of a tag set; lemmas are more
_LONG_TEXT = 100  # tokens of a file's only text

Row = tuple[int, list[str]]  # the line's number and its cells
Block = tuple[Optional[str], list[Row]]  # the raw text, if a comment gives it, and the rows


@dataclass
class Columns:
    """The roles of the columns of a file.

    roles (list of str): token, tag, ent or "-" for each column. By default they are guessed when a file is read: see
        `_guess_roles`.
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

        RAISES: DataError for a row with another number of columns, a header, and texts in the place of tokens.
        """
        if not self.roles:
            self.roles, self.guessed = _guess_roles(path, rows), True
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
        token = self.roles.index("token")
        if len(rows) > 1 and sum(" " in cells[token] for _, cells in rows) > len(rows) / 2:
            raise DataError(
                f"{path}, line {line}: found {cells[token][:60]!r} as a token, and white space in most of the others; "
                "expected one token a line, with a blank line between texts. This looks like a table of whole texts"
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
            if not _EMPTY.issuperset(values)
        ]


def read_columns(
    path: Path,
    content: str,
    *,
    separator: Optional[str],
    entities: EntityTags,
    columns: Optional[Columns] = None,
    notes: Optional[Notes] = None,
) -> list[AnnotatedText]:
    """Quotes are ordinary characters. A comment line `# text = ...` gives the raw text of the tokens after it; other
    comments before a text's tokens (`# key = value`, `# id`) are skipped and counted.

    separator (str or None): between columns; None for any white space.
    columns (Columns or None): the roles of the columns; guessed by default.
    RAISES: DataError for a line with another number of columns than most have, an empty token, a header, and entity
        tags that `entities` refuses.
    """
    notes = notes or Notes()
    blocks = _blocks(path, content, separator, notes)
    rows = [row for _, block in blocks for row in block]
    if not rows:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    for line, cells in rows:
        if not cells[0].strip():
            raise DataError(empty_token(path, line, cells[0]))
        cells[:] = map(str.strip, cells)
    return _to_texts(path, blocks, columns or Columns(), separator, entities, notes)


def read_iob(
    path: Path,
    content: str,
    *,
    entities: EntityTags,
    columns: Optional[Columns] = None,
    notes: Optional[Notes] = None,
) -> list[AnnotatedText]:
    """spaCy's `.iob`: a text a line, its tokens as `token|tag|entity` or `token|entity`, with blanks between them.

    RAISES: as `read_columns`.
    """
    lines = [(number, line) for number, line in enumerate(content.split("\n"), 1) if line.strip()]
    if not lines:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    width = min(item.count("|") for item in lines[0][1].split())  # a token may hold more
    blocks: list[Block] = [(None, [(n, item.rsplit("|", width)) for item in line.split()]) for n, line in lines]
    return _to_texts(path, blocks, columns or Columns(), "|", entities, notes or Notes())


def looks_like_iob(lines: list[str]) -> bool:
    """Whether each item of the lines has one or two bars, and the last part of most looks like BIO."""
    items = [item for line in lines for item in line.split()]
    bars = {min(item.count("|"), 2) for item in items if not item.startswith("|")}
    return bars in ({1}, {2}) and looks_like_bio({item.rpartition("|")[2] for item in items})


def _to_texts(
    path: Path, blocks: list[Block], columns: Columns, separator: Optional[str], entities: EntityTags, notes: Notes
) -> list[AnnotatedText]:
    rows = [row for _, block in blocks for row in block]
    columns.fit(path, rows, separator)
    at = {role: i for i, role in enumerate(columns.roles)}
    for line, cells in rows:
        if not cells[at["token"]]:
            raise DataError(empty_token(path, line, ""))
    if "ent" in at:
        entities.recognize([[cells[at["ent"]] for _, cells in block] for _, block in blocks])
        if entities.iob1:
            notes.lines.append("Entity tags: IOB1, as in CoNLL 2003; read as BIO")
    texts = []
    for raw, block in blocks:
        lines = [line for line, _ in block]
        by_role = dict(zip(columns.roles, map(list, zip(*(cells for _, cells in block)))))
        ents = entities.to_bio(path, by_role["ent"], lines) if "ent" in by_role else None
        tags = ["" if is_missing(tag) else tag for tag in by_role["tag"]] if "tag" in by_role else None
        texts.append(AnnotatedText(by_role["token"], tags, ents, raw, lines))
    entities.check_ends(path)
    _warn(texts, rows, notes)
    return texts


def _warn(texts: list[AnnotatedText], rows: list[Row], notes: Notes) -> None:
    if len(texts) == 1 and len(rows) > _LONG_TEXT:
        notes.warnings.append(
            f"The file has no blank line, so all {len(rows):,} tokens are one text; put a blank line between texts"
        )
    tags = Counter(tag for text in texts for tag in text.tags or [] if tag)
    once = sum(count == 1 for count in tags.values())
    if tags.total() > 20 and once > tags.total() / 2:
        notes.warnings.append(
            f"{once:,} of {tags.total():,} tags occur once; if these are no tags, name the columns with --columns"
        )
    quoted = [cell for _, cells in rows for cell in cells if len(cell) > 2 and cell[0] == cell[-1] == '"']
    if quoted:
        notes.warnings.append(
            f"{len(quoted):,} cells are in quotes, such as {quoted[0]}; quotes are read as characters. If a CSV writer "
            "put them there, write the file again without quoting"
        )


def empty_token(path: Path, line: int, cell: str) -> str:
    """The message for a token of white space. cell (str): the text in its place."""
    if cell.strip(" \t"):
        names = ", ".join(f"U+{ord(char):04X}" for char in dict.fromkeys(cell))
        return (
            f"{path}, line {line}: the token is white space ({names}), expected a word; remove the line, or its token"
        )
    return Errors.CORPUS_TOKEN.format(path=path, line=line)


def _guess_roles(path: Path, rows: list[Row]) -> list[str]:
    """By the values of each column, over the rows that are as wide as most.

    A first column that counts is an index, and a column of nothing but - or _ is left out. The first of the others is the
    token. The first that looks like BIO tags, and not of chunks, is the entity: nested entities come after the outer ones.
    The first other column whose values are a tag set is the tag: no numbers, few different ones, and other ones than the
    words.

    RAISES: DataError where there is neither, and for entity tags of another form.
    """
    width = Counter(len(cells) for _, cells in rows).most_common(1)[0][0]
    values = [list(column) for column in zip(*(cells for _, cells in rows if len(cells) == width))]
    roles = ["-"] * width
    empty = {i for i, column in enumerate(values) if _EMPTY.issuperset(column)}
    rest = [i for i in range(width) if i not in empty]
    if width > 2 and rest and _counts(values[rest[0]]):
        rest.pop(0)
    if not rest or width < 2:
        return ["token"]
    token, *rest = rest
    roles[token] = "token"
    bio = [i for i in rest if looks_like_bio(set(values[i]))]
    if bio:
        roles[next((i for i in bio if not _has_chunks(values[i])), bio[-1])] = "ent"
    others = [i for i in rest if i not in bio]
    _refuse_other_forms(path, rows, width, others[-1:])
    tag = next((i for i in others if _is_tag_set(values[i], values[token])), None)
    if tag is not None:
        roles[tag] = "tag"
    elif not bio:
        found = ", ".join(list(dict.fromkeys(values[others[0]]))[:5]) if others else "nothing else"
        raise DataError(
            f"{path}, line {rows[0][0]}: no column looks like tags or entity tags (found {found} after the tokens); expected "
            "one of few different values, or of O, B-TYPE and I-TYPE. Name the columns with --columns"
        )
    return roles


def _counts(column: list[str]) -> bool:
    """Whether these are the numbers of rows, or of a text's tokens."""
    if len(column) < 2 or not all(map(str.isdecimal, column)):
        return False
    numbers = list(map(int, column))
    return all(b == a + 1 or b in (0, 1) for a, b in pairwise(numbers)) and numbers[0] in (0, 1)


def _has_chunks(column: list[str]) -> bool:
    return not _CHUNKS.isdisjoint(tag[2:] for tag in column)


def _is_tag_set(column: list[str], tokens: list[str]) -> bool:
    tags = {value for value in column if not is_missing(value) and value != "_"}
    if not tags or len(tags) > _MOST_TAGS or all(re.fullmatch(r"-?\d+(?:[.,]\d+)?", tag) for tag in tags):
        return False
    if any(" " in tag for tag in tags):
        return False
    words = [(value, token) for value, token in zip(column, tokens) if token.isalpha()]
    if (
        len(words) > 4
        and sum(value.lower() == token.lower() and not value.isupper() for value, token in words) > len(words) / 10
    ):
        return False  # lemmas, or the words once more
    return len(column) <= 50 or len(tags) <= len(column) / 2


def _refuse_other_forms(path: Path, rows: list[Row], width: int, columns: list[int]) -> None:
    """RAISES: DataError for a last column of entity tags that are not BIO."""
    for i in columns:
        found = other_form({cells[i] for _, cells in rows if len(cells) == width})
        if found:
            line, cells = next(row for row in rows if len(row[1]) == width and row[1][i] in found[0])
            raise DataError(
                f"{path}, line {line}: found entity tags such as {cells[i]!r}, {found[1]}; expected O, B-TYPE and I-TYPE, such "
                "as B-person. Write them in that form; if they are something else, name the columns with --columns"
            )


def _blocks(path: Path, content: str, separator: Optional[str], notes: Notes) -> list[Block]:
    """The raw text, if a comment gives it, and the rows of each text."""
    blocks: list[Block] = []
    raw: Optional[str] = None
    rows: list[Row] = []
    heads: list[tuple[list[Row], Row, str]] = []  # first lines of a text that may be a comment
    is_head = True
    for number, line in enumerate([*content.split("\n"), ""], 1):
        line = line.rstrip("\r")
        comment = _TEXT.match(line)
        if not line.strip() or line.startswith("-DOCSTART-"):
            if rows:
                blocks.append((raw, rows))
            raw, rows, is_head = None, [], True
        elif comment and not is_head:
            raise DataError(between_tokens(path, number, line))
        elif comment:
            raw = comment[1].strip()
        else:
            rows.append((number, line.split(separator)))
            is_head = is_head and line.startswith("#")
            if is_head:
                heads.append((rows, rows[-1], line))
    _drop_comments(blocks, heads, notes)
    return [(raw, rows) for raw, rows in blocks if rows]


def _drop_comments(blocks: list[Block], heads: list[tuple[list[Row], Row, str]], notes: Notes) -> None:
    """A first line is a comment if it has the form of one, or is no row of the table; and a token if its last cell is that
    of other tokens too."""
    first = {id(row) for _, row, line in heads if _COMMENT.match(line) or line[1:2].isspace()}
    others = [cells for _, rows in blocks for row in rows if id(row) not in first for cells in [row[1]]]
    if not heads or not others:
        return
    width = Counter(map(len, others)).most_common(1)[0][0]
    last = {cells[-1].strip() for cells in others if len(cells) == width}
    dropped = 0
    for rows, row, line in heads:
        is_row = len(row[1]) == width and (row[1][-1].strip() in last or not _COMMENT.match(line))
        if not is_row and (_COMMENT.match(line) or line[1:2].isspace()):
            rows.remove(row)
            dropped += 1
    if dropped:
        notes.lines.append(f"Comment lines, left out: {dropped:,}")


def between_tokens(path: Path, line: int, comment: str) -> str:
    """The message for a comment that belongs before the tokens of a text."""
    return (
        f"{path}, line {line}: found the comment {comment[:40]!r} between tokens; the blank line between two texts is missing "
        "before it"
    )


def check_width(path: Path, line: int, cells: list[str], separator: str, width: int, expected: str) -> None:
    """RAISES: DataError for a row with another number of cells."""
    if len(cells) != width:
        text = separator.join(cells)[:60]
        raise DataError(f"{path}, line {line}: found {len(cells)} column(s) in {text!r}, expected {expected}")
