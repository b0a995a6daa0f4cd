"""The formats of annotated text: the table of all of them, and reading a file in any of them."""

import codecs
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Optional

from ..errors import DataError, Errors
from ..tokenizer.characters import MOJIBAKE
from ..util import COMMON_ENCODINGS, GZIP, archive_kind, decode, read_bytes, refuse_utf8, utf_of, wrong_download
from .annotated_text import AnnotatedText, Notes
from .bio import EntityTags
from .column_warnings import warn_of_texts
from .columns import COMMENT, Columns, looks_like_iob, read_columns, read_iob
from .conllu import COLUMNS, check_conllu_tags, is_conllu_plus, read_conllu
from .csv_formats import GMB_HEADER, csv_format, read_gmb, read_toxic_spans
from .json_lines import is_list_of_texts, looks_like_json, read_json_lines, refuse_json
from .votes import is_votes_folder, read_texts_without_spans, read_votes


@dataclass(frozen=True)
class Format:
    """help: the format in a few words, for the command line.
    read: reads the path (for messages), the content, the notes and the options.
    options: the names of the options that `read` takes, of "columns", "entities" and "tags".
    encodings: of files as they are published, UTF-8 first; the first in which all bytes have a meaning is used."""

    help: str
    read: Callable[..., list[AnnotatedText]]
    options: tuple[str, ...] = ()
    encodings: tuple[str, ...] = ("utf-8",)


_ROLES = ("columns", "entities")
_VOTES, _TOXIC_SPANS = "toxic_votes", "toxic_spans"
_WINDOWS = ("utf-8", "cp1252", "latin-1")
# For a new format, add it here with its reader, and to `guess_format` below, or to `csv_format` if it has a header.
FORMATS = {
    "ritter": Format("token and tag, one space between them", partial(read_columns, separator=" "), _ROLES),
    "tsv": Format("columns separated by TAB", partial(read_columns, separator="\t"), _ROLES),
    "conll": Format("columns separated by any white space", partial(read_columns, separator=None), _ROLES),
    "conllu": Format("CoNLL-U", read_conllu, ("entities", "tags")),
    "iob": Format("a text a line, its tokens as token|tag|entity", read_iob, _ROLES),
    "gmb": Format("CSV with the columns Sentence #, Word, POS, Tag", read_gmb, ("entities",), encodings=_WINDOWS),
    _TOXIC_SPANS: Format("CSV with the columns spans (a list of character offsets) and text", read_toxic_spans),
    _VOTES: Format("a folder with the raters' annotations of toxic spans: comments.csv, annotations.csv, spans.csv", read_votes),
    "text": Format("a text a line, in which there are no spans; it is never guessed", read_texts_without_spans),
    "jsonl": Format("JSON with texts and labelled ranges of them, as doccano, Prodigy and Label Studio export it", read_json_lines),
}
_LINES_TO_GUESS_FROM = 200
_MOST_COLUMNS = 6  # TABs of a file that is no CoNLL-U, whatever its name
_NO_ROWS = ("# ", "#\t", "-DOCSTART-", "#begin document", "#end document")
_ESCAPED = re.compile(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}")
# Of Windows-1252: several letters in a row that are not ASCII, and a capital of these inside of a word.
_IMPROBABLE = re.compile(r"(?<!\w)\w*(?:[À-ÖØ-öø-ÿŒœŠšŽžŸ]{3}|[a-zß-ÿ][À-ÖØ-ÞŒŠŽŸ]|(?<=[A-Z])Ÿ[a-z])\w*")
_NOT_ASCII = re.compile(r"(?<!\w)[a-zA-Z]*[À-ÖØ-öø-ÿŒœŠšŽžŸ]")  # the beginning of such a word
CONTROL = re.compile("[\x80-\x9f]")  # of latin-1


def read_corpus(
    path: Path,
    *,
    format: Optional[str] = None,
    encoding: Optional[str] = None,
    columns: Optional[Columns] = None,
    conllu_tags: str = "upos",
    entities: Optional[EntityTags] = None,
    notes: Optional[Notes] = None,
) -> tuple[str, list[AnnotatedText]]:
    """The name of the format, and the texts.

    format (str or None): one of FORMATS; None to guess it from the first lines.
    encoding (str or None): UTF-8 by default, and for gmb, if the bytes are none, Windows-1252.
    columns (Columns or None): the roles of columns without a header; guessed by default.
    conllu_tags (str): "upos" or "xpos".
    entities (EntityTags or None): reads the entity tags; strictly by default.
    notes (Notes or None): gets lines for the report, and warnings.
    RAISES: DataError for anything wrong with the file, with its line, and for options that do not fit.
    """
    if format is not None and format not in FORMATS:
        raise DataError(f"--format {format}: expected one of {', '.join(FORMATS)}")
    check_conllu_tags(conllu_tags)
    if path.suffix == ".spacy":
        raise DataError(f"{path}: is a DocBin, expected the annotated text that such a file is made of")
    notes = notes or Notes()
    content = ""
    if is_votes_folder(path) and format is None:
        format = _VOTES
    if format != _VOTES:  # which is a folder
        content = _decode(path, format, encoding, notes)
        refuse_content(path, content)
    if format == "text":
        _refuse_annotated(path, content)
    format = format or guess_format(path, content)
    chosen = FORMATS[format]
    columns = columns or Columns()
    if columns.roles and "columns" not in chosen.options:
        raise DataError(f"--columns {','.join(columns.roles)}: the columns of {format} are fixed; leave the option out")
    options: dict[str, Any] = {"columns": columns, "entities": entities or EntityTags(), "tags": conllu_tags}
    texts = chosen.read(path, content, notes=notes, **{name: options[name] for name in chosen.options})
    _warn_of_damage(texts, notes)
    warn_of_texts(format, texts, notes)
    return format, texts


