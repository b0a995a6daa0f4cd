"""Other names for tags: a file of `tag TAB new tag` lines."""

from collections import Counter
from pathlib import Path

from ..errors import DataError, Errors
from ..files import read_text
from .text import AnnotatedText


def read_tag_map(path: Path) -> dict[str, str]:
    """The new tag "-" makes a tag missing. RAISES: DataError for a line that is not two columns, and for a tag
    with two new tags."""
    mapping: dict[str, str] = {}
    for number, line in enumerate(read_text(path, "utf-8").splitlines(), 1):
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) != 2 or not all(cell.strip() for cell in cells):
            raise DataError(Errors.CORPUS_MAP.format(path=path, line=number, found=line))
        tag, new = (cell.strip() for cell in cells)
        if mapping.setdefault(tag, new) != new:
            raise DataError(
                Errors.CORPUS_MAP_TWICE.format(path=path, line=number, tag=tag, first=mapping[tag], found=new)
            )
    if not mapping:
        raise DataError(Errors.CORPUS_MAP_EMPTY.format(path=path))
    return mapping


def map_tags(path: Path, mapping: dict[str, str], source: Path, texts: list[AnnotatedText]) -> None:
    """Rename the tags in place. RAISES: DataError that lists every tag without an entry, with its count; and
    where the texts have no tags."""
    if all(text.tags is None for text in texts):
        raise DataError(Errors.CORPUS_MAP_NO_TAGS.format(path=path, source=source))
    counts = Counter(tag for text in texts for tag in text.tags or [] if tag)
    gaps = [f"{tag} ({n})" for tag, n in counts.most_common() if tag not in mapping]
    if gaps:
        raise DataError(Errors.CORPUS_MAP_GAPS.format(path=path, gaps=", ".join(gaps), source=source))
    for text in texts:
        if text.tags is not None:
            text.tags = ["" if mapping.get(tag, "") == "-" else mapping.get(tag, "") for tag in text.tags]
