"""One token a line and a blank line between texts: Ritter's layout, TAB-separated files, CoNLL 2003 and its like."""

from collections import Counter
from pathlib import Path
from typing import Iterator, Optional

from ..errors import DataError, Errors
from .bio import EntityTags, looks_like_bio
from .text import AnnotatedText

TEXT_COMMENT = "# text ="
ROLES = ("token", "tag", "ent", "-")

Row = tuple[int, list[str]]


def read_columns(
    path: Path,
    content: str,
    *,
    separator: Optional[str],
    entities: EntityTags,
    roles: Optional[list[str]] = None,
) -> list[AnnotatedText]:
    """Quotes are ordinary characters. A comment line `# text = ...` gives the raw text of the tokens after it.

    separator (str or None): between columns; None for any white space.
    roles (list of str or None): what the columns hold, each one of ROLES. By default the first is the token, the last
        the entity where all its values look like BIO tags, and the second the tag where it is not the entity.
    RAISES: DataError for a line with another number of columns than most have, or an empty token.
    """
    blocks = list(_blocks(path, content, separator))
    rows = [row for _, block in blocks for row in block]
    if not rows:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    roles = roles or _guess_roles(rows)
    _check_columns(path, rows, roles)
    at = {role: i for i, role in enumerate(roles) if role != "-"}
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


def _check_columns(path: Path, rows: list[Row], roles: list[str]) -> None:
    expected = f"{len(roles)} ({', '.join(roles)})" if len(roles) > 1 else "at least 2: a token and a tag"
    for line, cells in rows:
        if len(cells) != len(roles) or len(cells) < 2:
            message = Errors.CORPUS_COLUMNS.format(
                path=path, line=line, found=len(cells), text=" ".join(cells), expected=expected
            )
            raise DataError(message)
