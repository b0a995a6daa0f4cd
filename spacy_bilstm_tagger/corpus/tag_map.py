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
            raise DataError(f"{path}, line {number}: found {line!r}, expected two columns: tag TAB new tag")
        tag, new = (cell.strip() for cell in cells)
        parts = new.split(EITHER)
        if len(parts) > 1 and (not all(parts) or len(parts) != len(set(parts))):
            raise DataError(
                f"{path}, line {number}: {tag} becomes {new!r}; expected one label, or several different ones "
                "such as person|group"
            )
        if mapping.setdefault(tag, new) != new:
            raise DataError(
                f"{path}, line {number}: {tag} becomes {new} here and {mapping[tag]} above; expected one new "
                "tag for each"
            )
    if not mapping:
        raise DataError(f"{path}: found no entries, expected lines of tag TAB new tag")
    return mapping


def map_tags(path: Path, mapping: dict[str, str], source: Path, texts: list[AnnotatedText]) -> None:
    """Rename the tags in place.

    RAISES: DataError that lists every tag without an entry, with its count; and where the texts have no tags.
    """
    if all(text.tags is None for text in texts):
        raise DataError(f"{path}: {source} has no tags to map; leave --map-tags out")
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
        raise DataError(f"{path}: {source} has no entities to map; leave --map-ents out")
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
