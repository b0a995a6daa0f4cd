"""CoNLL-U (https://universaldependencies.org/format.html) and CoNLL-U Plus (https://universaldependencies.org/ext-format.html)."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, Optional

from ..errors import DataError, Errors
from ..pipeline.gold import OUTSIDE
from .annotated_text import AnnotatedText, Notes
from .bio import EntityTags, looks_like_bio
from .columns import Row, between_tokens, check_width, empty_token

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
TAG_COLUMNS = {"upos": "UPOS", "xpos": "XPOS"}
_PLUS = re.compile(r"# global\.columns =(.*)")
_TEXT = re.compile(r"#\s*text\s*=(.*)")
_FIRST = re.compile(r"#\s*(?:text|sent_id|newdoc|newpar)\b")  # comments that stand before the words of a sentence
_ID = re.compile(r"(\d+)(?:-(\d+)|(\.\d+))?")
_ENTITY = re.compile(r"(?:^|\|)(?:name|NE|NER|ner)=([^|]+)")  # in MISC


@dataclass
class _Sentence:
    """Rows of a sentence. ranges: (first id, last id, form, space after, line) of each multiword token."""

    raw: Optional[str] = None
    words: list["_Word"] = field(default_factory=list)
    ranges: list[tuple[int, int, str, bool, int]] = field(default_factory=list)


@dataclass
class _Word:
    form: str
    tag: str
    entity: str
    line: int
    space_after: bool


def read_conllu(
    path: Path,
    content: str,
    *,
    tags: str = "upos",
    entities: Optional[EntityTags] = None,
    notes: Optional[Notes] = None,
) -> list[AnnotatedText]:
    """Words, UPOS or XPOS, entity tags, raw text and SpaceAfter. Each sentence is a text.

    A multiword token whose words spell it (don't = do + n't) becomes its words. Any other (au = a + le) becomes one
    word, its tag missing. Empty nodes (1.1) are left out. Entity tags are those of a column of CoNLL-U Plus, or of
    `name=`, `NE=` or `NER=` in MISC, in BIO.

    tags (str): "upos" or "xpos".
    RAISES: DataError for a line of another number of columns, ids that do not follow each other, a sentence that goes
        on without a blank line, a multiword token without its words, and words that were taken out of the file.
    """
    check_conllu_tags(tags)
    entities, notes = entities or EntityTags(), notes or Notes()
    names = _column_names(content)
    rows = list(_split(path, content, names))
    column = _entity_column(names, rows)
    sentences = [_sentence(path, raw, block, names, TAG_COLUMNS[tags], column) for raw, block in rows]
    sentences = [sentence for sentence in sentences if sentence.words]
    if not sentences:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    has_entities = column != "MISC" or any(_ENTITY.search(cells[-1]) for _, block in rows for _, cells in block)
    if has_entities:
        entities.recognize([[word.entity for word in sentence.words] for sentence in sentences])
        notes.lines.append(f"Entity tags: from the column {column}" + " (name=)" * (column == "MISC"))
    elif any("Entity=" in cells[-1] for _, block in rows for _, cells in block):
        notes.warnings.append("MISC has Entity=..., which is not read; expected name=B-TYPE for entities in BIO")
    has_tags = TAG_COLUMNS[tags] in names
    texts = []
    for sentence in sentences:
        words = sentence.words
        raw = sentence.raw or "".join(word.form + " " * word.space_after for word in words).rstrip()
        lines = [word.line for word in words]
        ents = entities.to_bio(path, [word.entity for word in words], lines) if has_entities else None
        forms, gold = [word.form for word in words], [word.tag for word in words] if has_tags else None
        texts.append(AnnotatedText(forms, gold, ents, raw, lines))
    entities.check_ends(path)
    return texts


def check_conllu_tags(tags: str) -> None:
    """RAISES: DataError if this is no column of tags."""
    if tags not in TAG_COLUMNS:
        raise DataError(f"--tags {tags}: expected upos or xpos")


def is_conllu_plus(content: str) -> bool:
    return _PLUS.match(content) is not None


def _column_names(content: str) -> tuple[str, ...]:
    plus = _PLUS.match(content)
    return tuple(plus[1].split()) if plus else COLUMNS


def _split(path: Path, content: str, names: tuple[str, ...]) -> Iterator[tuple[Optional[str], list[Row]]]:
    """The raw text, if a comment gives it, and the rows of each sentence."""
    expected = f"{len(names)}, separated by TAB"
    raw: Optional[str] = None
    rows: list[Row] = []
    for line, text in enumerate(content.split("\n"), 1):
        if not text.strip():
            if rows:
                yield raw, rows
            raw, rows = None, []
        elif text.startswith("#") and ("ID" in names or text.count("\t") != len(names) - 1):
            if rows and _FIRST.match(text):
                raise DataError(between_tokens(path, line, text))
            comment = _TEXT.match(text)
            raw = raw if comment is None else comment[1].strip()
        else:
            cells = text.rstrip("\r").split("\t")
            check_width(path, line, cells, "\t", len(names), expected)
            rows.append((line, cells))
    if rows:
        yield raw, rows


def _entity_column(names: tuple[str, ...], sentences: list[tuple[Optional[str], list[Row]]]) -> str:
    """The first column of CoNLL-U Plus whose values look like BIO tags; else MISC."""
    for at, name in enumerate(names):
        values = {cells[at] for _, rows in sentences for _, cells in rows} - {"_"}
        if name not in COLUMNS and looks_like_bio(values):
            return name
    return "MISC"


def _sentence(
    path: Path, raw: Optional[str], rows: list[Row], names: tuple[str, ...], tag_column: str, entity_column: str
) -> _Sentence:
    sentence = _Sentence(raw)
    for line, row in rows:
        cells = dict(zip(names, row))
        form, misc = cells["FORM"], cells.get("MISC", "_")
        space_after = "SpaceAfter=No" not in misc.split("|")
        id = cells.get("ID", str(len(sentence.words) + 1))
        match = _ID.fullmatch(id)
        if match is None:
            raise DataError(
                f"{path}, line {line}: found the id {id!r}, expected a number, a range 1-2 or an empty node 1.1"
            )
        if match[3]:
            continue
        _check_id(path, line, sentence, match)
        if match[2]:
            sentence.ranges.append((int(match[1]), int(match[2]), form, space_after, line))
            continue
        if not form.strip():
            raise DataError(empty_token(path, line, form))
        tag = cells.get(tag_column, "_")
        found = _ENTITY.search(misc) if entity_column == "MISC" else None
        entity = (found[1] if found else OUTSIDE) if entity_column == "MISC" else cells[entity_column]
        sentence.words.append(
            _Word(form, "" if tag == "_" else tag, "-" if entity == "_" else entity, line, space_after)
        )
    for _, last, form, _, line in sentence.ranges:
        if last > len(sentence.words):
            raise DataError(
                f"{path}, line {line}: the word {last} of the multiword token {form!r} is missing; expected a line for "
                "each of its words"
            )
    if len(sentence.words) > 2 and all(word.form == "_" for word in sentence.words):
        raise DataError(
            f"{path}, line {rows[0][0]}: all words of the sentence are '_', so the text was taken out of the file, as in "
            "UD_English-GUMReddit; put it back with the script that comes with the treebank"
        )
    _resolve_ranges(sentence)
    return sentence


def _check_id(path: Path, line: int, sentence: _Sentence, id: "re.Match[str]") -> None:
    """RAISES: DataError unless a word's id follows that of the word before, and a range begins with the next word."""
    first, expected = int(id[1]), len(sentence.words) + 1
    if first == 1 < expected:
        raise DataError(
            f"{path}, line {line}: the ids begin again at {id[0]} after {expected - 1}; the blank line between two sentences "
            "is missing"
        )
    open_until = sentence.ranges[-1][1] if sentence.ranges else 0
    if id[2] and (int(id[2]) <= first or first <= open_until or first != expected):
        raise DataError(
            f"{path}, line {line}: found the range {id[0]}, expected one of at least two words that begins with word "
            f"{max(expected, open_until + 1)}"
        )
    if first != expected:
        raise DataError(f"{path}, line {line}: found the id {first}, expected {expected}")


def _resolve_ranges(sentence: _Sentence) -> None:
    words = sentence.words
    for first, last, form, space_after, _ in reversed(sentence.ranges):
        parts = words[first - 1 : last]
        if "".join(word.form for word in parts) == form:
            for word in parts:
                word.space_after = False
            parts[-1].space_after = space_after
        else:
            words[first - 1 : last] = [_Word(form, "", parts[0].entity, parts[0].line, space_after)]
