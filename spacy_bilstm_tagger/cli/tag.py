"""spacy-bilstm tag: what a pipeline finds in a few texts, as a table or as JSON."""

import json
import os
import re
import sys
import warnings
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Annotated, Iterable, Iterator, Optional

import numpy as np
import typer
from rich.text import Text
from spacy.language import Language
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.util import get_package_path, is_package
from thinc.api import Model

from ..annotate.annotation import to_annotation
from ..annotate.annotator import load_pipeline, trained_inside
from ..annotate.workers import one_thread
from ..corpus.raw import iter_raw_texts
from ..errors import DataError
from ..lexicon.claim import tables_read
from ..lexicon.table import NO_ROW, get_table
from ..lexicon.vectors import VOCAB_VECTORS
from ..pipeline.base import ARE_ENTS, scored_spans, span_score
from ..tokenizer.kinds import tweet_kind
from ..util import check_argument, read_lines
from .scores import console, whole_table

DEFAULT = "en_tweet_sm"
# A word that is meant as a file, a folder or a pipeline, and not as a text.
_PATH = re.compile(
    r"(?:\.{1,2}|~)/\S*|/[\w.-]+/\S*|[a-z_][\w.-]*(?:/[\w.-]+){2,}|[\w./-]+\.(?:txt|csv|tsv|jsonl?|conllu?|spacy|parquet|gz)|(?:en|xx)_\w+",
    re.IGNORECASE,
)
_NAME = re.compile(r"[~./]*[^\W\d](?:[\w./-]*[\w/])?")  # of a pipeline or its folder; so are words
_FILE_LIKE = re.compile(r"[\w-]+(?:\.[\w-]+)+")  # so are some texts
_FEWEST, _MOST = 5, 2000  # words by which a language is judged
_FEWEST_LETTERS, _LATIN = 5, "\u024f"  # by which a script is judged, and the last one of Latin Extended-B
_FEWEST_STOPS = 6  # by its stop words
_FEW, _MOST_OF_FEW = 20, 0.75  # of fewer words, so many may be unknown
# Known by their stop words.
_LANGUAGES = ["ca", "da", "de", "es", "fi", "fr", "id", "it", "nb", "nl", "pl", "pt", "ro", "sv", "tr"]
# The share of these, which is 0.6 and more in running text, and below 0.3 for English words; and how many times that of the own
# language it is. Of few words it is three times, for names such as La La Land.
_STOPS, _TIMES, _TIMES_OF_FEW = 0.4, 2, 3


def tag(
    items: Annotated[
        Optional[list[str]],
        typer.Argument(
            metavar="[MODEL] [TEXT ...]",
            help=f"Texts, or files of texts (one a line, or what convert reads); - for the standard input. The first may be a "
            f"pipeline, its folder or its name; {DEFAULT} by default.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line for each text, for programs.")] = False,
) -> None:
    """Tag texts: tags, parts of speech, lemmas, entities and spans, whatever the pipeline sets."""
    items = items or []
    is_named = bool(items) and _is_pipeline(items[0])
    model, items = (items[0], items[1:]) if is_named else (DEFAULT, items)
    if not items and sys.stdin.isatty():
        raise DataError('found no text; expected texts, such as spacy-bilstm tag "so happy in Lisbon!!", or a file')
    # What is no text is told before a pipeline is loaded.
    texts = chain.from_iterable([_texts(item) for item in items or ["-"]])
    _warn_of_words(items, is_named=is_named)
    nlp = _load(model)
    found = False
    with one_thread():
        for doc in _warn_of_other_language(nlp, nlp.pipe(texts, batch_size=64)):
            found = True
            if as_json:
                typer.echo(json.dumps(to_annotation(doc), ensure_ascii=False))
            else:
                _print(doc)
    if not found:
        raise DataError("found no text in the standard input; expected one a line")


def _warn_of_words(items: list[str], *, is_named: bool) -> None:
    """Of a word that is tagged as a text, and may be meant as a file, or as the first word of a text.

    is_named (bool): there was a pipeline before. RAISES: DataError for a word before other texts, where one may be meant.
    """
    for number, item in enumerate(items):
        is_first_of_several = number == 0 and len(items) > 1 and bool(_NAME.fullmatch(item))
        if not (is_first_of_several or _FILE_LIKE.fullmatch(item)) or os.path.exists(item):  # no error for a long name
            continue
        if is_first_of_several and not is_named:
            raise DataError(
                f"found {item!r} and more behind it, expected a pipeline or a file first; a text of several words goes in quotes, "
                f"and one of a word behind the pipeline: spacy-bilstm tag {DEFAULT} {item} ..."
            )
        typer.secho(
            f"⚠ {item!r} is no pipeline and no file here, so it is tagged as a text; a text of several words goes in quotes",
            fg=typer.colors.YELLOW,
            err=True,
        )


