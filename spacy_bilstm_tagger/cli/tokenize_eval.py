"""spacy-bilstm tokenize-eval: how far a tokenizer agrees with gold tokens."""

from pathlib import Path
from typing import Annotated, Optional

import spacy
import srsly
import typer
from spacy.language import Language
from spacy.util import registry

from ..corpus import read_corpus
from ..corpus.token_agreement import TokenAgreement, compare_tokens
from ..errors import DataError
from ..tokenizer import SCHEMES, create_tweet_tokenizer


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
    """Compare a tokenizer with gold tokens, as stretches of characters of the raw text: precision, recall, F1, and
    where they disagree most often.

    A corpus without raw text is read as its tokens with single spaces between them. Then only tokens that were split
    can be seen, and the share that comes back whole is printed.
    """
    nlp = load_tokenizer(tokenizer)
    _, texts = read_corpus(input, format=format)
    typer.echo(f"Tokenizer: {tokenizer}")
    with_raw = compare_tokens(nlp.make_doc, texts, input, raw=True)
    without = compare_tokens(nlp.make_doc, texts, input, raw=False)
    if not with_raw.n_texts + without.n_texts:
        raise DataError(f"{input}: has no gold tokens to compare with; expected CoNLL-U or a file of tokens")
    if with_raw.n_texts:
        typer.echo(f"{with_raw.n_texts:,} texts; tokens: {with_raw.n_gold:,} gold, {with_raw.n_found:,} found")
        typer.echo(
            f"Precision {100 * with_raw.precision:.2f}, recall {100 * with_raw.recall:.2f}, F1 {100 * with_raw.f1:.2f}"
        )
        _echo_disagreements(with_raw, show)
    if without.n_texts:
        typer.echo(
            f"{without.n_texts:,} texts without raw text, their tokens joined by spaces: "
            f"{without.n_same:,} of {without.n_gold:,} gold tokens come back whole ({100 * without.recall:.2f}%)"
        )
        _echo_disagreements(without, show)


def load_tokenizer(name: str) -> Language:
    """A pipeline that has this tokenizer.

    name (str): see `--tokenizer`.
    RAISES: DataError where it is none of these.
    """
    if name in SCHEMES:
        nlp = spacy.blank("en")
        nlp.tokenizer = create_tweet_tokenizer(scheme=name)(nlp)
        return nlp
    if name.startswith("{"):
        try:
            settings = srsly.json_loads(name)
        except ValueError as error:
            raise DataError(f"--tokenizer {name}: not JSON ({error})") from None
        return spacy.blank("en", config={"nlp": {"tokenizer": settings}})
    if name in registry.tokenizers:
        return spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": name}}})
    try:
        return spacy.blank(name) if name.isalpha() and len(name) <= 3 else spacy.load(name)
    except (ImportError, OSError):
        raise DataError(
            f"--tokenizer {name}: expected ptb, ud, the settings of a tokenizer as JSON, the name of a registered "
            "one, a language of spaCy, or a trained pipeline"
        ) from None


def _echo_disagreements(agreement: TokenAgreement, show: int) -> None:
    rest = len(agreement.disagreements) - show
    for (gold, found), count in agreement.disagreements.most_common(show):
        context = agreement.contexts[gold, found]
        typer.echo(f"{count:6}  {' '.join(gold)}  <>  {' '.join(found)}    in {context!r}")
    if show and rest > 0:
        typer.echo(f"        ... and {rest:,} other disagreements")
