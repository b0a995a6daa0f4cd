"""What looks odd in columns that were read: they may be no corpus, or damaged."""

import re
from collections import Counter
from itertools import pairwise
from typing import Any, Iterable, Optional

from .annotated_text import AnnotatedText, Notes
from .column_roles import CHUNK_TYPES, KNOWN, Row

_MARK = re.compile(r"</?s>|<[EB]O[SW]>|\[(?:CLS|SEP|PAD)\]|-?[EB]OS-?", re.IGNORECASE)
_HIDDEN = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200b\u2060\ufeff]|^[\u00ad\u200c-\u200f]+$")
# A spreadsheet makes #NAME? of =:( and the like; or with a blank inside, and not in quotes.
_DAMAGED = re.compile(r"#(NAME\?|REF!|VALUE!|N/A|DIV/0!)|[^\s\"]\S* .*")
_CLASS_ID = re.compile(r"LABEL_\d+|(?:[BILESU]-)\d+")  # of a model without names of its labels
_ESCAPE = re.compile(r"-[LR][RCS]B-|.*\\[/*].*")  # of the Penn Treebank
_PIECE = re.compile("##\\w|[▁Ġ]|.+@@$")
_LONG_TEXT = 60  # tokens
_ONLY_TEXT = 30  # tokens of a file's only text
_MASK = re.compile(r"([*_#•█xX])\1*")
_AGAIN = 0.1  # share of texts that repeat an earlier one, above that of published corpora
_SAME = 0.9  # share of tokens that are one word, as where texts were removed
# What parts the texts of a format.
_PARTED = {
    "gmb": "give each sentence another number in the first column",
    "conllu": "put a blank line between them, and begin the ids anew",
    "iob": "put each on a line of its own",
}


def warn(texts: list[AnnotatedText], rows: list[Row], notes: Notes, *, in_blanks: bool = False) -> None:
    """rows: the cells of each token. in_blanks (bool): whether blanks stand between them."""
    marks = [(line, word) for text in texts for line, word in zip(text.lines, text.words) if _MARK.fullmatch(word)]
    if marks:
        notes.warnings.append(
            f"{len(marks):,} tokens are marks of the beginning or end of a text, such as {marks[0][1]!r} in line {marks[0][0]}; "
            "remove these lines, and leave a blank line between texts"
        )
    warn_of_cells(texts, rows, notes)
    pieces = [word for text in texts for word in text.words if _PIECE.match(word)]
    if len(pieces) > len(rows) / 10:
        notes.warnings.append(
            f"{len(pieces):,} tokens look like pieces of words of a transformer, such as {pieces[0]!r}; expected whole words"
        )
    labels = Counter(label for text in texts for label in (*(text.tags or ()), *(text.ents or ())))
    if ids := [label for label in labels if _CLASS_ID.fullmatch(label)]:
        notes.warnings.append(
            f"Labels such as {ids[0]!r} are numbers of classes; write the names that they stand for (a model's id2label)"
        )
    longest = max(texts, key=lambda text: len(text.words))
    if len(texts) > 1 and len(longest.words) > 2 * _LONG_TEXT:
        notes.warnings.append(
            f"The text that begins in line {longest.lines[0]} has {len(longest.words):,} tokens; if these are several texts, "
            "put a blank line between them"
        )
    if len(texts) > 2 and len(longest.words) == 1:
        notes.warnings.append("Every text is one token; if a text is more, leave no blank line between its tokens")
    words = {word for text in texts for word in text.words}
    tags = Counter(tag for text in texts for tag in text.tags or [] if tag)
    once, lower = sum(count == 1 for count in tags.values()), {word.lower() for word in words}
    too = sum(tag.lower() in lower and tag.isalpha() and len(tag) > 1 for tag in tags)  # a and o are tags of ARK's
    like_words = sum(len(tag) > 2 and tag.isalpha() and not tag.isupper() for tag in tags)
    like_text = sum(len(tag) > 1 and tag.isalpha() and tag.islower() and tag.upper() not in KNOWN for tag in tags)
    are_odd = once > 2 and KNOWN.isdisjoint(tags)
    is_prose = (0 < tags.total() == once and (once < 2 * like_words or are_odd)) or 4 < len(tags) < 2 * too
    if are_exchanged(texts, notes, "name the columns with --columns"):
        pass
    elif is_prose or (tags.total() > 20 and once > tags.total() / 2):
        notes.warnings.append(
            f"{once:,} of {tags.total():,} tags occur once, and {too:,} are tokens too; if these are no tags, name the columns "
            "with --columns, or read raw text with --format text"
        )
    elif in_blanks and 0 < len(tags) < 2 * like_text:
        notes.warnings.append(
            f"Tags such as {next(iter(tags))!r} look like words; if they are, read raw text with --format text, or name the "
            "columns with --columns"
        )
    sets = [tag for tag in tags if "|" in tag and all(map(tags.__contains__, tag.split("|")))]
    if sets:
        notes.warnings.append(f"Tags such as {sets[0]!r} are read as one of several; if it is one tag, rename it with --map-tags")
    tag = (texts[0].tags or [""])[0]
    if tags[tag] == 1 and tags.total() > 10 and [each for each in tags if each != each.upper()] == [tag]:
        notes.warnings.append(
            f"The first row, {texts[0].words[0]!r} with the tag {tag!r}, looks like names of columns; if it is, remove line "
            f"{texts[0].lines[0]}"
        )
    heads = Counter((text.words[0], text.tags[0]) for text in texts if text.tags)
    inner = {tag for text in texts for tag in (text.tags or [])[1:]}
    if len(texts) > 4 and len(heads) > 1 == len({word for word, _ in heads}) and inner.isdisjoint(tag for _, tag in heads):
        (word, found), _ = heads.most_common(1)[0]
        notes.warnings.append(
            f"Each text begins with {word!r}, whose tags, such as {found!r}, no other token has; if these lines are about the "
            "texts, remove them"
        )
    types = {tag[2:] for text in texts for tag in text.ents or [] if tag[1:2] == "-"}
    if types and types <= CHUNK_TYPES:
        notes.warnings.append(f"The entity types are those of chunks ({', '.join(sorted(types))}), which are no names")
    n_touching = sum(a == b and b[:2] == "B-" for text in texts for a, b in pairwise(text.ents or []))
    if n_touching > 1 and not any(tag[:2] == "I-" for text in texts for tag in text.ents or []):
        notes.warnings.append(
            f"{n_touching:,} entities begin right behind one of the same type, and none has a second token; if they are one, write "
            "I- in the place of B- where an entity goes on"
        )
    quoted = in_quotes(cell for _, cells in rows for cell in cells)
    if not quoted and len(rows) > 2 and all(word[0] in "'(" and word[-1] in "'," for text in texts for word in text.words):
        quoted = [word for text in texts for word in text.words]
    warn_of_quotes(quoted, notes)