def _decode(path: Path, format: Optional[str], encoding: Optional[str], notes: Notes) -> str:
    """The text. An encoding that is guessed, or is not UTF-8, is noted.

    RAISES: DataError for bytes that the encoding does not have, UTF-8 that is read as another encoding or is damaged, and
        characters that no text has: NUL, and control characters of latin-1 unless it is a guess.
    """
    data = read_bytes(path)
    refuse_bytes(path, data)
    start = data.partition(b"\n")[0]
    format = format or csv_format(start.decode("utf-8-sig", "replace"))
    candidates = (encoding,) if encoding else FORMATS[format].encodings if format else ("utf-8",)
    utf = utf_of(data)
    advice = f", or give convert its --encoding, {f'here {utf}' if utf else f'such as {COMMON_ENCODINGS}'}"
    is_guess = len(candidates) > 1
    n_utf8 = _utf8_characters(data) if is_guess else 0
    if n_utf8:
        candidates = ("utf-8",)
        advice = f"; {n_utf8:,} characters outside ASCII are, so it may be damaged or cut off: get it again{advice}"
    for candidate in candidates:
        try:
            content = decode(path, data, candidate, option=advice, keep_ends=True)
            break
        except DataError:
            if candidate == candidates[-1]:
                raise
    if (format or csv_format(content.partition("\n")[0])) != _TOXIC_SPANS:  # whose offsets count line ends too
        content = re.sub(r"\r+\n|\r", "\n", content)  # also of a file written twice in text mode of Windows
    if encoding and not codecs.lookup(encoding).name.startswith("utf"):
        _check_named(path, data, content, encoding)
    nul = content.find("\0")
    if nul >= 0:
        line = content.count("\n", 0, nul) + 1
        raise DataError(
            f"{path}, line {line}: found a NUL character, which no text has; the file is damaged, or in another encoding: try "
            "--encoding utf-16-le or utf-16-be"
        )
    if candidate != "utf-8" or is_guess:
        notes.lines.append(f"Encoding: {candidate}")
    odd = _IMPROBABLE.findall(content) if is_guess and candidate == "cp1252" else []
    if len(odd) > len(_NOT_ASCII.findall(content)) / 5:
        notes.warnings.append(
            f"Read as cp1252, {len(odd):,} words are improbable, such as {odd[0]!r}; if the file is of another encoding (cp1251, "
            "iso-8859-2, mac-roman ...), name it with --encoding"
        )
    if is_guess and candidate == "latin-1":
        n_control = len(CONTROL.findall(content))
        notes.warnings.append(
            f"Read as latin-1, the file has {n_control:,} control characters (U+0080 to U+009F), which no text has; find its "
            "encoding, and name it with --encoding"
        )
    return content


def _warn_of_damage(texts: list[AnnotatedText], notes: Notes) -> None:
    """Of characters that a wrong decoding leaves in a text that is valid all the same. These come first: others may follow
    from them."""
    labels = {label for text in texts for label in [*(text.tags or ()), *(text.ents or ())]}
    content = "\n".join([*(text.text for text in texts), *labels])
    counts = {
        "U+FEFF (a byte order mark inside of the text, as of files that were joined)": content.count("\ufeff"),
        "U+FFFD (a character that could not be decoded)": content.count("\ufffd"),
        "sequences such as Ã© or â€™ (UTF-8 that was read as another encoding)": len(MOJIBAKE.findall(content)),
        r"sequences such as \u2019 or \xe9 (characters that a program has escaped)": len(_ESCAPED.findall(content)),
    }
    notes.warnings[:0] = [
        f"The text holds {kind}: {count:,}; if it was not published so, get the file again"
        for kind, count in counts.items()
        if count
    ]


def _utf8_characters(data: bytes) -> int:
    """How many characters outside ASCII are UTF-8; 0 if there are fewer than bytes that are not."""
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = len(text) - len(text.encode("ascii", "ignore")) - wrong
    return right if right >= wrong else 0


def _check_named(path: Path, data: bytes, content: str, encoding: str) -> None:
    """RAISES: DataError for UTF-8 that is read as this encoding, which is no UTF, and for control characters."""
    refuse_utf8(path, data, encoding)
    control = CONTROL.search(content)
    if control:
        line, byte = content.count("\n", 0, control.start()) + 1, f"0x{ord(control[0]):02x}"
        raise DataError(
            f"{path}, line {line}: {byte} is a control character in {encoding}, which no text has; expected --encoding cp1252"
        )


