"""Formats with a token a line in columns of any kind, and a blank line between texts; and spaCy's `.iob`, a text a line."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from ..errors import DataError, Errors
from ..pipeline.gold import is_missing
from .annotated_text import AnnotatedText, Notes
from .bio import EntityTags, looks_like_bio
from .column_roles import KNOWN, Block, Row, guess_roles, is_empty
from .column_warnings import warn
from .labels import list_counts

_ROLES = {"token", "tag", "ent", "-"}
# Names of columns: a first line of nothing else is a header, not a token and its tag.
_NAME = re.compile(
    r"(?:(?:gold|pos|upos|xpos|ner|ent|entity|bio|iob|word|token|coarse|fine|sentence)[ _-]?)?"
    r"(?:tokens?|words?|forms?|texts?|tags?|labels?|pos|upos|xpos|ner|ents?|entity|entities|lemmas?|id|idx|index)",
    re.IGNORECASE,
)
_TEXT = re.compile(r"# ?text =(.*)")
# Comments of common corpora; IMGID of Twitter-2015 and 2017, ###MEDLINE of JNLPBA. A token of this form has a tag or entity tag
# that other tokens have too.
COMMENT = re.compile(
    r"#\s*(?:[\w.:-]+\s*=\s*\S|(?:id|sent_?id|doc_?id|text_?id|newdoc|newpar|(?:begin|end) document)\b)"
    r"|IMGID:\d+\s*$|###\w+:\S+\s*$",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"IMGID:\d+\sO\s*$")  # with the tag that other tokens have too
_BIO = re.compile(r"O|[BI]-\S+")
_DOCUMENT = re.compile(r"\s*[-<]DOC(?:START|END)[->]", re.IGNORECASE)
_LANGUAGE = re.compile(r"([a-z]{2,3}(?:-[a-z]+)*:)(?=.)")  # of WikiANN


@dataclass
class Columns:
    """The roles of the columns of a file.

    roles (list of str): token, tag, ent or "-" for each column. By default they are guessed when a file is read: see
        `column_roles.guess_roles`.
    skip_blank (bool): leave out tokens of nothing or white space, instead of refusing them.
    skipped (int): how many were left out.
    guessed (bool): whether they were guessed.
    unused (dict): the number of each column without a role, from 1 -> counts of its values.
    RAISES: DataError for other roles, and for a role that is given twice.
    """

    roles: list[str] = field(default_factory=list)
    skip_blank: bool = False
    skipped: int = field(default=0, init=False)
    guessed: bool = field(default=False, init=False)
    unused: dict[int, "Counter[str]"] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        named = [role for role in self.roles if role != "-"]
        if self.roles and not (_ROLES.issuperset(named) and len(named) == len(set(named)) > 1 and "token" in named):
            raise DataError(
                f"--columns {','.join(self.roles)}: expected each of token, tag and ent at most once (token in any "
                "case) and - for the others"
            )

    def fit(self, path: Path, blocks: list[Block], separator: Optional[str]) -> None:
        """Guess the roles if none are given, and check all rows.

        RAISES: DataError for a row with another number of columns, a header, and texts in the place of tokens.
        """
        rows = [row for _, block in blocks for row in block]
        for line, cells in rows:  # files that were joined have such a line in the middle
            if len(cells) > 1 and all(map(_NAME.fullmatch, cells)):
                raise DataError(
                    f"{path}, line {line}: found {cells}, names of columns, expected a token and its tag; remove the line, "
                    "and name the columns with --columns"
                )
        _refuse_turns(path, rows)
        if not self.roles:
            self.roles, self.guessed = guess_roles(path, blocks, separator), True
        width = len(self.roles)
        expected = f"{width} ({', '.join(self.roles)})" if width > 1 else "at least 2: a token and a tag"
        for line, cells in rows:
            check_width(path, line, cells, separator or " ", max(width, 2), expected)
        line, cells = rows[0]
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
        """Lines about guessed columns, and tokens that were left out."""
        skipped = [f"Tokens of white space, left out: {self.skipped:,}"] if self.skip_blank else []
        if not self.guessed:
            return skipped
        unused = [
            f"Column {number} is not used: {list_counts(values, most=5)}; name it with --columns (token, tag, ent)"
            for number, values in self.unused.items()
            if not is_empty(list(values))
        ]
        return [*skipped, f"Columns: {', '.join(self.roles)}, guessed", *unused]


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
    notes, columns = notes or Notes(), columns or Columns()
    blocks = _blocks(path, content, separator, notes)
    _drop_sparse_index(path, blocks, columns, notes)
    if columns.skip_blank:
        blocks = _without_blank(blocks, columns, 0)
    rows = [row for _, block in blocks for row in block]
    if not rows:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    for line, cells in rows:
        if not cells[0].strip():
            raise DataError(empty_token(path, line, cells[0], skip=True))
        cells[:] = map(str.strip, cells)
    return _to_texts(path, blocks, columns, separator, entities, notes)


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
    if len(lines) > 2 and not any(" " in line.strip() for _, line in lines):
        raise DataError(
            f"{path}, line {lines[0][0]}: found one token a line with '|' between the columns; expected a TAB between them, and a "
            "blank line between texts"
        )
    bars = Counter(min(item.count("|"), 3) for _, line in lines for item in line.split())
    if bars[3] > bars.total() / 2:
        raise DataError(
            f"{path}, line {lines[0][0]}: found more than three parts in {lines[0][1].split()[0][:40]!r}, expected token|entity or "
            "token|tag|entity; remove the others, or write a token a line, TABs between its columns, and a blank line between texts"
        )
    bars[2] += bars.pop(3, 0)
    width = max(bars, key=lambda number: (bars[number], -number))  # a token may hold more
    blocks: list[Block] = [(None, [(n, item.rsplit("|", width)) for item in line.split()]) for n, line in lines]
    return _to_texts(path, blocks, columns or Columns(), "|", entities, notes or Notes())


def looks_like_iob(lines: list[str]) -> bool:
    """Whether most items of the lines have a bar, and what stands behind the last one looks like BIO."""
    items = [item for line in lines for item in line.split()]
    ends = {item.rpartition("|")[2] for item in items if "|" in item[1:]}
    return sum("|" in item[1:] for item in items) > 0.8 * len(items) and looks_like_bio(ends)


def _to_texts(
    path: Path, blocks: list[Block], columns: Columns, separator: Optional[str], entities: EntityTags, notes: Notes
) -> list[AnnotatedText]:
    rows = [row for _, block in blocks for row in block]
    columns.fit(path, blocks, separator)
    at = {role: i for i, role in enumerate(columns.roles)}
    _drop_language(rows, at["token"], notes)
    if columns.skip_blank:
        blocks = _without_blank(blocks, columns, at["token"])
    for line, cells in (row for _, block in blocks for row in block):
        if not cells[at["token"]]:
            raise DataError(empty_token(path, line, "", skip=True))
    if "ent" in at:
        entities.recognize([[cells[at["ent"]] for _, cells in block] for _, block in blocks])
        if entities.iob1:
            notes.lines.append("Entity tags: IOB1, as in CoNLL 2003; read as BIO")
    texts = []
    for raw, block in blocks:
        lines = [line for line, _ in block]
        by_role = dict(zip(columns.roles, map(list, zip(*(cells for _, cells in block)))))
        ents = entities.to_bio(path, by_role["ent"], lines) if "ent" in by_role else None
        tags = ["" if is_no_tag(tag) else tag for tag in by_role["tag"]] if "tag" in by_role else None
        texts.append(AnnotatedText(by_role["token"], tags, ents, raw, lines))
    entities.check_ends(path)
    warn(texts, rows, notes, in_blanks=separator != "\t")
    return texts


def _refuse_turns(path: Path, rows: list[Row]) -> None:
    """RAISES: DataError for a line of tokens and one of their tags by turns."""
    widths = [len(cells) for _, cells in rows]
    halves = ([cell for _, cells in rows[at::2] for cell in cells] for at in (0, 1))
    have_tags = [
        max(map(len, half), default=0) > 1 and sum(cell in KNOWN or bool(_BIO.fullmatch(cell)) for cell in half) > 0.9 * len(half)
        for half in halves
    ]
    if widths[::2] == widths[1::2] and (len(set(widths)) > 1 or have_tags == [False, True]):
        raise DataError(
            f"{path}, line {rows[0][0]}: found {widths[0]} columns here and in the next line, and so on by turns, as where a line "
            "of tokens and one of their tags alternate; expected a token and its tag in each line"
        )


def is_no_tag(cell: str) -> bool:
    """Missing annotation, or an empty cell, also as pandas writes it."""
    return is_missing(cell) or cell == "_" or cell.lower() in ("nan", "<na>")


def _drop_sparse_index(path: Path, blocks: list[Block], columns: Columns, notes: Notes) -> None:
    """A number in the first row of each text alone, as pandas writes the first level of an index, is left out.

    RAISES: DataError for such a number in another row: a text begins there.
    """
    first = [[(line, cells[0].strip()) for line, cells in rows if len(cells) > 2] for _, rows in blocks]
    filled = [(line, cell) for text in first for line, cell in text if cell]
    n_rows = sum(map(len, first))
    if columns.roles or not filled or n_rows < 2 * len(filled) or not all(cell.isdecimal() for _, cell in filled):
        return
    for text in first:
        for line, cell in text[1:]:
            if cell:
                raise DataError(
                    f"{path}, line {line}: the number {cell} in the first column begins a text; the blank line between two texts "
                    "is missing before it"
                )
    for cells in (cells for _, rows in blocks for _, cells in rows if len(cells) > 2):
        del cells[0]
    notes.lines.append("The first column, a number at the beginning of each text, was left out")


def _drop_language(rows: list[Row], token: int, notes: Notes) -> None:
    """Of WikiANN (Pan et al. 2017, "Cross-lingual name tagging and linking for 282 languages"): each token is written behind
    its language, as en:Lisbon."""
    found = [_LANGUAGE.match(cells[token]) for _, cells in rows]
    if len(rows) > 2 and all(found):
        languages = Counter(match[1] for match in found if match)
        for _, cells in rows:
            cells[token] = cells[token].partition(":")[2]
        notes.lines.append(f"Each token begins with its language, as in WikiANN: {list_counts(languages)}; read without it")


def _without_blank(blocks: list[Block], columns: Columns, at: int) -> list[Block]:
    """The blocks without rows whose cell of this number is blank, which are counted."""
    kept = [(raw, [row for row in block if row[1][at].strip()]) for raw, block in blocks]
    columns.skipped += sum(len(block) for _, block in blocks) - sum(len(block) for _, block in kept)
    return [(raw, block) for raw, block in kept if block]


def empty_token(path: Path, line: int, cell: str, *, skip: bool = False) -> str:
    """The message for a token of white space. cell (str): the text in its place. skip (bool): whether the format has the
    option to leave it out."""
    way_out = ", or give --skip-blank-tokens" if skip else ""
    if cell.strip(" \t"):
        names = ", ".join(f"U+{ord(char):04X}" for char in dict.fromkeys(cell))
        return f"{path}, line {line}: the token is white space ({names}), expected a word; remove the line, or its token{way_out}"
    return Errors.CORPUS_TOKEN.format(path=path, line=line) + way_out


def _blocks(path: Path, content: str, separator: Optional[str], notes: Notes) -> list[Block]:
    """The raw text, if a comment gives it, and the rows of each text."""
    blocks: list[Block] = []
    raw: Optional[str] = None
    rows: list[Row] = []
    n_images, hidden = 0, list[tuple[int, str]]()
    signs: list[tuple[list[Row], Row, str]] = []  # lines that may be comments, and the rows that they stand among
    for number, line in enumerate([*content.split("\n"), ""], 1):
        line = line.rstrip("\r")
        comment = _TEXT.match(line)
        if not line.strip() or _DOCUMENT.match(line):
            hidden += [(number, line)] if line.strip(" \t") and not line.strip() else []
            if rows:
                blocks.append((raw, rows))
            raw, rows = None, []
        elif comment and not all(cells[0].startswith("#") for _, cells in rows):
            raise DataError(between_tokens(path, number, line))
        elif comment:
            raw = comment[1].strip()
        else:
            cells = line.split(separator)
            is_blank = separator is None and line[:1].isspace() and line[0] not in " \t"  # such as U+00A0, which splits
            rows.append((number, ["", *cells] if is_blank else cells))
            if _IMAGE.match(line) and len(rows) == 1:
                rows.pop()
                n_images += 1
            elif COMMENT.match(line) or (line[:1] == "#" and line[1:2].isspace()):
                signs.append((rows, rows[-1], line))
    if hidden:
        number, line = hidden[0]
        notes.warnings.append(
            f"{len(hidden):,} lines hold other white space, such as {line!a} in line {number}; they are read as blank lines, at "
            "which texts end. Remove those inside of texts"
        )
    if n_images:
        notes.lines.append(f"Names of images, left out: {n_images:,}")
    _drop_comments(path, blocks, signs, notes)
    return [(raw, rows) for raw, rows in blocks if rows]


def _drop_comments(path: Path, blocks: list[Block], signs: list[tuple[list[Row], Row, str]], notes: Notes) -> None:
    """A line of a comment's form is a token if its last cell is that of other tokens too; `# X` alone is a comment before the
    tokens of several texts, where each X is another one. RAISES: DataError for a comment between tokens."""
    known = {id(row) for _, row, _ in signs}
    others = [row[1] for _, rows in blocks for row in rows if id(row) not in known]
    if not signs or not others:
        return
    width = Counter(map(len, others)).most_common(1)[0][0]
    last = {cells[-1].strip() for cells in others if len(cells) == width}
    strange = [sign for sign in signs if len(sign[1][1]) != width or sign[1][1][-1].strip() not in last]
    heads = Counter(line for rows, row, line in strange if rows[0] is row)
    dropped = 0
    for rows, row, line in strange:
        is_head = all(cells[0].startswith("#") for _, cells in rows[: rows.index(row)])
        has_form = bool(COMMENT.match(line)) or len(row[1]) != width
        if has_form and not is_head:
            raise DataError(between_tokens(path, row[0], line))
        if has_form or (is_head and len(heads) > 1 and heads[line] == 1):
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
        text, by = separator.join(cells)[:60], " with a TAB between them" if separator == "\t" and "TAB" not in expected else ""
        raise DataError(f"{path}, line {line}: found {len(cells)} column(s) in {text!r}, expected {expected}{by}")
