"""One token a line and a blank line between texts: Ritter's layout, TAB-separated files, CoNLL 2003 and its like."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, Optional

from ..errors import DataError, Errors
from .bio import EntityTags, looks_like_bio
from .text import AnnotatedText

TEXT_COMMENT = "# text ="
ROLES = ("token", "tag", "ent", "-")

# A first line of two of these is no token and its tag, but the names of the columns.
NAMES = frozenset({"token", "word", "form", "text", "tag", "tags", "pos", "upos", "xpos", "ner", "entity", "label"})

Row = tuple[int, list[str]]


@dataclass
class Columns:
    """What the columns of a file hold.

    roles (list of str): each one of ROLES. By default the first is the token, the last the entity where its values
        look like BIO tags, and the second the tag where it is not the entity; they are here once the file is read.
    guessed (bool): whether they were found so.
    unused (dict): the number of a column that is none of these, from 1, to its values with their counts.
    """

    roles: list[str] = field(default_factory=list)
    guessed: bool = field(default=False, init=False)
    unused: dict[int, "Counter[str]"] = field(default_factory=dict, init=False)

    def fit(self, path: Path, rows: list[Row], separator: Optional[str]) -> None:
        """RAISES: DataError for a row with another number of columns, or one that names them."""
        if not self.roles:
            self.roles, self.guessed = _guess_roles(rows), True
        _check_columns(path, rows, self.roles, separator or " ")
        line, cells = rows[0]
        if NAMES.issuperset(cell.lower() for cell in cells):
            raise DataError(
                f"{path}, line {line}: found {cells}, names of columns, expected a token and its tag; remove the "
                "line (--columns says what the columns hold)"
            )
        for i, role in enumerate(self.roles):
            if role == "-":
                self.unused[i + 1] = Counter(cells[i] for _, cells in rows)


def read_columns(
    path: Path, content: str, *, separator: Optional[str], entities: EntityTags, columns: Optional[Columns] = None
) -> list[AnnotatedText]:
    """Quotes are ordinary characters. A comment line `# text = ...` gives the raw text of the tokens after it.

    separator (str or None): between columns; None for any white space.
    columns (Columns or None): what they hold; by default as is guessed there.
    RAISES: DataError for a line with another number of columns than most have, an empty token, or a header.
    """
    blocks = list(_blocks(path, content, separator))
    rows = [row for _, block in blocks for row in block]
    if not rows:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    columns = columns or Columns()
    columns.fit(path, rows, separator)
    at = {role: i for i, role in enumerate(columns.roles) if role != "-"}
    texts = []
    for raw, block in blocks:
        lines = [line for line, _ in block]
        column = {role: [cells[i] for _, cells in block] for role, i in at.items()}
        ents = entities.to_bio(path, column["ent"], lines) if "ent" in at else None
        tags = ["" if tag == "-" else tag for tag in column["tag"]] if "tag" in at else None
        texts.append(AnnotatedText(column["token"], tags, ents, raw, lines))
    return texts


def _blocks(path: Path, content: str, separator: Optional[str]) -> Iterator[tuple[Optional[str], list[Row]]]:
    raw: Optional[str] = None
    block: list[Row] = []
    for number, line in enumerate(content.split("\n"), 1):
        line = line.rstrip("\r")
        if not line.strip() or line.startswith("-DOCSTART-"):
            if block:
                yield raw, block
            raw, block = None, []
        elif line.startswith(TEXT_COMMENT) and not block:
            raw = line[len(TEXT_COMMENT) :].strip()
        else:
            cells = line.split(separator) if separator else line.split()
            if not cells[0].strip():
                raise DataError(Errors.CORPUS_TOKEN.format(path=path, line=number))
            block.append((number, [cell.strip() for cell in cells]))
    if block:
        yield raw, block


def _guess_roles(rows: list[Row]) -> list[str]:
    width = Counter(len(cells) for _, cells in rows).most_common(1)[0][0]
    roles = ["token"] + ["-"] * (width - 1)
    if width > 1:
        if looks_like_bio({cells[-1] for _, cells in rows if len(cells) == width}):
            roles[-1] = "ent"
        if width > 2 or roles[-1] == "-":
            roles[1] = "tag"
    return roles


def _check_columns(path: Path, rows: list[Row], roles: list[str], separator: str) -> None:
    expected = f"{len(roles)} ({', '.join(roles)})" if len(roles) > 1 else "at least 2: a token and a tag"
    for line, cells in rows:
        if len(cells) != len(roles) or len(cells) < 2:
            message = Errors.CORPUS_COLUMNS.format(
                path=path, line=line, found=len(cells), text=separator.join(cells), expected=expected
            )
            raise DataError(message)