def _refuse_annotated(path: Path, content: str) -> None:
    """RAISES: DataError for annotation, whose signs would be tokens of raw texts."""
    try:
        guess = guess_format(path, content)
    except DataError:  # as for most raw texts
        return
    if guess in ("jsonl", "conllu", "gmb", _TOXIC_SPANS):
        raise DataError(f"--format text: {path} is {guess} ({FORMATS[guess].help}), expected a text a line; leave the option out")


def guess_format(path: Path, content: str) -> str:
    """The format of the header, or that of at least half of the first lines; a name in .conllu decides before them, if there
    are as many columns as in CoNLL-U, or nearly.

    RAISES: DataError for an empty file, and one whose first lines are in none of FORMATS.
    """
    lines = content.split("\n", _LINES_TO_GUESS_FROM)[:_LINES_TO_GUESS_FROM]
    rows = [line for line in lines if line.strip() and not line.startswith(_NO_ROWS)]
    rows = [line for line in rows if not COMMENT.match(line)] or rows
    if not rows:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    by_header = csv_format(rows[0])
    if by_header:
        return by_header
    if (rows[0].lstrip().startswith("{") and looks_like_json(rows[0])) or is_list_of_texts(content):
        return "jsonl"
    half = len(rows) / 2
    tabs = [row.count("\t") for row in rows]
    has_ten = tabs.count(len(COLUMNS) - 1) >= half  # also of the shared tasks from CoNLL-X on
    if (path.suffix == ".conllu" and max(tabs) > _MOST_COLUMNS) or is_conllu_plus(content) or has_ten:
        return "conllu"
    if looks_like_iob(rows) or (path.suffix == ".iob" and sum("|" in row for row in rows) > half):
        return "iob"
    if sum(n > 0 for n in tabs) >= half:
        return "tsv"
    widths = [len(row.split()) for row in rows]
    header = _CSV_HEADER.fullmatch(rows[0])
    is_csv = header is not None and len({row.count(header[1]) for row in rows}) == 1
    if widths.count(2) >= half and not is_csv:
        return "ritter" if sum(row.count(" ") == 1 for row in rows) >= half else "conll"
    if widths[0] > 2 and widths.count(widths[0]) >= half and not is_csv:
        return "conll"
    found = f"{path}: cannot tell the format from lines such as {rows[0][:60]!r}"
    if is_csv or sum("," in row for row in rows) >= half or sum(";" in row for row in rows) >= half:
        raise DataError(
            f"{found}. Of CSV, only that of toxic_spans and gmb is read, which is a token a row below {','.join(GMB_HEADER)}; or "
            "write columns with a TAB between them, no header, and a blank line between texts (pandas: sep='\\t', header=False, "
            "index=False, quoting=3). Raw texts: pretag and label read a column text, annotate any one (--text-field)"
        )
    raise DataError(f"{found}; name it with --format ({', '.join(FORMATS)})")


_CSV_HEADER = re.compile(r"[\w#.-]+(?: [\w#.-]+)?(?:([,;])[\w#.-]+(?: [\w#.-]+)?)(?:\1[\w#.-]+(?: [\w#.-]+)?)+")
_BINARY = {
    rb"PK\x03\x04(?s:.*)xl/": "an Excel workbook; save it there as text with TAB between columns",
    rb"%PDF-": "a PDF; get the data itself",
    rb"PAR1[\x0e-\x1f]": "a Parquet file; write JSON lines of it (pandas: to_json(..., orient='records', lines=True)) or columns",
    rb"(?s)ARROW1\x00|\xff{4}.\x00{3}": "an Arrow file; write JSON lines or columns of it (datasets: to_json)",
    rb"SQLite format 3": "a database of SQLite; export JSON lines (Prodigy: prodigy db-out) or columns",
    rb"\x93NUMPY": "an array of numpy; write columns of it",
    rb"\x80[\x02-\x05]": "a pickle of Python, which is not read since it may run any program; write JSON lines or columns of it",
    rb"x\x9c": "a DocBin, expected the annotated text that such a file is made of",
    rb"\{\\rtf": "a document with formatting (RTF); save it as plain text",
}
_WEBANNO = "#FORMAT=WebAnno TSV"
_ELEMENT = re.compile(r"\s*<([a-z][\w:.-]*)(?:\s[^<>]*)?>", re.IGNORECASE)  # of HTML or XML
_VERTICAL = re.compile(r"(?:\s*<[^<>\t]+>[ \r]*\n)+[^<\t\n]+\t")
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
        first = content.strip().partition("\n")[0]
        raise DataError(f"{path}: found {first[:40]!r}, {kind}")
    element = _ELEMENT.match(content)
    if element and "\t" in content and _VERTICAL.match(content):
        raise DataError(
            f"{path}: found {content.strip()[:40]!r}, a line of XML before rows of columns, as of TreeTagger and CWB; expected a "
            "blank line between texts: write one in the place of </s>, and remove the other elements"
        )
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
