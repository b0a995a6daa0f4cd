"""The formats of annotated text: the table of all of them, and reading a file in any of them."""

import codecs
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Optional

from ..errors import DataError, Errors
from ..util import read_text
from .annotated_text import AnnotatedText
from .bio import EntityTags
from .columns import CONLLU_WIDTH, Columns, check_conllu_tags, read_columns, read_conllu
from .csv_formats import csv_format, read_gmb, read_toxic_spans


@dataclass(frozen=True)
class Format:
    """help: the format in a few words, for the command line.
    read: reads the path (for messages), the content and the options.
    options: the names of the options that `read` takes, of "columns", "entities" and "tags".
    encoding: of files as they are published."""

    help: str
    read: Callable[..., list[AnnotatedText]]
    options: tuple[str, ...] = ()
    encoding: str = "utf-8"


_ROLES = ("columns", "entities")
# For a new format, add it here with its reader, and to `guess_format` below, or to `csv_format` if it has a header.
FORMATS = {
    "ritter": Format("token and tag, one space between them", partial(read_columns, separator=" "), _ROLES),
    "tsv": Format("columns separated by TAB", partial(read_columns, separator="\t"), _ROLES),
    "conll": Format("columns separated by any white space", partial(read_columns, separator=None), _ROLES),
    "conllu": Format("CoNLL-U", read_conllu, ("tags",)),
    "gmb": Format("CSV with the columns Sentence #, Word, POS, Tag", read_gmb, ("entities",), encoding="latin-1"),
    "toxic_spans": Format("CSV with the columns spans (a list of character offsets) and text", read_toxic_spans),
}
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

    format (str or None): one of FORMATS; None to guess it from the first lines.
    encoding (str or None): that of the format by default, or utf-8 if the file begins with a byte order mark.
    columns (Columns or None): the roles of columns without a header; guessed by default.
    conllu_tags (str): "upos" or "xpos".
    entities (EntityTags or None): reads the entity tags; strictly by default.
    RAISES: DataError for anything wrong with the file, with its line, and for options that do not fit.
    """
    if format is not None and format not in FORMATS:
        raise DataError(f"--format {format}: expected one of {', '.join(FORMATS)}")
    check_conllu_tags(conllu_tags)
    if path.suffix == ".spacy":
        raise DataError(f"{path}: is a DocBin, expected the annotated text that such a file is made of")
    first_line = b""
    if path.is_file():  # if not, `read_text` raises the error
        with path.open("rb") as file:
            first_line = file.readline()
    has_mark = first_line.startswith(codecs.BOM_UTF8)
    format = format or csv_format(first_line.decode("utf-8-sig", "replace"))
    encoding = encoding or (FORMATS[format].encoding if format and not has_mark else "utf-8")
    content = read_text(path, encoding, option=", or give convert its --encoding, such as latin-1")
    format = format or guess_format(path, content)
    chosen = FORMATS[format]
    columns = columns or Columns()
    if columns.roles and "columns" not in chosen.options:
        raise DataError(f"--columns {','.join(columns.roles)}: the columns of {format} are fixed; leave the option out")
    options: dict[str, Any] = {"columns": columns, "entities": entities or EntityTags(), "tags": conllu_tags}
    return format, chosen.read(path, content, **{name: options[name] for name in chosen.options})


def guess_format(path: Path, content: str) -> str:
    """The format of the header, or that of at least half of the first lines; a name in .conllu decides before them.

    RAISES: DataError for an empty file, and one whose first lines are in none of FORMATS.
    """
    lines = content.split("\n", _LINES_TO_GUESS_FROM)[:_LINES_TO_GUESS_FROM]
    rows = [line for line in lines if line.strip() and not line.startswith(("# ", "-DOCSTART-"))]
    if not rows:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    by_header = csv_format(rows[0])
    if by_header:
        return by_header
    half = len(rows) / 2
    tabs = [row.count("\t") for row in rows]
    if path.suffix == ".conllu" or tabs.count(CONLLU_WIDTH - 1) >= half:
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
