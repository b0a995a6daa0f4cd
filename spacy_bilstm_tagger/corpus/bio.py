"""Entity tags of the schemes BIO, BIOES and BILUO, as plain BIO."""

from dataclasses import dataclass, field
from pathlib import Path

from ..errors import DataError
from ..pipeline.gold import OUTSIDE, is_missing

_BEGIN, _INSIDE = "BSU", "IEL"  # BIO; BIOES adds S and E, BILUO calls them U and L
_CLOSES = "SUEL"


@dataclass
class EntityTags:
    """Reads tags of BIO, BIOES and BILUO into plain BIO. Invalid tags are refused, or repaired and counted.

    A tag inside an entity may follow only tags of the same entity. With `repair`, a tag that follows anything else
    begins an entity, as in the CoNLL 2000 evaluation script; no other entity of the text is lost.

    If a file marks ends (E, L, S or U), every entity must have one: call `check_ends` after the last text.

    repair (bool): repair instead of refusing. An entity whose end is not marked is then kept.
    repaired (int): tags repaired so far.
    """

    repair: bool = False
    repaired: int = field(default=0, init=False)
    _marks: set[str] = field(default_factory=set, init=False)
    _open: list[tuple[int, str]] = field(default_factory=list, init=False)

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
            if len(prefix) != 1 or prefix not in _BEGIN + _INSIDE or not label:
                raise DataError(
                    f"{path}, line {line}: found entity tag {tag!r}, expected O or B-, I- (also E-, S-, L-, U-) and a "
                    "type, such as B-person"
                )
            if prefix in _BEGIN or (is_open and previous.partition("-")[2] == label):
                bio.append(f"{'B' if prefix in _BEGIN else 'I'}-{label}")
            elif self.repair:
                self.repaired += 1
                bio.append(f"B-{label}")
            else:
                expected = f"B-{label} or O; or pass --repair-bio"
                raise DataError(f"{path}, line {line}: {tag} cannot follow {previous}; expected {expected}")
            previous, is_open = tag, prefix not in _CLOSES
            if not is_open:
                self._marks.add(prefix)
        if is_open:
            self._open.append((last_line, previous))
        return bio

    def check_ends(self, path: Path) -> None:
        """RAISES: DataError for the first entity without an end in a file that marks ends; with `repair`, such
        entities are counted."""
        if not self._marks:
            return
        if self.repair:
            self.repaired += len(self._open)
        elif self._open:
            line, tag = self._open[0]
            ends = "L and U" if self._marks & set("LU") else "E and S"
            expected = f"{ends[0] if tag[0] == 'I' else ends[-1]}-{tag[2:]}; or pass --repair-bio"
            found = f"{tag} is the last of its entity, in a file that marks ends with {ends}"
            raise DataError(f"{path}, line {line}: {found}; expected {expected}")


def looks_like_bio(tags: set[str]) -> bool:
    """Whether the values of a column are entity tags: O alone, or at least half of the others have a prefix and a type.

    So a single misspelt tag does not turn the column into tags; `EntityTags` refuses it.
    """
    others = {tag for tag in tags if tag != OUTSIDE and not is_missing(tag)}
    prefixed = [tag for tag in others if tag[0] in _BEGIN + _INSIDE and tag[1:2] == "-" and len(tag) > 2]
    return len(prefixed) >= len(others) / 2 if others else OUTSIDE in tags
