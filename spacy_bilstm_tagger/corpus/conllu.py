"""CoNLL-U (https://universaldependencies.org/format.html) and CoNLL-U Plus (https://universaldependencies.org/ext-format.html)."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, Optional

from spacy.parts_of_speech import IDS as POS_IDS

from ..errors import DataError, Errors
from ..pipeline.gold import OUTSIDE
from .annotated_text import AnnotatedText, Notes
from .bio import EntityTags, looks_like_bio, other_form
from .column_warnings import in_quotes, warn_of_quotes
from .columns import Row, between_tokens, check_width, empty_token
from .labels import list_counts

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
TAG_COLUMNS = {"upos": "UPOS", "xpos": "XPOS"}
NO_TAGS = "none"
_PLUS = re.compile(r"(?:#.*\n|[ \t]*\n)*# global\.columns =(.*)")
_TEXT = re.compile(r"#\s*text\s*=(.*)")
_ID = re.compile(r"(\d+)(?:-(\d+)|(\.\d+))?")
_KEYS = ("name", "ner", "ne", "ent", "entity", "namedentity")  # of entities in MISC, in any letter case
_ENTITY = re.compile(rf"(?:^|[|;])({'|'.join(_KEYS)})=([^|;]+)", re.IGNORECASE)
_NO_SPACE = re.compile(r"(?:^|[|;])\s*SpaceAfter\s*=\s*No\s*(?:$|[|;])", re.IGNORECASE)
_SPACES = {r"\s": " ", r"\t": "\t", r"\n": "\n", r"\r": "\r"}
_PAIR = re.compile(r"(?:^|\|)(\w+)=([^|]+)")
_MASKED = (
    "so the text was taken out of the file, as in UD_English-GUMReddit; put it back with the script that comes with the treebank"
)

_CLOSING, _FEW = set(".,!?;:)"), 3  # signs that a space stands before in a tweet or two


@dataclass(frozen=True)
class _Source:
    """Where entity tags are: a column, or a key of MISC."""

    column: str
    key: str = ""

    def tag(self, cells: dict[str, str]) -> str:
        value = cells.get(self.column, "_")
        if self.key:
            value = next((tag for key, tag in _ENTITY.findall(value) if key.lower() == self.key), OUTSIDE)
        return "-" if value == "_" else value

    def __str__(self) -> str:
        return f"{self.column} ({self.key}=)" if self.key else self.column


@dataclass
class _Sentence:
    """Rows of a sentence, and its multiword tokens."""

    raw: Optional[str] = None
    words: list["_Word"] = field(default_factory=list)
    ranges: list["_Range"] = field(default_factory=list)


@dataclass
class _Word:
    form: str
    tag: str
    entity: str
    line: int
    space_after: str
    pos: str = ""
    lemma: str = ""


@dataclass
class _Range:
    """A multiword token of the words first to last, counted from 1."""

    first: int
    last: int
    form: str
    entity: str
    line: int
    space_after: str


def read_conllu(
    path: Path,
    content: str,
    *,
    tags: str = "upos",
    entities: Optional[EntityTags] = None,
    notes: Optional[Notes] = None,
) -> list[AnnotatedText]:
    """Words, UPOS or XPOS as tags, UPOS as parts of speech, lemmas, entity tags, raw text and SpaceAfter. Each sentence is a
    text. Where the file has neither of the last two, and signs that no space stands before, the raw texts are not known.

    A multiword token whose words spell it (don't = do + n't) becomes its words. Any other (au = a + le) becomes one
    word, its tag missing. Empty nodes (1.1) are left out. Entity tags are those of a column of CoNLL-U Plus, or of
    `name=`, `NER=`, `NE=`, `ENT=`, `Entity=` or `NamedEntity=` in MISC, in BIO.

    tags (str): "upos", "xpos", or "none": parts of speech alone.
    RAISES: DataError for a line of another number of columns, ids that do not follow each other, a sentence that goes
        on without a blank line, a multiword token without its words, words that were taken out of the file, and entity
        tags of another form than BIO.
    """
    check_conllu_tags(tags)
    entities, notes = entities or EntityTags(), notes or Notes()
    names = _column_names(path, content)
    rows = list(_split(path, content, names))
    source = _entity_source(path, names, rows, notes)
    sentences = [_sentence(path, raw, block, names, TAG_COLUMNS.get(tags, ""), source) for raw, block in rows]
    sentences = [sentence for sentence in sentences if sentence.words]
    if not sentences:
        raise DataError(Errors.CORPUS_EMPTY.format(path=path))
    _refuse_masked(path, [word for sentence in sentences for word in sentence.words])
    if source:
        entities.recognize([[word.entity for word in sentence.words] for sentence in sentences])
        notes.lines.append(f"Entity tags: from the column {source}")
    has_tags = TAG_COLUMNS.get(tags) in names
    _warn_of_other_tags(names, rows, tags, notes)
    is_raw_known = _is_raw_known(sentences)
    if not is_raw_known:
        notes.lines.append("Neither '# text' nor SpaceAfter=No: where spaces are is not known")
    texts = []
    for sentence in sentences:
        words = sentence.words
        raw = sentence.raw or "".join(word.form + word.space_after for word in words).rstrip() if is_raw_known else None
        lines = [word.line for word in words]
        ents = entities.to_bio(path, [word.entity for word in words], lines) if source else None
        forms, gold = [word.form for word in words], [word.tag for word in words] if has_tags else None
        pos, lemmas = ([getattr(word, name) for word in words] for name in ("pos", "lemma"))
        known = (each if any(each) else None for each in (pos, lemmas))
        texts.append(AnnotatedText(forms, gold, ents, raw, lines, None, None, None, *known))
    entities.check_ends(path)
    warn_of_quotes(in_quotes(word.form for sentence in sentences for word in sentence.words), notes)
    _warn_of_exchange([word for sentence in sentences for word in sentence.words if word.lemma], notes)
    taken = [sentence.words[0].line for sentence in sentences if {word.form for word in sentence.words} == {"_"}]
    if taken:
        notes.warnings.append(f"{len(taken):,} sentences are '_' alone, as in line {taken[0]}; were their words taken out?")
    return texts


def _is_raw_known(sentences: list[_Sentence]) -> bool:
    words = [word for sentence in sentences for word in sentence.words]
    if any(sentence.raw for sentence in sentences) or any(word.space_after != " " for word in words):
        return True
    return sum(word.form in _CLOSING for sentence in sentences for word in sentence.words[1:]) < _FEW


def _warn_of_other_tags(names: tuple[str, ...], sentences: list[tuple[Optional[str], list[Row]]], tags: str, notes: Notes) -> None:
    """Of tags that are all in the other column, and of BIO tags and entity types in MISC, or BIO in FEATS, that are not read."""
    cells = [dict(zip(names, row)) for _, rows in sentences for _, row in rows]
    lines = [line for _, rows in sentences for line, _ in rows]
    column, other = TAG_COLUMNS.get(tags, ""), next(name for name in TAG_COLUMNS if name != tags)
    found = {name: sum(row.get(name, "_") != "_" for row in cells) for name in (column, TAG_COLUMNS[other])}
    if tags != NO_TAGS and not found[column] and found[TAG_COLUMNS[other]]:
        notes.warnings.append(f"{column} holds no tags, and {TAG_COLUMNS[other]} does; pass --tags {other} to read those")
    known = {"_", *POS_IDS}
    strange = [(line, pos) for line, row in zip(lines, cells) if (pos := row.get("UPOS", "_")).upper() not in known]
    if strange:
        notes.warnings.append(
            f"{len(strange):,} words have a UPOS that is no universal part of speech, such as {strange[0][1]!r} in line "
            f"{strange[0][0]}; they get none: correct it"
        )
    for name in names:
        counts = Counter(value for row in cells if (value := row[name]) != "_")
        if name in COLUMNS[4:] and name != column and looks_like_bio(set(counts)) and set(counts) - {OUTSIDE}:
            notes.warnings.append(
                f"{name} holds entity tags ({list_counts(counts, most=5)}), which are not read; expected name=B-TYPE in MISC"
            )
    keys: dict[tuple[str, str], Counter[str]] = {}
    for name in ("MISC", "FEATS"):
        for key, value in (pair for row in cells for pair in _PAIR.findall(row.get(name, "_"))):
            keys.setdefault((name, key), Counter())[value] += 1
    for (name, key), counts in keys.items():
        if name == "MISC" and key.lower() in _KEYS:  # NamedEntity=Yes is a feature, NER=PERSON and NE=PER_1 are types
            is_type = OUTSIDE in counts or all(re.fullmatch(r"(?:\d+:)?[A-Z]{2,}(?:_\d+)?", value) for value in counts)
            is_read = looks_like_bio(set(counts)) or not is_type
        else:
            is_read = not (looks_like_bio(set(counts)) and any(value[1:2] == "-" for value in counts))
        if not is_read:
            notes.warnings.append(
                f"{name} has {key}= ({list_counts(counts, most=5)}), which is not read; expected name=B-TYPE for entities in BIO"
            )


def _warn_of_exchange(words: list[_Word], notes: Notes) -> None:
    """A lemma has several forms, and a form rarely several lemmas; capitals begin forms."""
    forms, lemmas = ({getattr(word, name).lower() for word in words} for name in ("form", "lemma"))
    capitals = Counter(
        (word.form == word.lemma.lower()) - (word.form.lower() == word.lemma) for word in words if word.form != word.lemma
    )
    if len(lemmas) > len(forms) and capitals[1] >= capitals[-1]:
        notes.warnings.append(
            f"{len(lemmas):,} lemmas of {len(forms):,} words: were the columns FORM and LEMMA exchanged? If so, exchange them back"
        )


def check_conllu_tags(tags: str) -> None:
    """RAISES: DataError if this is no column of tags."""
    if tags not in (*TAG_COLUMNS, NO_TAGS):
        raise DataError(f"--tags {tags}: expected upos, xpos or none")


def is_conllu_plus(content: str) -> bool:
    return _PLUS.match(content) is not None


def _column_names(path: Path, content: str) -> tuple[str, ...]:
    plus = _PLUS.match(content)
    names = tuple(plus[1].split()) if plus else COLUMNS
    if plus and "FORM" not in names:
        line, found = content.count("\n", 0, plus.start(1)) + 1, " ".join(names)
        raise DataError(f"{path}, line {line}: found the columns {found or 'none'}, expected FORM, the words, among them")
    return names


def _split(path: Path, content: str, names: tuple[str, ...]) -> Iterator[tuple[Optional[str], list[Row]]]:
    """The raw text, if a comment gives it, and the rows of each sentence."""
    expected = f"{len(names)}, separated by TAB"
    raw: Optional[str] = None
    rows: list[Row] = []
    comment: Optional[Row] = None  # after rows; an error if more rows follow
    for line, text in enumerate(content.split("\n"), 1):
        if not text.strip():
            if rows:
                yield raw, rows
            raw, rows, comment = None, [], None
        elif text.startswith("#") and ("ID" in names or text.count("\t") != len(names) - 1):
            if rows:
                comment = comment or (line, [text])
            elif found := _TEXT.match(text):
                raw = found[1].strip()
        else:
            if comment:
                raise DataError(between_tokens(path, comment[0], *comment[1]))
            cells = [cell.strip(" ") for cell in text.rstrip("\r").split("\t")]
            check_width(path, line, cells, "\t", len(names), expected)
            rows.append((line, cells))
    if rows:
        yield raw, rows


def _entity_source(
    path: Path, names: tuple[str, ...], sentences: list[tuple[Optional[str], list[Row]]], notes: Notes
) -> Optional[_Source]:
    """The first column of CoNLL-U Plus, or key of MISC, whose values look like BIO tags. Other columns of CoNLL-U Plus
    are noted, with a warning for what may be entities.

    RAISES: DataError if there is none, and one has entity tags of another form.
    """
    extra = [_Source(name) for name in names if name not in COLUMNS]
    values = {source: Counter[str]() for source in [*extra, *(_Source("MISC", key) for key in _KEYS)]}
    lines: dict[tuple[_Source, str], int] = {}  # of the first row with this value
    for line, row in (row for _, rows in sentences for row in rows):
        cells = dict(zip(names, row))
        found = [(source, cells[source.column]) for source in extra if cells[source.column] != "_"]
        found += [(_Source("MISC", key.lower()), value) for key, value in _ENTITY.findall(cells.get("MISC", "_"))]
        for source, value in found:
            values[source][value] += 1
            lines.setdefault((source, value), line)
    chosen = next((source for source, counts in values.items() if looks_like_bio(set(counts))), None)
    for source, counts in values.items():
        other = other_form([*counts.elements(), OUTSIDE], with_types=False) if chosen is None else None
        if other:
            value = next(value for value in counts if value in other[0])
            raise DataError(
                f"{path}, line {lines[source, value]}: found entity tags such as {value!r} in {source}, {other[1]}; expected O, "
                "B-TYPE and I-TYPE, such as B-person. Write them in that form, or remove them"
            )
        is_second = chosen is not None and bool(counts) and looks_like_bio(set(counts))
        if source != chosen and counts and (source in extra or is_second):
            kind = notes.warnings if chosen is None and OUTSIDE in counts else notes.lines
            subject = f"The column {source} is" if source in extra else f"Entities in {source} are"
            kind.append(f"{subject} not read: {list_counts(counts, most=5)}; entities are read in BIO")
    for source, counts in values.items():
        if chosen is None and source.key and any("(" in value for value in counts):
            key = "Entity" if source.key == "entity" else source.key.upper()
            notes.warnings.append(f"MISC has {key}=..., which is not read; expected name=B-TYPE for entities in BIO")
    return chosen


def _sentence(
    path: Path, raw: Optional[str], rows: list[Row], names: tuple[str, ...], tag_column: str, source: Optional[_Source]
) -> _Sentence:
    sentence = _Sentence(raw)
    for line, row in rows:
        cells = dict(zip(names, row))
        form, misc = cells["FORM"], cells.get("MISC", "_")
        space_after = _space_after(misc)
        id = cells.get("ID", str(len(sentence.words) + 1))
        match = _ID.fullmatch(id)
        if match is None:
            raise DataError(f"{path}, line {line}: found the id {id!r}, expected a number, a range 1-2 or an empty node 1.1")
        if match[3]:
            continue
        _check_id(path, line, sentence, match)
        if match[2]:
            entity = source.tag(cells) if source else OUTSIDE
            sentence.ranges.append(_Range(int(match[1]), int(match[2]), form, entity, line, space_after))
            continue
        if not form.strip():
            raise DataError(f"{empty_token(path, line, form)}, and number the words after it anew")
        tag = cells.get(tag_column, "_")
        entity = source.tag(cells) if source else OUTSIDE
        pos, lemma = cells.get("UPOS", "_").upper(), cells.get("LEMMA", "_")
        if pos not in POS_IDS:
            pos = ""
        if lemma == "_" != form:
            lemma = ""
        sentence.words.append(_Word(form, "" if tag == "_" else tag, entity, line, space_after, pos, lemma))
    for token in sentence.ranges:
        if token.last > len(sentence.words):
            raise DataError(
                f"{path}, line {token.line}: the word {token.last} of the multiword token {token.form!r} is missing; expected a "
                "line for each of its words"
            )
    if len(sentence.words) > 2 and all(word.form == "_" for word in sentence.words):
        raise DataError(f"{path}, line {rows[0][0]}: all words of the sentence are '_', {_MASKED}")
    _resolve_ranges(sentence)
    return sentence


def _refuse_masked(path: Path, words: list[_Word]) -> None:
    """RAISES: DataError for a file whose words are mostly `_` or `*`."""
    for mark in ("_", "*"):
        lines = [word.line for word in words if word.form == mark]
        if len(lines) >= len(words) / 2:
            raise DataError(f"{path}, line {lines[0]}: {len(lines):,} of {len(words):,} words are {mark!r}, {_MASKED}")


def _check_id(path: Path, line: int, sentence: _Sentence, id: "re.Match[str]") -> None:
    """RAISES: DataError unless a word's id follows that of the word before, and a range begins with the next word."""
    first, expected = int(id[1]), len(sentence.words) + 1
    if first == 1 < expected and not (id[2] and int(id[2]) < expected):  # such a range stands behind its words
        raise DataError(
            f"{path}, line {line}: the ids begin again at {id[0]} after {expected - 1}; the blank line between two sentences "
            "is missing"
        )
    open_until = sentence.ranges[-1].last if sentence.ranges else 0
    if id[2] and (int(id[2]) <= first or first <= open_until or first != expected):
        raise DataError(
            f"{path}, line {line}: found the range {id[0]}, expected one of at least two words that begins with word "
            f"{max(expected, open_until + 1)}"
        )
    if first != expected:
        raise DataError(f"{path}, line {line}: found the id {first}, expected {expected}")


