"""spacy-bilstm tokenize-eval: agreement of a tokenizer with gold tokens."""

from pathlib import Path
from typing import Annotated, Any, Optional

import spacy
import srsly
import typer
from catalogue import RegistryError
from spacy.language import Language
from spacy.util import registry

from ..corpus import read_corpus
from ..corpus.token_agreement import compare_tokens
from ..errors import DataError
from ..tokenizer import SCHEMES


def tokenize_eval(
    input: Annotated[Path, typer.Argument(metavar="CONLLU", help="CoNLL-U with raw text, or any other corpus.")],
    tokenizer: Annotated[
        str,
        typer.Option(
            help="ptb or ud: a scheme of TweetTokenizer.v1. Or the settings of a tokenizer as JSON, such as "
            '\'{"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1", "scheme": "ud", "hashtags": "sign"}\'; '
            "the name of a registered one; a language of spaCy, such as en; or a trained pipeline."
        ),
    ] = "ud",
    show: Annotated[int, typer.Option(min=0, help="Print this many of the most frequent disagreements.")] = 20,
    format: Annotated[Optional[str], typer.Option(help="As in convert; guessed by default.")] = None,
) -> None:
    """Compare a tokenizer with gold tokens by their characters in the raw text: precision, recall, F1 and the most
    frequent disagreements.

    If the raw text is not known, the gold tokens are joined by single spaces. Then only tokens that were split too much
    can be seen, and the share of unchanged tokens is printed.
    """
    nlp = load_tokenizer(tokenizer)
    _, texts = read_corpus(input, format=format)
    lines = []
    for raw in (True, False):
        lines += compare_tokens(nlp.make_doc, texts, input, raw=raw).summary(raw=raw, show=show)
    if not lines:
        raise DataError(f"{input}: has no gold tokens to compare with; expected CoNLL-U or a file of tokens")
    typer.echo("\n".join([f"Tokenizer: {tokenizer}", *lines]))


def load_tokenizer(name: str) -> Language:
    """A pipeline with this tokenizer.

    name (str): see `--tokenizer`.
    RAISES: DataError for a name that is none of these.
    """
    if name in SCHEMES:
        return _blank({"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1", "scheme": name})
    if name.startswith("{"):
        try:
            settings = srsly.json_loads(name)
        except ValueError as error:
            raise DataError(f"--tokenizer {name}: not JSON ({error})") from None
        try:
            return _blank(settings)
        except RegistryError as error:
            raise DataError(f"--tokenizer {name}: {str(error).splitlines()[0]}") from None
    if name in registry.tokenizers:
        return _blank({"@tokenizers": name})
    try:
        return spacy.blank(name) if name.isalpha() and len(name) <= 3 else spacy.load(name)
    except (ImportError, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        raise DataError(
            f"--tokenizer {name}: cannot be made ({reason}); expected ptb, ud, the settings of a tokenizer as JSON, the name of a "
            "registered one, a language of spaCy, or a trained pipeline"
        ) from None


def _blank(tokenizer: dict[str, Any]) -> Language:
    return spacy.blank("en", config={"nlp": {"tokenizer": tokenizer}})