def _print(doc: Doc) -> None:
    columns = [name for name in ("tag", "pos", "lemma") if doc.has_annotation(name.upper())]
    table = whole_table("token", *columns, "entity", "probability")
    for token in doc:
        if token.is_space:
            continue
        begins = next((ent for ent in doc.ents if ent.start == token.i), None)
        score = span_score(begins) if begins is not None else None
        cells = [token.text, *(getattr(token, f"{name}_") for name in columns), token.ent_type_]
        table.add_row(*map(Text, cells), "" if score is None else f"{score:.2f}")
        if token.is_sent_end and token.i + 1 < len(doc) and doc.has_annotation("SENT_START"):
            table.add_section()
    console().print(Text(doc.text), table, sep="\n")
    for key, group in doc.spans.items():
        shown = [span.text if score is None else f"{span.text} ({score:.2f})" for span, score in scored_spans(group)]
        if shown and ARE_ENTS not in group.attrs:
            console().print(Text(f"{key}: {'; '.join(shown)}"))


def _is_pipeline(name: str) -> bool:
    try:
        return (is_package(name) and any(get_package_path(name).glob("*/config.cfg"))) or (Path(name) / "config.cfg").is_file()
    except (OSError, ImportError, ValueError):  # too long for a name, or a package of another kind
        return False


def _load(name: str) -> Language:
    """RAISES: DataError with what to do, where the pipeline is missing or of other versions."""
    if not _is_pipeline(name):
        raise DataError(
            f"{name} is not installed; pip install it from wheels/ of this project, or name another pipeline: "
            "spacy-bilstm tag MODEL TEXT"
        )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=r"\[W095\]")  # a pipeline of another spaCy
            return load_pipeline(name)
    except UserWarning as warning:
        raise DataError(f"{name}: {warning}") from None


def _texts(item: str) -> Iterator[str]:
    if item == "-":
        return (line for line in map(str.strip, read_lines(Path("-"))) if line)
    if not item.strip():
        raise DataError('found an empty text; expected one, such as spacy-bilstm tag "so happy in Lisbon!!"')
    path = Path(item)
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
        lies_in_folder = re.fullmatch(r"[^\s/]+/\S+", item) is not None and Path(path.parts[0]).is_dir()
    except (OSError, ValueError):  # too long for a name, or with a NUL
        return iter([item])
    if not is_file and (is_folder or lies_in_folder or _PATH.fullmatch(item)):
        best = trained_inside(path)
        way_out = f"there is one in {best}" if best else "if it is a text, send it to the standard input (-)"
        raise DataError(f"{item}: no file of texts, and no pipeline that is installed or lies there; {way_out}")
    if not is_file:
        check_argument(item)
    return iter_raw_texts(path) if is_file else iter([item])


def _warn_of_other_language(nlp: Language, docs: Iterable[Doc]) -> Iterator[Doc]:
    """Once, if the tables of the pipeline do not have more than half of the words, or if these are those of another language."""
    words: list[str] = []
    n_letters = n_others = 0
    enough = _FEWEST
    for doc in docs:
        if enough <= _MOST:
            letters = [letter for letter in doc.text if letter.isalpha()]
            n_letters += len(letters)
            n_others += sum(letter > _LATIN for letter in letters)
            words += [token.lower_ for token in doc if token.is_alpha and len(token) > 1 and tweet_kind(token) == "word"]
            message = _other_script(nlp, n_letters, n_others)
            if message is not None or len(words) >= enough:
                message = message or _other_language(nlp, words)
                while enough <= len(words):  # 5, 10, 20 ...
                    enough *= 2
                if message is not None:
                    enough = _MOST + 1
                    typer.secho(f"⚠ {message}", fg=typer.colors.YELLOW, err=True)
        yield doc


def _other_script(nlp: Language, n_letters: int, n_others: int) -> Optional[str]:
    """A few letters of another script than Latin tell another language, also where there are no blanks between words."""
    is_latin = any(word.isalpha() and word < _LATIN for word in _stop_words(nlp.lang))
    if is_latin and n_letters >= _FEWEST_LETTERS and 2 * n_others > n_letters:
        return f"Most letters are of another script than the words of {nlp.lang!r}, for which the pipeline is made"
    return None


def _other_language(nlp: Language, words: list[str]) -> Optional[str]:
    models = (getattr(pipe, "model", None) for _, pipe in nlp.pipeline)
    names = {name for model in models if isinstance(model, Model) for name in tables_read(model)} - {VOCAB_VECTORS}
    lowers = np.array([get_string_id(word) for word in words], np.uint64)
    rows = np.array([get_table(nlp.vocab, name).find(lowers) for name in names])
    is_few = len(words) < _FEW
    most = _MOST_OF_FEW if is_few else 0.5  # a few words may be names
    if len(rows) and np.count_nonzero((rows == NO_ROW).all(axis=0)) > most * len(words):
        return "More than half of the words are unknown to the pipeline; is this the language that it is made for?"
    if len(words) < _FEWEST_STOPS:
        return None
    shares = {lang: sum(word in _stop_words(lang) for word in words) / len(words) for lang in {nlp.lang, *_LANGUAGES}}
    likely = max(shares, key=lambda lang: shares[lang])
    times = _TIMES_OF_FEW if is_few else _TIMES
    if shares[likely] > max(_STOPS, times * shares[nlp.lang]) and _stop_words(nlp.lang):
        return f"The texts look like the language {likely!r}, and the pipeline is made for {nlp.lang!r}"
    return None


@cache
def _stop_words(lang: str) -> set[str]:
    """spaCy's for a language, the commonest words; none where it has no list."""
    try:
        return {word.lower() for word in import_module(f"spacy.lang.{lang}.stop_words").STOP_WORDS}
    except ImportError:
        return set()
