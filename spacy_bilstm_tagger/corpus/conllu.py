"""CoNLL-U (https://universaldependencies.org/format.html): words, UPOS or XPOS, raw text and SpaceAfter."""

from pathlib import Path

from ..errors import DataError, Errors
from .text import AnnotatedText

TAG_COLUMNS = {"upos": 3, "xpos": 4}
N_COLUMNS = 10


def read_conllu(path: Path, content: str, *, tags: str = "upos") -> list[AnnotatedText]:
    """One AnnotatedText a sentence.

    A multiword token whose words spell it (don't = do + n't) becomes its words; one whose words do not (au = a + le)
    stays whole, its tag missing. Empty nodes (1.1) are left out.

    tags (str): "upos" or "xpos".
    RAISES: DataError for a line that is not ten columns, or an id of another form.
    """
    if tags not in TAG_COLUMNS:
        raise DataError(Errors.CORPUS_CONLLU_COLUMN.format(found=tags))
    texts: list[AnnotatedText] = []
    sentence = _Sentence()
    for number, line in enumerate(content.split("\n"), 1):
        line = line.rstrip("\r")
        if not line.strip():
            if sentence.words:
                texts.append(sentence.finish())
            sentence = _Sentence()
        elif line.startswith("#"):
            key, _, value = line[1:].partition("=")
            if key.strip() == "text":
                sentence.raw = value.strip()
        else:
            cells = line.split("\t")
            if len(cells) != N_COLUMNS:
                message = Errors.CORPUS_COLUMNS.format(
                    path=path,
                    line=number,
                    found=len(cells),
                    text=line,
                    expected=f"{N_COLUMNS}, separated by TAB",
                )
                raise DataError(message)
            sentence.add(path, number, cells, TAG_COLUMNS[tags])
    if sentence.words:
        texts.append(sentence.finish())
    if not texts:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    return texts


class _Sentence:
    def __init__(self) -> None:
        self.words: list[str] = []
        self.tags: list[str] = []
        self.lines: list[int] = []
        self.space_after: list[bool] = []
        self.raw = ""
        self.ranges: list[tuple[int, int, str, bool]] = []  # first and last word id, surface, space after
        self.ids: list[int] = []

    def add(self, path: Path, line: int, cells: list[str], tag_column: int) -> None:
        first, dash, last = cells[0].partition("-")
        space_after = "SpaceAfter=No" not in cells[9].split("|")
        if dash and first.isdecimal() and last.isdecimal():
            self.ranges.append((int(first), int(last), cells[1], space_after))
        elif first.isdecimal() and not dash:
            if not cells[1].strip():
                raise DataError(Errors.CORPUS_TOKEN.format(path=path, line=line))
            self.ids.append(int(first))
            self.words.append(cells[1])
            self.tags.append("" if cells[tag_column] == "_" else cells[tag_column])
            self.lines.append(line)
            self.space_after.append(space_after)
        elif not cells[0].replace(".", "", 1).isdecimal():
            raise DataError(
                f"{path}, line {line}: found the id {cells[0]!r}, expected a number, a range 1-2 or an empty node 1.1"
            )

    def finish(self) -> AnnotatedText:
        for first, last, surface, space_after in reversed(self.ranges):
            at = [i for i, word_id in enumerate(self.ids) if first <= word_id <= last]
            if not at:
                continue
            inside = slice(at[0], at[-1] + 1)
            if "".join(self.words[inside]) == surface:
                self.space_after[inside] = [False] * (len(at) - 1) + [space_after]
            else:
                self.words[inside], self.tags[inside] = [surface], [""]
                self.lines[inside], self.space_after[inside] = [self.lines[at[0]]], [space_after]
                self.ids[inside] = [first]
        raw = self.raw or "".join(word + " " * space for word, space in zip(self.words, self.space_after)).rstrip()
        return AnnotatedText(self.words, self.tags, None, raw, self.lines)
