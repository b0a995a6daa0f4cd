"""Which reader a file needs."""

import codecs
from pathlib import Path
from typing import Optional

from ..errors import DataError, Errors
from ..util import read_text
from .bio import EntityTags
from .columns import ROLES, Columns, read_columns
from .conllu import N_COLUMNS, TAG_COLUMNS, read_conllu
from .gmb import HEADER, read_gmb
from .text import AnnotatedText
from .toxic_spans import is_header, read_toxic_spans

FORMATS = {
    "ritter": "token and tag, one space between them",
    "tsv": "columns separated by TAB",
    "conll": "columns separated by any white space",
    "conllu": "CoNLL-U",
    "gmb": "CSV with the columns Sentence #, Word, POS, Tag",
    "toxic_spans": "CSV with the columns spans (a list of character offsets) and text",
}
_SEPARATORS = {"ritter": " ", "tsv": "\t", "conll": None}
_LINES_TO_GUESS_FROM = 200


def read_corpus(
    path: Path,
    *,
    format: Optional[str] = None,
    encoding: Optional[str] = None,
    columns: Optional[Columns] = None,
    conllu_tags: str = "upos",
    entities: Optional[EntityTags] = None,
) -> tuple[str, list[AnnotatedText]]:
    """The name of the format, and the texts.

    format (str or None): one of FORMATS; None to guess from the first lines.
    encoding (str or None): utf-8 by default; for gmb latin-1, as it is published, unless a byte order mark begins it.
    columns (Columns or None): what the columns hold, of the formats that have no names for them; guessed by default.
    conllu_tags (str): "upos" or "xpos".
    entities (EntityTags or None): how to read entity tags; strictly by default.
    RAISES: DataError for whatever is wrong with the file, with its line.
    """
    if format is not None and format not in FORMATS:
        raise DataError(f"--format {format}: expected one of {', '.join(FORMATS)}")
    roles = columns.roles if columns else []
    if roles and not _are_roles(roles):
        raise DataError(
            f"--columns {','.join(roles)}: expected each of token, tag and ent at most once (token in any case) "
            "and - for the others"
        )
    if conllu_tags not in TAG_COLUMNS:
        raise DataError(Errors.CORPUS_CONLLU_COLUMN.format(found=conllu_tags))
    if path.suffix == ".spacy":
        raise DataError(f"{path}: is a DocBin, expected the annotated text that such a file is made of")
    first_line = _first_line(path)
    has_mark = first_line.startswith(codecs.BOM_UTF8)
    starts_like_gmb = first_line.removeprefix(codecs.BOM_UTF8).startswith(",".join(HEADER[:2]).encode())
    is_gmb = format == "gmb" or (format is None and starts_like_gmb)
    encoding = encoding or ("latin-1" if is_gmb and not has_mark else "utf-8")
    content = read_text(path, encoding, option=", or give convert its --encoding, such as latin-1")
    format = format or ("gmb" if is_gmb else guess_format(path, content))
    entities = entities or EntityTags()
    if roles and format not in _SEPARATORS:
        raise DataError(f"--columns {','.join(roles)}: the columns of {format} are fixed; leave the option out")
    if format == "gmb":
        texts = read_gmb(path, content, entities=entities)
        entities.check_ends(path)
        return format, texts
    if format == "toxic_spans":
        return format, read_toxic_spans(path, content)
    if format == "conllu":
        return format, read_conllu(path, content, tags=conllu_tags)
    texts = read_columns(path, content, separator=_SEPARATORS[format], entities=entities, columns=columns)
    entities.check_ends(path)
    return format, texts


def guess_format(path: Path, content: str) -> str:
    """What at least half of the first lines are; the name .conllu goes before them.

    RAISES: DataError for an empty file, or one whose first lines are none of FORMATS.
    """
    lines = [line for line in content.split("\n", _LINES_TO_GUESS_FROM)[:_LINES_TO_GUESS_FROM] if line.strip()]
    rows = [line for line in lines if not line.startswith(("# ", "-DOCSTART-"))]
    if not rows:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    if is_header(rows[0]):
        return "toxic_spans"
    half = len(rows) / 2
    tabs = [row.count("\t") for row in rows]
    if path.suffix == ".conllu" or tabs.count(N_COLUMNS - 1) >= half:
        return "conllu"
    if sum(n > 0 for n in tabs) >= half:
        return "tsv"
    widths = [len(row.split()) for row in rows]
    if widths.count(2) >= half:
        return "ritter" if sum(row.count(" ") == 1 for row in rows) >= half else "conll"
    if widths[0] > 2 and widths.count(widths[0]) >= half:
        return "conll"
    raise DataError(
        f"{path}: cannot tell the format from lines such as {rows[0][:60]!r}; name it with --format "
        f"({', '.join(FORMATS)})"
    )


def _are_roles(roles: list[str]) -> bool:
    named = [role for role in roles if role != "-"]
    return set(roles) <= set(ROLES) and len(named) == len(set(named)) > 1 and "token" in named


def _first_line(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.readline()
