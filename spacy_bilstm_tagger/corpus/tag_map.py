"""Other names for tags and entity types: a file of `tag TAB new tag` lines."""

from collections import Counter
from pathlib import Path

from ..errors import DataError, Errors
from ..partial_labels import EITHER
from ..util import read_text
from .bio import bio_spans
from .text import AnnotatedText


def read_tag_map(path: Path) -> dict[str, str]:
    """The new tag "-" makes a tag missing. RAISES: DataError for a line that is not two columns, a tag with two new
    tags, and a new tag such as "a|" or "a|a"."""
    mapping: dict[str, str] = {}
    for number, line in enumerate(read_text(path, "utf-8").splitlines(), 1):
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) != 2 or not all(cell.strip() for cell in cells):
            raise DataError(Errors.CORPUS_MAP.format(path=path, line=number, found=line))
        tag, new = (cell.strip() for cell in cells)
        parts = new.split(EITHER)
        if len(parts) > 1 and (not all(parts) or len(parts) != len(set(parts))):
            raise DataError(Errors.CORPUS_MAP_PARTS.format(path=path, line=number, label=tag, found=new))
        if mapping.setdefault(tag, new) != new:
            raise DataError(
                Errors.CORPUS_MAP_TWICE.format(path=path, line=number, tag=tag, first=mapping[tag], found=new)
            )
    if not mapping:
        raise DataError(Errors.CORPUS_MAP_EMPTY.format(path=path))
    return mapping


def map_tags(path: Path, mapping: dict[str, str], source: Path, texts: list[AnnotatedText]) -> None:
    """Rename the tags in place.

    RAISES: DataError that lists every tag without an entry, with its count; and where the texts have no tags.
    """
    if all(text.tags is None for text in texts):
        raise DataError(Errors.CORPUS_MAP_NO_TAGS.format(path=path, source=source))
    counts = Counter(tag for text in texts for tag in text.tags or [] if tag)
    gaps = [f"{tag} ({n})" for tag, n in counts.most_common() if tag not in mapping]
    if gaps:
        raise DataError(Errors.CORPUS_MAP_GAPS.format(path=path, kind="tag", gaps=", ".join(gaps), source=source))
    for text in texts:
        if text.tags is not None:
            text.tags = ["" if mapping.get(tag, "") == "-" else mapping.get(tag, "") for tag in text.tags]


def map_ents(path: Path, mapping: dict[str, str], source: Path, texts: list[AnnotatedText]) -> None:
    """Rename the entity types in place.

    RAISES: DataError that lists every type without an entry, with its count; and where the texts have no entities.
    """
    counts = Counter(label for text in texts for _, _, label in bio_spans(text.ents or []))
    if not counts:
        raise DataError(Errors.CORPUS_MAP_NO_ENTS.format(path=path, source=source))
    gaps = [f"{label} ({n})" for label, n in counts.most_common() if label not in mapping]
    if gaps:
        raise DataError(
            Errors.CORPUS_MAP_GAPS.format(path=path, kind="entity type", gaps=", ".join(gaps), source=source)
        )
    for text in texts:
        text.ents = text.ents and [_renamed(tag, mapping) for tag in text.ents]


def _renamed(tag: str, mapping: dict[str, str]) -> str:
    prefix, dash, label = tag.partition("-")
    if not label:
        return tag
    new = mapping[label]
    return new if new == "-" else f"{prefix}{dash}{new}"
