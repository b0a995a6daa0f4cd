"""Which column of a file holds the tokens, the tags and the entity tags: a guess by their values, and its refusals."""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Optional

from spacy.glossary import GLOSSARY
from spacy.lang.en.stop_words import STOP_WORDS

from ..errors import DataError
from ..pipeline.gold import OUTSIDE, is_missing
from .bio import looks_like_bio, other_form

Row = tuple[int, list[str]]  # the line's number and its cells
Block = tuple[Optional[str], list[Row]]  # the raw text, if a comment gives it, and the rows

_EMPTY = {"-", "_", "", "-X-"}
_CHUNKS = {"NP", "VP", "PP", "NC", "VC", "PC"}  # of CoNLL 2000 and 2003
CHUNK_TYPES = _CHUNKS | {"ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"}
_MOST_TAGS = 1000  # of a tag set; lemmas are more
_MANY = 30  # rows from which on the numbers of different values say something
_NUMBER = re.compile(r"\d+[.:)]?")
_LABELLED_NUMBER = re.compile(r"(\D{0,12}?)\d+(?:[-_.:/]\d+){0,3}")  # doc7, s1-12, Sentence: 3, 0:5-9
# Also dates, times, shares, and pairs in brackets, of which tags are none.
_NUMERIC = re.compile(r"[-+~<>=#(\[{.]*\d(?:[\d.,:;/+-]|e[-+]?\d)*[)\]}%]*|[-+]?(?:nan|inf|infinity)", re.IGNORECASE)
# The tags of parts of speech that spaCy knows, of several languages.
_NO_TAGS = {
    "PERSON",
    "NORP",
    "FACILITY",
    "FAC",
    "ORG",
    "GPE",
    "LOC",
    "PRODUCT",
    "EVENT",
    "LAW",
    "LANGUAGE",
    "PER",
    "MISC",
}
_NO_TAGS |= {"DATE", "TIME", "PERCENT", "MONEY", "QUANTITY"}
KNOWN = {tag for tag in GLOSSARY if tag == tag.upper()} - _NO_TAGS
_RELATIONS = {label for label in GLOSSARY if label.islower()}  # of dependencies, also written in capitals
_FEWEST, _MOST_SIGNS = 10, 40  # different tags of a set that spaCy does not know, and of one of single characters
_BARE = set("BIOLUES")
_TYPES = {"person", "per", "location", "loc", "geo-loc", "organization", "organisation", "org", "misc", "miscellaneous"}
_TYPES |= {"company", "corporation", "product", "group", "event", "facility", "creative-work", "gpe", "norp"}
_STARS = re.compile(r"\((\w[\w-]*)\*?\)?|\*\)?|\w[\w-]*\)")  # (PER*, *, *); (LOC, LOC), *
_LOWER_TAGS = {"aux", "det", "intj", "num", "punct"}  # relations, and parts of speech in small letters
_ID = re.compile(r"\d\d")  # Q90, bn:00012n; tags of CLAWS have one digit
_HASH = re.compile(r"(?=.*\d)[\da-f]{6,}(?:-[\da-f]+)*")
_OF_TWEEBO = {"CONJ", "COORD", "MWE", "ROOT", "X"}  # TweeboParser's last column, and its roots
_PIECE = re.compile(r"(?=.*\w).*[<>()\[\]{}].*")  # of a list, a tree or markup, in the place of a token
# Of PropBank, in CoNLL-2009: chase.01, A0, AM-TMP, and Y where there is a predicate.
_FRAME = re.compile(r"\w[\w-]*\.\d\d|(?:[RC]-)?A(?:[\dA]|M(?:-[A-Z]{3})?)|Y")
_FLAGS = {"true", "false", "yes", "no"}
_FEW = 4  # different tags, of which a tag set has more
_NAMING = "name the columns with --columns"


