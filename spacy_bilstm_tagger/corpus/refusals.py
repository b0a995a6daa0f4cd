"""Files that are often found in the place of a corpus, and are none."""

import re
from pathlib import Path

from ..errors import DataError
from ..util import GZIP, archive_kind, wrong_download
from .json_lines import refuse_json

_BINARY = {
    rb"PK\x03\x04(?s:.*)xl/": "an Excel workbook; save it there as text with TAB between columns",
    rb"%PDF-": "a PDF; get the data itself",
    rb"PAR1[\x0e-\x1f]": "a Parquet file; write JSON lines of it (pandas: to_json(..., orient='records', lines=True)) or columns",
    rb"(?s)ARROW1\x00|\xff{4}.\x00{3}": "an Arrow file; write JSON lines or columns of it (datasets: to_json)",
    rb"SQLite format 3": "a database of SQLite; export JSON lines (Prodigy: prodigy db-out) or columns",
    rb"\x93NUMPY": "an array of numpy; write columns of it",
    rb"\x80[\x02-\x05]": "a pickle of Python, which is not read since it may run any program; write JSON lines or columns of it",
    rb"\{\\rtf": "a document with formatting (RTF); save it as plain text",
}
_WEBANNO = "#FORMAT=WebAnno TSV"
_ELEMENT = re.compile(r"\s*<([a-z][\w:.-]*)(?:\s[^<>]*)?>", re.IGNORECASE)  # of HTML or XML
_QUOTED = re.compile(r'^"# text =', re.MULTILINE)
_OTHER_FORMATS = {
    "a tree in brackets, as of the Penn Treebank; expected a token and its tag in each line, and a blank line between texts": (
        re.compile(r"\(\s*(?:\(\s*)?(?:TOP|ROOT|S1?|SINV|SQ|SBARQ|FRAG|NP|INTJ|X)\s*\(")
    ),
    "brat's standoff annotation, whose text is in another file; expected columns of tokens and tags: export CoNLL": (
        re.compile(r"T\d+\t\S+ \d+ [\d; ]+\t")
    ),
}


def refuse_bytes(path: Path, data: bytes) -> None:
    """RAISES: DataError for archives, and for files that are no text."""
    for start, kind in _BINARY.items():
        if re.match(start, data):
            raise DataError(f"{path}: is {kind}")
    archive = "a gzip archive inside of another one" if data.startswith(GZIP) else archive_kind(data)
    if archive:
        raise DataError(f"{path}: is {archive}; expected a file of text: unpack it, and give the file inside")


def refuse_content(path: Path, content: str) -> None:
    """RAISES: DataError for files that are often found in the place of a corpus."""
    kind = wrong_download(content)
    if kind:
        raise DataError(f"{path}: found {content.strip()[:40]!r}, {kind}")
    element = _ELEMENT.match(content)
    if element:
        end, content = f"</{element[1].lower()}>", content.strip()
        first = content.partition("\n")[0].rstrip()
        if any(part.endswith(">") and end in part.lower() for part in (first, content)):
            raise DataError(
                f"{path}: found {content[:40]!r}, HTML or XML, as of a web page or a server's error message; look at the address, "
                "and download the file itself"
            )
    first, _, _ = content.lstrip().partition("\n")
    for kind, form in _OTHER_FORMATS.items():
        if form.match(first):
            line = content.count("\n", 0, content.index(first)) + 1
            raise DataError(f"{path}, line {line}: found {first[:60]!r}, {kind}")
    if content.startswith(_WEBANNO):
        first, _, _ = content.partition("\n")
        raise DataError(
            f"{path}, line 1: found {first!r}, whose columns are layers; expected columns of tokens and tags: "
            "export CoNLL 2002 or CoNLL-U from WebAnno or INCEpTION"
        )
    refuse_json(path, content)
    quoted = _QUOTED.search(content)
    if quoted:
        line = content.count("\n", 0, quoted.start()) + 1
        raise DataError(
            f"{path}, line {line}: found {quoted[0]!r}, as a spreadsheet saves cells in quotes; expected none: save it as "
            "text with TAB between columns, and no quotes"
        )
