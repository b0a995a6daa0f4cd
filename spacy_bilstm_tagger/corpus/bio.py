"""Entity tags of the BIO family: what may follow what, and all of them as plain BIO."""

from dataclasses import dataclass, field
from pathlib import Path

from ..errors import DataError

OUTSIDE = "O"
MISSING = ("-", "")
_BEGIN, _INSIDE = "BSU", "IEL"  # BIO; BIOES adds S and E, BILUO calls them U and L
_CLOSES = "SUEL"


@dataclass
class EntityTags:
    """Reads tags of BIO, BIOES and BILUO into plain BIO, strictly, or with repairs that are counted.

    A tag inside an entity may follow only that entity's own tags. With `repair`, one that follows something else
    begins an entity of its own, as the CoNLL 2000 evaluation script reads it; no other entity of the text is lost.

    Where a file marks ends (E, L, S or U), every entity has to have one; `check_ends` says so after the last text.

    repair (bool): repair instead of refusing. An end that is not marked is one all the same.
    repaired (int): tags repaired so far.
    """

    repair: bool = False
    repaired: int = field(default=0, init=False)
    _marks: set[str] = field(default_factory=set, init=False)
    _open: list[tuple[int, str]] = field(default_factory=list, init=False)

    def to_bio(self, path: Path, tags: list[str], lines: list[int]) -> list[str]:
        """RAISES: DataError for a tag of another form, or one that cannot follow."""
        bio: list[str] = []
        previous, is_open, at = OUTSIDE, False, 0
        for tag, line in zip(tags, lines):
            if is_open and (tag in (OUTSIDE, *MISSING) or tag[0] in _BEGIN):
                self._open.append((at, previous))
            at = line
            if tag in MISSING or tag == OUTSIDE:
                bio.append("-" if tag in MISSING else OUTSIDE)
                previous, is_open = tag or "-", False
                continue
            prefix, _, label = tag.partition("-")
            if len(prefix) != 1 or prefix not in _BEGIN + _INSIDE or not label:
                message = (
                    f"{path}, line {line}: found entity tag {tag!r}, expected O or "
                    f"{'B-, I- (also E-, S-, L-, U-)'} and a type, such as B-person"
                )
                raise DataError(message)
            if prefix in _BEGIN or (is_open and previous.partition("-")[2] == label):
                bio.append(f"{'B' if prefix in _BEGIN else 'I'}-{label}")
            elif self.repair:
                self.repaired += 1
                bio.append(f"B-{label}")
            else:
                message = (
                    f"{path}, line {line}: {tag} cannot follow {previous}; expected "
                    f"{f'B-{label} or O; or pass --repair-bio'}"
                )
                raise DataError(message)
            previous, is_open = tag, prefix not in _CLOSES
            self._marks.update(prefix if prefix in _CLOSES else "")
        if is_open:
            self._open.append((at, previous))
        return bio

    def check_ends(self, path: Path) -> None:
        """RAISES: DataError for the first entity without an end in a file that marks ends; repairs are counted."""
        if not self._marks:
            return
        if self.repair:
            self.repaired += len(self._open)
        elif self._open:
            line, tag = self._open[0]
            ends = "L and U" if self._marks & set("LU") else "E and S"
            expected = f"{ends[0] if tag[0] == 'I' else ends[-1]}-{tag[2:]}; or pass --repair-bio"
            raise DataError(
                f"{path}, line {line}: {tag} is the last of its entity, in a file that marks ends with {ends}; "
                f"expected {expected}"
            )


def looks_like_bio(tags: set[str]) -> bool:
    """Whether a column's values are entity tags: O alone, or at least as many with a prefix and a type as others.

    So one misspelt tag is refused by `EntityTags`, and does not make the column one of other tags.
    """
    others = tags - {OUTSIDE, *MISSING}
    prefixed = [tag for tag in others if tag[0] in _BEGIN + _INSIDE and tag[1:2] == "-" and len(tag) > 2]
    return len(prefixed) >= len(others) / 2 if others else OUTSIDE in tags


def bio_spans(tags: list[str]) -> list[tuple[int, int, str]]:
    """(start, end, label) of every entity in valid BIO tags; end is exclusive."""
    spans: list[tuple[int, int, str]] = []
    for i, tag in enumerate(tags):
        prefix, _, label = tag.partition("-")
        if prefix == "B":
            spans.append((i, i + 1, label))
        elif prefix == "I":
            start, _, label = spans.pop()
            spans.append((start, i + 1, label))
    return spans