def _resolve_ranges(sentence: _Sentence) -> None:
    words = sentence.words
    for token in reversed(sentence.ranges):
        parts = words[token.first - 1 : token.last]
        marked = [part.entity for part in parts if _is_entity(part.entity)]
        if not marked and _is_entity(token.entity):  # as Stanza writes it
            for part, entity in zip(parts, _spread(token.entity, len(parts))):
                part.entity = entity
        if "".join(word.form for word in parts) == token.form:
            for word in parts:
                word.space_after = ""
            parts[-1].space_after = token.space_after
        else:
            # Whoever annotates the parts may mark one of them alone, as in au = à + Le_LOC.
            entity = marked[0] if marked else token.entity if _is_entity(token.entity) else parts[0].entity
            words[token.first - 1 : token.last] = [_Word(token.form, "", entity, parts[0].line, token.space_after)]


def _is_entity(tag: str) -> bool:
    return tag[:1] not in ("", "-", "_", OUTSIDE)


def _spread(tag: str, count: int) -> list[str]:
    """The entity tags of the parts of a token."""
    ends = {"S": "BE", "U": "BL", "B": "BI", "I": "II", "E": "IE", "L": "IL"}.get(tag[0], tag[0] * 2)
    return [f"{prefix}{tag[1:]}" for prefix in (ends[0], *"I" * (count - 2), ends[1])] if count > 1 else [tag]


def _space_after(misc: str) -> str:
    """The white space after a token: one blank, unless SpaceAfter=No, or UDPipe's SpacesAfter, says another."""
    features = dict(feature.partition("=")[::2] for feature in misc.split("|"))
    if _NO_SPACE.search(misc):
        return ""
    spaces = features.get("SpacesAfter", r"\s")
    for escape, space in _SPACES.items():
        spaces = spaces.replace(escape, space)
    return spaces if spaces.isspace() else " "