def guess_roles(path: Path, blocks: list[Block], separator: Optional[str]) -> list[str]:
    """By the values of each column, over the rows that are as wide as most.

    Columns before the tokens that count, or have one value in each text, are left out, and so is a column of nothing but - or
    _. The first of the others is the token. The first that looks like BIO tags, with an entity in it and not of chunks, is
    the entity: nested entities come after the outer ones. The first other column whose values are a tag set is the tag: no
    numbers, few different ones but more than one, and other ones than the words; one of known parts of speech goes before, then
    one of more than a few tags in capitals.

    RAISES: DataError where there is neither, where the tokens seem to stand in another column, for an index that begins
        again inside a text, and for entity tags of another form.
    """
    rows = [row for _, block in blocks for row in block]
    width = Counter(len(cells) for _, cells in rows).most_common(1)[0][0]
    rows = [row for row in rows if len(row[1]) == width]
    values = [list(column) for column in zip(*(cells for _, cells in rows))]
    roles = ["-"] * width
    rest = [i for i in range(width) if not is_empty(values[i])]
    if not rest or width < 2:
        return ["token"]
    is_first = True  # a counter may also stand before tokens alone
    while rest and (is_first or len(rest) > 2):
        if _counts(blocks, values[rest[0]], rest[0], width):
            _check_counter(path, blocks, rest.pop(0))
            is_first = False
            if width == 10 and separator is None:
                raise DataError(f"{path}: looks like CoNLL-U with blanks between the columns; expected TABs")
        elif len(rest) > 2 and _is_same_in_each_text(
            blocks, rest[0], width, most=1 if len(rest) > 3 and _counts(blocks, values[rest[1]], rest[1], width) else 2
        ):
            rest.pop(0)  # the name of the text, perhaps before a counter
        else:
            break
    if not rest:
        raise DataError(f"{path}: found numbers in the place of tokens; expected words. If they are, {_NAMING}")
    if len(blocks) == 1 and len(rest) > 1:
        _refuse_names(path, rows, rest[0])
    token, *rest = rest
    roles[token] = "token"
    if separator != "\t":
        _refuse_pieces(path, rows, token)
    _check_tokens(path, rows, values, token, rest)
    bio = [i for i in rest if looks_like_bio(set(values[i]))]
    if bio:
        named = [i for i in bio if set(values[i]) - {OUTSIDE}] or bio
        roles[next((i for i in named if _CHUNKS.isdisjoint(tag[2:] for tag in values[i])), named[-1])] = "ent"
    others = [i for i in rest if i not in bio]
    if not bio:
        _refuse_other_forms(path, rows, values, others)
    tag_sets = [
        i
        for i in others
        if _is_tag_set(values[i], values[token], width, beside_entities=bool(bio))
        and not (len(blocks) > 1 and width > 2 and _is_same_in_each_text(blocks, i, width))
    ]
    if len(blocks) == 1:
        _refuse_numbers(path, rows, others)
    tag = min(tag_sets, key=lambda i: _rank(values[i]), default=None)  # the first of equals
    if tag is not None:
        roles[tag] = "tag"
    elif not bio:
        found = ", ".join(list(dict.fromkeys(values[others[0]]))[:5]) if others else "nothing else"
        in_quotes = all(re.fullmatch('".*"', value) for value in values[token])
        way_out = "write the file again without quotes (pandas: quoting=3, R: quote=FALSE)" if in_quotes else _NAMING
        raise DataError(
            f"{path}, line {rows[0][0]}: no column looks like tags or entity tags (found {found} after the tokens); expected "
            f"one of few different values, or of O, B-TYPE and I-TYPE. {way_out[0].upper()}{way_out[1:]}"
        )
    return roles


def is_empty(column: list[str]) -> bool:
    """Whether no cell holds anything."""
    return _EMPTY.issuperset(column)


def is_numeric(cell: str) -> bool:
    return bool(_NUMERIC.fullmatch(cell))


def _counts(blocks: list[Block], values: list[str], column: int, width: int) -> bool:
    """Whether these are the numbers of tokens, rows or texts: plain ones, or if there are further columns for tokens and
    tags, such as doc7, s1-12 or 0-4 that go up in each text."""
    if len(values) < 2:
        return False
    if all(map(_NUMBER.fullmatch, values)):
        return True
    found = [_LABELLED_NUMBER.fullmatch(cell) for cell in values]
    if width < 3 or not all(found):
        return False
    in_texts = [[list(map(int, re.findall(r"\d+", row[1][column]))) for row in rows if len(row[1]) == width] for _, rows in blocks]
    has_parts = all(len(numbers) > 1 for each in in_texts for numbers in each)
    has_one_label = len({match[1] for match in found if match}) == 1
    go_up = all(each == sorted(each) for each in in_texts)
    return has_one_label and (has_parts or len(set(values)) < len(values)) and go_up


def _rank(column: list[str]) -> tuple[bool, bool, bool, bool]:
    """Lower for what is rather a tag set of parts of speech: known, no dependencies, more than a few tags if there are many
    rows, capitals."""
    tags = {tag for tag in column if not is_missing(tag) and tag != "_"}
    few, lower = len(column) >= _MANY and len(tags) < _FEW, sum(tag[:1].islower() for tag in tags) > len(tags) / 2
    relations = sum(tag.partition(":")[0].lower() in _RELATIONS for tag in tags) > len(tags) / 2
    return not _are_known(column), relations, few, lower


