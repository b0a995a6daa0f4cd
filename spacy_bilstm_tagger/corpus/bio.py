"""Entity tags of the schemes BIO, BIOES and BILUO, as plain BIO."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import AbstractSet, Optional

from ..errors import DataError
from ..pipeline.gold import OUTSIDE, is_missing

_BEGIN, _INSIDE = "BSU", "IEL"  # BIO; BIOES adds S and E, BILUO calls them U and L
_CLOSES = "SUEL"
_SCORED = re.compile(r"(?:O|[BILUES]-[^:]+):[01]?\.\d+")  # B-PER:0.98
_OTHER_FORMS = {
    "in brackets": re.compile(r"<[BIESLU]-[^<>]+>|\[[BIESLU]-[^][]+\]|\([BIESLU]-[^()]+\)"),
    "with a prefix of several letters": re.compile(r"(?i:begin|beg|inside|in|middle|end|last|single|unit)[-_:]\S+"),
    "without a type": re.compile("[BIESLU]"),
    "with another sign than the hyphen": re.compile(r"[BIESLU][_:=/|.‐‑–—−]\S+"),
    "with blanks": re.compile(r"[BIESLU](?: -|- | - )\S.*"),
    "in small letters": re.compile(r"[bieslu][-_]\S+"),
    "with the prefix at the end": re.compile(r"\S+[-_:=/|.][BIESLU]"),
}
_OUTSIDE_FORMS = (OUTSIDE, "o", "<O>", "Outside", "OUTSIDE", "OUT")
_NO_ENTITY = (*_OUTSIDE_FORMS, "_", "OTHER", "NONE")
_WRITE = dict.fromkeys(("0", "o", "\u041e", "_", "None", "nan", "NaN"), OUTSIDE)
_WRITE |= {"M": "I", "C": "I", **{each.lower(): each for each in "BIELSU"}}
_TYPE = re.compile(r"<?[A-Za-z][\w./-]*>?")


@dataclass
class EntityTags:
    """Reads tags of BIO, BIOES and BILUO into plain BIO. Invalid tags are refused, or repaired and counted.

    A tag inside an entity may follow only tags of the same entity. With `repair`, a tag that follows anything else
    begins an entity, as in the CoNLL 2000 evaluation script; no other entity of the text is lost.

    If a file marks ends (E, L, S or U), every entity must have one: call `check_ends` after the last text.

    repair (bool): repair instead of refusing. An entity whose end is not marked is then kept.
    repaired (int): tags repaired so far.
    iob1 (bool): whether `recognize` has found the form of CoNLL 2003 (Ramshaw and Marcus 1995), where B marks only an
        entity right after another one of its type. An I that follows anything else then begins an entity.
    """

    repair: bool = False
    repaired: int = field(default=0, init=False)
    iob1: bool = field(default=False, init=False)
    _marked: list[tuple[int, str]] = field(default_factory=list, init=False)  # ends: line and tag
    _open: list[tuple[int, str]] = field(default_factory=list, init=False)

    def recognize(self, texts: list[list[str]]) -> None:
        """Find out whether the tags of a file are IOB1: some I begin an entity, and no B does that needs none. Not
        with `repair`, which counts them."""
        if self.repair:
            return
        begun_by_i = needed = 0
        for tags in texts:
            for before, tag in zip(["", *tags], tags):
                goes_on = before[1:] == tag[1:] and before[:1] in ("B", "I")
                if tag[:2] in ("S-", "E-", "L-", "U-") or (tag[:2] == "B-" and not goes_on):
                    return
                begun_by_i += tag[:2] == "I-" and not goes_on
                needed += tag[:2] == "B-"
        self.iob1 = begun_by_i > 1 or (begun_by_i > 0 and needed > 0)

    def to_bio(self, path: Path, tags: list[str], lines: list[int]) -> list[str]:
        """RAISES: DataError for a tag of another form, and for a tag that may not follow the one before it."""
        bio: list[str] = []
        previous, is_open, last_line = OUTSIDE, False, 0
        for tag, line in zip(tags, lines):
            is_label = tag != OUTSIDE and not is_missing(tag)
            if is_open and not (is_label and tag[0] not in _BEGIN):
                self._open.append((last_line, previous))
            last_line = line
            if not is_label:
                previous, is_open = tag or "-", False
                bio.append(previous)
                continue
            prefix, _, label = tag.partition("-")
            if len(prefix) != 1 or prefix not in _BEGIN + _INSIDE or not label or label != label.strip():
                written = _WRITE.get(prefix) if label or tag == prefix else None
                hint = f"; write {written + '-' + label if label else written} for {tag!a}" if written else ""
                if len(tag) > 2 and tag[0] == tag[-1] == '"':
                    hint = "; write the file again without quotes (in pandas with quoting=3)"
                raise DataError(
                    f"{path}, line {line}: found entity tag {tag!r}, expected O or B-, I- (also E-, S-, L-, U-) and a "
                    f"type, such as B-person{hint}"
                )
            if prefix in _BEGIN or (is_open and previous.partition("-")[2] == label):
                bio.append(f"{'B' if prefix in _BEGIN else 'I'}-{label}")
            elif self.repair or self.iob1:
                self.repaired += not self.iob1
                bio.append(f"B-{label}")
            else:
                kind = previous.partition("-")[2] if is_open else ""
                in_case = f"I-{kind}, in these letters"
                expected = in_case if kind.lower() == label.lower() else f"B-{label} or O; or pass --repair-bio"
                wrong = f"{tag} cannot follow {previous}" if bio else f"{tag} cannot begin a text"
                raise DataError(f"{path}, line {line}: {wrong}; expected {expected}")
            previous, is_open = tag, prefix not in _CLOSES
            if not is_open:
                self._marked.append((line, tag))
        if is_open:
            self._open.append((last_line, previous))
        return bio

    def check_ends(self, path: Path) -> None:
        """RAISES: DataError for the first entity without an end in a file that marks ends, or for the first end that is marked
        where most are not; with `repair`, entities without an end are counted."""
        if not self._marked:
            return
        if self.repair:
            self.repaired += len(self._open)
        elif len(self._open) > len(self._marked):
            line, tag = self._marked[0]
            expected = f"{'I' if tag[0] in _INSIDE else 'B'}-{tag[2:]}; or pass --repair-bio"
            found = f"{tag} marks the end of an entity, and {len(self._open):,} other entities have no such mark"
            raise DataError(f"{path}, line {line}: {found}; expected {expected}")
        elif self._open:
            line, tag = self._open[0]
            ends = "L and U" if {tag[0] for _, tag in self._marked} & set("LU") else "E and S"
            expected = f"{ends[0] if tag[0] == 'I' else ends[-1]}-{tag[2:]}; or pass --repair-bio"
            found = f"{tag} is the last of its entity, in a file that marks ends with {ends}"
            raise DataError(f"{path}, line {line}: {found}; expected {expected}")


def other_form(column: list[str], *, with_types: bool = True) -> Optional[tuple[set[str], str]]:
    """Entity tags of a column that are not of BIO, and their form; None for BIO and for tags of another kind.

    with_types (bool): types without a prefix are such a form wherever a fifth of the tokens are outside; else only where most are.
    """
    counts = Counter(tag for tag in column if not is_missing(tag))
    if counts and all(map(_SCORED.fullmatch, counts)):
        return set(counts), "with scores behind them"
    others = {tag for tag in counts if tag not in _NO_ENTITY}
    if not others or len(others) == len(set(column)):
        return None
    for form, tag in _OTHER_FORMS.items():
        if all(map(tag.fullmatch, others)):
            return others, form
    n_outside = sum(counts[tag] for tag in _NO_ENTITY)
    # Most tokens are of no entity. In a tag set with an O that is a pronoun, other tags are single letters, too.
    is_type = all(map(_TYPE.fullmatch, others)) and any(len(tag) > 1 for tag in others)
    beside_outside = (
        len(column) > 2 and all(len(tag) > 1 for tag in others) and 5 * sum(counts[tag] for tag in _OUTSIDE_FORMS) >= len(column)
    )
    many_outside = len(column) > 4 and n_outside > len(column) / 2
    return (others, "types without B or I") if is_type and (many_outside or (with_types and beside_outside)) else None


def looks_like_bio(tags: AbstractSet[str]) -> bool:
    """Whether the values of a column are entity tags: O alone, or at least half of the others have a prefix and a type.

    So a single misspelt tag does not turn the column into tags; `EntityTags` refuses it.
    """
    others = {tag for tag in tags if tag != OUTSIDE and not is_missing(tag)}
    prefixed = [tag for tag in others if tag[0] in _BEGIN + _INSIDE and tag[1:2] == "-" and len(tag) > 2]
    return len(prefixed) >= len(others) / 2 if others else OUTSIDE in tags
