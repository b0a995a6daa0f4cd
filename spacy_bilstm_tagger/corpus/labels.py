"""The labels of a corpus: renamed by a file of `tag TAB new tag` lines, checked and counted."""

import re
from collections import Counter
from pathlib import Path
from typing import Sequence

from spacy.parts_of_speech import IDS as POS_IDS

from ..errors import DataError
from ..pipeline.gold import OUTSIDE, alternatives, is_missing, rename_type
from ..util import read_text
from .annotated_text import AnnotatedText
from .bio import looks_like_bio

_ODD_TYPE = re.compile(r"[,;+:=()\[\]{}#]|(?:^|[|/ ])[BIESLU]-|/Q?\d")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufe0e\ufe0f\ufeff]")
_PREFIXED = re.compile("[BIESLU]-.*")


def read_tag_map(path: Path) -> dict[str, str]:
    """The new tag "-" makes a tag missing.

    RAISES: DataError for a line that is not two columns, a tag with two new tags, and a new tag such as "a|" or "a|a".
    """
    mapping: dict[str, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        where, cells = f"{path}, line {number}", [cell.strip() for cell in line.split("\t")]
        if len(cells) != 2 or not all(cells):
            raise DataError(f"{where}: found {line!r}, expected two columns: tag TAB new tag")
        tag, new = cells
        parts = alternatives(new)
        if not all(parts) or len(parts) != len(set(parts)):
            expected = "one label, or several different ones such as person|group"
            raise DataError(f"{where}: {tag} becomes {new!r}; expected {expected}")
        if mapping.setdefault(tag, new) != new:
            raise DataError(f"{where}: {tag} becomes {new} here and {mapping[tag]} above; expected one new tag for each")
    if not mapping:
        raise DataError(f"{path}: found no entries, expected lines of tag TAB new tag")
    return mapping


def make_tag_map(path: Path) -> dict[str, dict[str, str]]:
    """Read the `tag_map` that spaCy's `attribute_ruler` is initialized with: the universal part of speech of each tag, the first
    of several.

    path (Path): a file of `tag TAB part of speech` lines, such as those in assets/tag_maps. "-" leaves a tag without one.
    RAISES: DataError as `read_tag_map`, and for what is no universal part of speech.
    """
    mapping = read_tag_map(Path(path))
    _check_pos(Path(path), mapping)
    return {tag: {"POS": alternatives(new)[0]} for tag, new in mapping.items() if not is_missing(new)}


def map_tags(path: Path, mapping: dict[str, str], source: Path, texts: list[AnnotatedText]) -> None:
    """Rename the tags in place.

    RAISES: DataError that lists every tag without an entry, with its count; and if the texts have no tags.
    """
    if all(text.tags is None for text in texts):
        raise DataError(f"{path}: {source} has no tags to map; leave --map-tags out")
    _check_gaps(path, mapping, source, kind="tag", counts=_count_tags(texts))
    for text in texts:
        if text.tags is not None:
            text.tags = ["" if is_missing(new) else new for new in (mapping.get(tag, "") for tag in text.tags)]


def set_pos(path: Path, mapping: dict[str, str], source: Path, texts: list[AnnotatedText]) -> None:
    """Give the tokens universal parts of speech by their tags, where they have none.

    RAISES: DataError as `map_tags`, and for what is no universal part of speech.
    """
    if all(text.tags is None for text in texts):
        raise DataError(f"{path}: {source} has no tags to map; leave --map-pos out")
    _check_pos(path, mapping)
    _check_gaps(path, mapping, source, kind="tag", counts=_count_tags(texts))
    for text in texts:
        if text.tags is not None:
            found = ["" if is_missing(new) else new for new in (mapping.get(tag, "") for tag in text.tags)]
            text.pos = [old or new for old, new in zip(text.pos or [""] * len(found), found)]


def _check_pos(path: Path, mapping: dict[str, str]) -> None:
    for tag, new in mapping.items():
        for part in () if is_missing(new) else alternatives(new):
            if part not in POS_IDS:
                raise DataError(f"{path}: {tag} becomes {part!r}; expected universal parts of speech, such as NOUN or VERB|AUX")


def map_ents(path: Path, mapping: dict[str, str], source: Path, texts: list[AnnotatedText]) -> None:
    """Rename the entity types in place; O is no entity.

    RAISES: DataError that lists every type without an entry, with its count; and if the texts have no entities.
    """
    counts = _count_types(texts)
    if not counts:
        raise DataError(f"{path}: {source} has no entities to map; leave --map-ents out")
    _check_gaps(path, mapping, source, kind="entity type", counts=counts)
    for label in mapping.values():
        parts = alternatives(label) if "|" in label else []
        if label in ("o", "_") or _PREFIXED.fullmatch(label) or {"-", OUTSIDE, ""} & {part.strip() for part in parts}:
            raise DataError(
                f"{path}: found the new label {label!r}, expected an entity type, such as person, one of several as person|group, "
                "O for no entity, or - for a missing one"
            )
    for text in texts:
        text.ents = text.ents and [rename_type(tag, mapping) for tag in text.ents]
        text.entities = text.entities and [
            (start, end, mapping[label]) for start, end, label in text.entities if mapping[label] != OUTSIDE
        ]


def _check_gaps(path: Path, mapping: dict[str, str], source: Path, *, kind: str, counts: "Counter[str]") -> None:
    gaps = ", ".join(f"{label} ({count})" for label, count in counts.most_common() if label not in mapping)
    if gaps:
        raise DataError(f"{path}: no entry for {gaps}; every {kind} of {source} needs one")


def check_annotated(path: Path, types: Sequence[str], texts: list[AnnotatedText]) -> None:
    """RAISES: DataError unless these are all entity types of the texts, and at least one."""
    wrong = [each for each in types if each == OUTSIDE or _PREFIXED.fullmatch(each)]
    if wrong:
        raise DataError(f"--annotated {','.join(types)}: found {wrong[0]!r}, expected entity types alone, such as person")
    found = {part for label in _count_types(texts) for part in alternatives(label)}
    others = sorted(found.difference(types))
    if others or not types:
        raise DataError(
            f"--annotated {','.join(types)}: expected every entity type of {path}, such as person,location; left out: "
            f"{', '.join(others) or 'none'}"
        )


def label_summary(texts: list[AnnotatedText], of_ranges: "Counter[str]") -> list[str]:
    """Lines with the tags and the entity types, the most frequent first.

    of_ranges (Counter): the types of those entities that were ranges of characters, as far as they are set.
    """
    lines = []
    if any(text.tags for text in texts):
        tags, missing = _count_tags(texts), sum(not tag for text in texts for tag in text.tags or [])
        lines.append(f"{len(tags):,} tags: {list_counts(tags)}; tokens without a tag: {missing:,}")
    if any(text.ents is not None or text.entities is not None for text in texts):
        types = of_ranges + _count_types([text for text in texts if text.entities is None])
        missing = sum(is_missing(tag) for text in texts for tag in text.ents or [])
        without = f"; tokens without an entity tag: {missing:,}" if missing else ""
        lines.append(f"Entities: {list_counts(types) or 'none'}{without}")
    return lines


def label_warnings(texts: list[AnnotatedText]) -> list[str]:
    """Of entity tags that are probably not meant as they are read."""
    tags = Counter(tag for text in texts for tag in text.ents or [])
    types, missing = _count_types(texts), tags["-"] + tags[""]
    warnings = []
    of_tokens = _count_tags(texts)
    others = (text.pos or text.lemmas or text.entities is not None or text.spans is not None or text.votes for text in texts)
    if not of_tokens and not types and not tags[OUTSIDE] and not any(others):
        warnings.append("No token has a tag or an entity tag, so nothing can be learned or scored")
    if looks_like_bio(set(of_tokens)) and any(_PREFIXED.fullmatch(tag) for tag in of_tokens):
        example = next(tag for tag in of_tokens if _PREFIXED.fullmatch(tag))
        warnings.append(f"Tags such as {example!r} look like entity tags; to read them so, give their column the role ent")
    for kind, labels in (("Tags", of_tokens), ("Entity types", types)):
        alike: dict[str, list[str]] = {}
        for label in labels:
            alike.setdefault(_INVISIBLE.sub("", label).casefold().replace("_", "-"), []).append(label)
        same = next((each for each in alike.values() if len(each) > 1), None)
        if same:
            warnings.append(
                f"{kind} that are different labels, but look alike: {', '.join(map(ascii, same))}; if they are one, rename them "
                f"with {'--map-tags' if kind == 'Tags' else '--map-ents'}"
            )
    if types and missing and not tags[OUTSIDE] and any(text.ents for text in texts):
        warnings.append(
            f"No token is outside of the entities (O): {missing:,} tokens have no entity tag, and nothing is learned of them. If "
            "an empty cell or - stands for no entity, write O in its place"
        )
    odd = [label for label in types if _ODD_TYPE.search(label)]
    if odd:
        warnings.append(
            f"Entity types such as {odd[0]!r} look like several labels, or one with a score or number; expected a type alone, such "
            "as PER, or one of several as PER|ORG. Rename them with --map-ents"
        )
    return warnings


def list_counts(counts: "Counter[str]", most: int = 100) -> str:
    """The most frequent values with their counts, in one line."""
    listed = ", ".join(f"{value} {count:,}" for value, count in counts.most_common(most))
    return f"{listed}, and {len(counts) - most:,} more" if len(counts) > most else listed


def _count_tags(texts: list[AnnotatedText]) -> "Counter[str]":
    return Counter(tag for text in texts for tag in text.tags or [] if tag)


def _count_types(texts: list[AnnotatedText]) -> "Counter[str]":
    return Counter(label for text in texts for label in text.entity_types)