def _are_known(column: list[str]) -> bool:
    """Whether most tokens have a known part of speech, or one of many signs, as ARK's are."""
    tags = Counter(tag for tag in column if not is_missing(tag) and tag != "_")
    known = sum(count for tag, count in tags.items() if tag.split("|")[0] in KNOWN)
    return 2 * known > tags.total() or (_FEWEST <= len(tags) <= _MOST_SIGNS and max(map(len, tags)) == 1)


def _refuse_names(path: Path, rows: list[Row], column: int) -> None:
    """RAISES: DataError where the first column of a file without blank lines holds the names of its texts."""
    names = [cells[column] for _, cells in rows]
    starts = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    if len(rows) >= _MANY and 1 < len(starts) < len(rows) / 3 and len({names[i] for i in starts}) == len(starts):
        line = rows[starts[1]][0]
        raise DataError(
            f"{path}, line {line}: the file has no blank line, and column {column + 1} holds names of texts such as "
            f"{names[0]!r}; expected a blank line where the name changes, here for the first time"
        )


def _refuse_numbers(path: Path, rows: list[Row], columns: list[int]) -> None:
    """RAISES: DataError where a column of a file without blank lines numbers its texts."""
    for column in columns:
        cells = [cells[column] for _, cells in rows]
        numbers = list(map(int, cells)) if all(map(str.isdecimal, cells)) else []
        if 1 < len(set(numbers)) <= len(numbers) / 2 and all(0 <= b - a <= 1 for a, b in pairwise(numbers)):
            line = next(line for (line, _), number in zip(rows, numbers) if number != numbers[0])
            raise DataError(
                f"{path}, line {line}: the file has no blank line, and column {column + 1} numbers its texts; expected a blank "
                f"line where the number changes, here for the first time. If it is something else, {_NAMING}"
            )


def _is_same_in_each_text(blocks: list[Block], column: int, width: int, *, most: int = 2) -> bool:
    """Whether each text has one value in this column, and some have more rows than that."""
    cells = [[row[1][column] for row in rows if len(row[1]) == width] for _, rows in blocks]
    return any(len(each) > most for each in cells) and all(len(set(each)) <= 1 for each in cells)


def _check_counter(path: Path, blocks: list[Block], counter: int) -> None:
    """RAISES: DataError for numbers that do not go up in a text, or do not stay: the next text has begun. Of ranges of
    characters, each begins behind the one before."""
    for _, block in blocks:
        numbers = [
            (line, [int(number) for number in re.findall(r"\d+", cells[counter])]) for line, cells in block if len(cells) > counter
        ]
        are_ranges = all(len(number) > 1 and number[-2] < number[-1] for _, number in numbers)
        if are_ranges and all(number[-2] >= before[-1] for (_, before), (_, number) in pairwise(numbers)):
            continue
        stays = len(numbers) > 1 and numbers[0][1] == numbers[1][1]
        for (_, before), (line, number) in pairwise(numbers):
            goes_on = number == before if stays else number > before and number[:-1] == before[:-1]
            if not goes_on:
                raise DataError(
                    f"{path}, line {line}: column {counter + 1} counts, and a new text begins at {number[0]}; the blank line "
                    "between two texts is missing before it"
                )


def _refuse_pieces(path: Path, rows: list[Row], token: int) -> None:
    """RAISES: DataError where the tokens of columns with blanks between them are pieces of lists, trees or markup."""
    pieces = [(line, cells[token]) for line, cells in rows if _PIECE.fullmatch(cells[token])]
    if len(pieces) > 0.9 * len(rows):
        line, found = pieces[0]
        raise DataError(
            f"{path}, line {line}: found {found!r} in the place of a token, a piece of a list, a tree or markup; expected a token "
            "and its tag in each line, and nothing around them"
        )