def are_exchanged(texts: list[AnnotatedText], notes: Notes, way_out: str) -> bool:
    """Whether there are more different tags than tokens, which is warned of."""
    words, tags = {word for text in texts for word in text.words}, {tag for text in texts for tag in text.tags or []}
    if not tags or len(words) >= len(tags) or sum(len(text.words) for text in texts) <= 5:
        return False
    notes.warnings.append(
        f"The tokens have {len(words)} different values and the tags {len(tags)}; if the tokens stand in another column, {way_out}"
    )
    return True


def warn_of_cells(texts: list[AnnotatedText], rows: Iterable[Row], notes: Notes) -> None:
    """Of cells that no writer of a corpus makes."""
    odd = [(line, cell) for line, cells in rows for cell in cells if _HIDDEN.search(cell)]
    if odd:
        notes.warnings.append(
            f"{len(odd):,} cells hold control characters, or nothing that can be seen, such as {odd[0][1]!a} in line {odd[0][0]}"
        )
    broken = [(line, word) for text in texts for line, word in zip(text.lines, text.words) if _DAMAGED.fullmatch(word)]
    if broken:
        notes.warnings.append(
            f"{len(broken):,} tokens hold blanks, or are errors of a spreadsheet, such as {broken[0][1]!r} in line {broken[0][0]}; "
            "no tokenizer makes them"
        )


def warn_of_texts(format: str, texts: list[AnnotatedText], notes: Notes) -> None:
    """Of one long text, and of one word in the place of most. format (str): the name of one in which tokens are given."""
    words = Counter(word[0] if _MASK.fullmatch(word) else word for text in texts for word in text.words)
    if len(texts) == 1 and words.total() > _ONLY_TEXT:
        start = "All" if format in _PARTED else "There is no blank line between texts, so all"
        way_out = _PARTED.get(format, "put a blank line between them")
        notes.warnings.append(f"{start} {words.total():,} tokens are one text; if these are several, {way_out}")
    escaped = [word for word in words if _ESCAPE.fullmatch(word)]
    if escaped:
        notes.warnings.append(
            f"{sum(words[word] for word in escaped):,} tokens, such as {escaped[0]!r}, are as the Penn Treebank writes them, no "
            "text; write ( for -LRB-, / for \\/, and so on"
        )
    labels_of: dict[tuple[Optional[str], ...], list[tuple[Any, ...]]] = {}
    for text in texts:
        if len(text.words) != 1:
            labels = *(text.tags or ()), *(text.ents or ()), *sorted(text.entities or ()), *sorted(text.spans or ())
            labels_of.setdefault(tuple(text.words) or (text.raw,), []).append(labels)
    n_differing = sum(len(set(found)) > 1 for found in labels_of.values())
    n_again = sum(len(found) - 1 for found in labels_of.values())
    if n_differing:
        what = "labels" if texts[0].words else "ranges"
        notes.warnings.append(
            f"{n_differing:,} texts are there more than once, with other {what}, as of several annotators; all of them are kept: "
            "choose one"
        )
    elif n_again > max(5, _AGAIN * len(texts)):
        notes.warnings.append(f"{n_again:,} of {len(texts):,} texts repeat an earlier one, and count again; is a part there twice?")
    elif n_again:
        notes.lines.append(f"Texts that repeat an earlier one: {n_again:,}; they count again")
    for word, count in words.most_common(1):
        if count > max(_SAME * words.total(), len(texts)) and words.total() > 5:
            notes.warnings.append(f"{count:,} of {words.total():,} tokens are {word!r}; were the words removed?")


def in_quotes(cells: Iterable[str]) -> list[str]:
    """The cells that a writer of CSV has put into quotes, or that look so."""
    return [cell for cell in cells if len(cell) > 2 and cell[0] == cell[-1] == '"' and cell != '"""']


def warn_of_quotes(quoted: list[str], notes: Notes) -> None:
    if quoted:
        notes.warnings.append(
            f"{len(quoted):,} cells are in quotes, such as {quoted[0]}; quotes are read as characters. If a CSV writer "
            "put them there, write the file again without quoting"
        )