def _check_tokens(path: Path, rows: list[Row], values: list[list[str]], token: int, rest: list[int]) -> None:
    """RAISES: DataError where the column of the tokens holds entity tags or few different values, or another one texts."""
    line, cells = rows[0]
    column = set(values[token])
    if OUTSIDE in column and (len(column) > 1 or len(rows) > 2) and looks_like_bio(column):
        raise DataError(
            f"{path}, line {line}: column {token + 1} looks like entity tags, where the tokens are expected; put the tokens "
            f"first, or {_NAMING}"
        )
    for i in rest:
        others = set(values[i])
        if _are_lemmas(values[token], values[i]):
            raise DataError(
                f"{path}, line {line}: column {token + 1} holds the words of column {i + 1} in lower case, or their lemmas, where "
                f"the tokens are expected; put the tokens first, or {_NAMING}"
            )
        if sum(cell.count(" ") > 1 for cell in values[i]) > len(rows) / 2:
            raise DataError(
                f"{path}, line {line}: found {cells[i][:60]!r}, and white space in most of column {i + 1}; expected one token a "
                "line, with a blank line between texts. This looks like a table of whole texts"
            )
        if len(rows) >= _MANY and len(others) > 2 * len(column) and not _counts([(None, rows)], values[i], i, len(cells)):
            raise DataError(
                f"{path}, line {line}: column {token + 1} has {len(column)} different values and column {i + 1} has "
                f"{len(others)}, so the tokens seem to stand there; put them first, or {_NAMING}"
            )
    n_odd = sum(is_numeric(cell) or bool(_HASH.fullmatch(cell)) or cell in _RELATIONS for cell in values[token])
    if n_odd > 0.9 * len(rows) and any(2 * sum(any(map(str.islower, cell)) for cell in values[i]) > len(rows) for i in rest):
        raise DataError(
            f"{path}, line {line}: column {token + 1} holds numbers, ids or relations such as {cells[token]!r}, where the tokens "
            f"are expected; put the tokens first, or {_NAMING}"
        )
    last = {cell[-1:] for cell in values[token] if len(cell) > 1}
    if len(rows) > 2 and last in ({","}, {":"}, {";"}) and all(len(cell) > 1 for cell in values[token]):
        raise DataError(
            f"{path}, line {line}: found {cells[token]!r}, and {last.pop()!r} behind each token; expected a TAB between columns, "
            "and nothing else"
        )
    n_tags = [sum(cell in KNOWN and len(cell) > 1 for cell in values[i]) for i in (token, *rest)]
    has_words = any(2 * sum(len(cell) > 1 and cell[-1].islower() for cell in values[i]) > len(rows) for i in rest)
    if has_words and 2 * n_tags[0] > len(rows) >= 2 * max(n_tags[1:]):
        raise DataError(
            f"{path}, line {line}: column {token + 1} looks like tags ({cells[token]}), where the tokens are expected; put the "
            f"tokens first, or {_NAMING}"
        )
    for sign in "/|_\\":
        pairs = [*values[token], *values[rest[0]]] if rest else []
        if sum(sign in cell[1:-1] for cell in pairs) > 0.9 * len(pairs) > 0:
            raise DataError(
                f"{path}, line {line}: found {cells[token]!r} and {cells[rest[0]]!r}, words with their tags behind a "
                f"{sign!r}; expected a token and its tag in each line, a TAB between them"
            )


def _are_lemmas(column: list[str], words: list[str]) -> bool:
    """Whether most cells are those of the other column but for capitals, which are fewer in this one, as are different values."""
    pairs = [(cell, word) for cell, word in zip(column, words) if word.isalpha()]
    same = [(cell, word) for cell, word in pairs if cell.lower() == word.lower()]
    if len(pairs) < 3 or 2 * len(same) <= len(pairs):
        return False
    lost, gained = (sum(a.islower() and not b.islower() for a, b in each) for each in (same, [p[::-1] for p in same]))
    fewer = len({cell.lower() for cell in column}) <= len({word.lower() for word in words})
    return lost > gained and fewer


def _is_tag_set(column: list[str], tokens: list[str], width: int, *, beside_entities: bool) -> bool:
    tags = {value for value in column if not is_missing(value) and value != "_"}
    is_constant = len(tags) == 1 and width > 2 and (len(column) >= 10 or (beside_entities and len(column) > 2))
    is_constant |= len(tags) == 1 and width > 2 and not any(map(str.isalnum, "".join(tags)))  # a separator
    if tags & {"lang1", "lang2"}:
        return False  # the language of each word, where several are mixed
    if beside_entities and (tags <= _BARE or {tag.lower() for tag in tags - {OUTSIDE}} <= _TYPES):
        return False  # the other column without its types, or its types alone
    if {"X"} < tags | {"X"} <= _OF_TWEEBO or 2 * sum(map(_is_piece, tags)) > len(tags):
        return False
    if sum(len(tag) > 1 and tag in STOP_WORDS for tag in tags) > 0.8 * len(tags):
        return False  # words of a text
    if 2 * sum(tag.partition(":")[0] in _RELATIONS - _LOWER_TAGS for tag in tags) > len(tags):
        return False  # how each token depends on another
    if beside_entities and 2 * sum(bool(_ID.search(tag)) for tag in tags) > len(tags) and not _are_known(column):
        return False  # ids of entities or documents
    if len(column) >= _MANY and _are_ends(column, tokens):
        return False  # their first or last characters
    if not tags or is_constant or len(tags) > _MOST_TAGS or 2 * sum(map(is_numeric, tags)) > len(tags):
        return False
    if any(" " in tag for tag in tags) or {tag.lower() for tag in tags} <= _FLAGS:
        return False
    if beside_entities and len(column) >= _MANY and len(tags) < _FEWEST and not _are_known(column):
        return False  # languages, sentiments, upper and lower case
    n_none = sum(is_missing(tag) or tag in ("_", OUTSIDE) for tag in column)
    if beside_entities and 2 * n_none > len(column) > 2:
        return False  # links of entities
    words = [(value, token) for value, token in zip(column, tokens) if token.isalpha()]
    if len(words) > 2 and sum(value.lower() == token.lower() and not value.isupper() for value, token in words) > len(words) / 10:
        return False  # lemmas, or the words once more
    return len(column) <= 50 or len(tags) <= len(column) / 2


def _is_piece(cell: str) -> bool:
    """Whether letters stand beside a quote, a sign of markup, a bracket without its other half, or a comma at the end."""
    is_cut = any(cell.count(opening) != cell.count(closing) for opening, closing in ("()", "[]"))
    has_sign = not set("\"'<>{}\\;").isdisjoint(cell) or cell[-1:] == ","
    return any(map(str.isalnum, cell)) and (is_cut or has_sign)


def _are_ends(column: list[str], tokens: list[str]) -> bool:
    """Whether most cells are the first character of their token, or most the last one."""
    same = [sum(cell.lower() == token[at:][:1].lower() for cell, token in zip(column, tokens)) for at in (0, -1)]
    return 2 * max(same) > len(column)


def _refuse_other_forms(path: Path, rows: list[Row], values: list[list[str]], columns: list[int]) -> None:
    """RAISES: DataError for a column of entity tags that are not BIO."""
    for i in columns:
        line, cells = rows[0]
        joined = [re.fullmatch(r"([^|/:;+,_]+|.)[|/:;+,_](.+)", cell) for cell in values[i]]
        if all(joined) and looks_like_bio(ents := {match[2] for match in joined if match}) and ents != {OUTSIDE}:
            raise DataError(
                f"{path}, line {line}: found {cells[i]!r}, a tag and an entity tag in one column; expected a TAB between them"
            )
        found = other_form(values[i])
        if found and not found[0] <= _OF_TWEEBO and not all(map(_FRAME.fullmatch, found[0])):
            line, cells = next(row for row in rows if row[1][i] in found[0])
            raise DataError(
                f"{path}, line {line}: found entity tags such as {cells[i]!r}, {found[1]}; expected O, B-TYPE and I-TYPE, such "
                f"as B-person. Write them in that form; if they are something else, {_NAMING}"
            )
        stars = [_STARS.fullmatch(cell) for cell in values[i]]
        opened = {match[1].lower() for match in stars if match and match[1]}
        is_meant = len(cells) < 4 or any(cell[0] == "(" and "*" in cell for cell in values[i])  # CoNLL 2012 has others
        if all(stars) and opened and 2 * len(opened & _TYPES) >= len(opened) and is_meant:
            line, cells = next(row for row in rows if row[1][i] != "*")
            raise DataError(
                f"{path}, line {line}: found {cells[i]!r}, entities in brackets, as in CoNLL 2005; expected O, B-TYPE "
                f"and I-TYPE, such as B-person. Write them in that form; if they are something else, {_NAMING}"
            )
        ((outside, count),) = Counter(values[i]).most_common(1)
        types = set(values[i]) - {outside}
        if types and 2 * count >= len(values[i]) and 2 * sum(each.lower() in _TYPES for each in types) >= len(types):
            raise DataError(
                f"{path}, line {line}: found {outside!r} and the entity types {', '.join(sorted(types)[:5])}; expected O outside "
                f"of entities, B-TYPE and I-TYPE, such as B-person. Write them in that form; if they are something else, {_NAMING}"
            )
