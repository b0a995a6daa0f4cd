"""Learn which words are mostly inside spans, and make a pipeline that marks exactly these words.

The baseline for `doc.spans`: no model, only spaCy's `span_ruler` with a case-insensitive pattern for each word. The
default limits did best in 5-fold cross-validation on the train part of the toxic spans (`--folds 5`). Each word is a
span of its own: joining neighbouring words made no difference to the character F1 there.
"""

from collections import Counter
from pathlib import Path
from statistics import mean
from typing import Annotated

import spacy
import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from spacy_bilstm_tagger.corpus.docs import read_docbin
from spacy_bilstm_tagger.errors import DataError

TOKENIZER = "spacy-bilstm-tagger.TweetTokenizer.v1"
SCORER = "spacy-bilstm-tagger.spans_scorer.v1"


def main(
    train: Annotated[Path, typer.Argument(metavar="TRAIN.spacy", help="Docs with spans.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write the pipeline to.")],
    spans_key: Annotated[str, typer.Option(help="The key in doc.spans, and the label of the spans.")] = "toxic",
    min_count: Annotated[int, typer.Option(min=1, help="Least number of uses inside spans.")] = 2,
    min_share: Annotated[float, typer.Option(min=0, max=1, help="Least share of uses that are inside spans.")] = 0.35,
    folds: Annotated[int, typer.Option(min=0, help="Also cross-validate, with this many folds.")] = 0,
) -> None:
    try:
        docs = read_docs(train, spans_key)
        if folds == 1 or folds > len(docs):
            raise DataError(
                f"--folds {folds}: expected 0 for none, or a number from 2 to {len(docs)}, the number of texts in {train}"
            )
        words = learn_words(docs, spans_key, min_count=min_count, min_share=min_share)
        if not words:
            raise DataError(
                f"{train}: no word is inside spans {min_count} times and in {min_share:g} of its uses; lower "
                "--min-count or --min-share, or use more text"
            )
        if folds:
            score = cross_validate(docs, spans_key, min_count=min_count, min_share=min_share, folds=folds)
            typer.echo(f"Character F1, mean of {folds} folds: {100 * score:.2f}")
        make_pipeline(words, spans_key).to_disk(out)
    except (DataError, OSError) as error:
        typer.secho(f"✘ {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{len(words):,} words from {len(docs):,} texts")
    typer.secho(f"✔ {out}", fg=typer.colors.GREEN)


def read_docs(path: Path, key: str) -> list[Doc]:
    """The Docs that have a group of spans under the key, which may be empty.

    RAISES: DataError for a file that is not a DocBin, or has no such Doc.
    """
    docs = read_docbin(path)
    keys = {found for doc in docs for found in doc.spans}
    if key not in keys:
        raise DataError(
            f"{path}: no text has spans under the key {key!r}, found {', '.join(sorted(keys)) or 'none'}; name one with --spans-key"
        )
    return [doc for doc in docs if key in doc.spans]


def learn_words(docs: list[Doc], key: str, *, min_count: int, min_share: float) -> list[str]:
    """The lower-cased tokens that are inside spans at least `min_count` times, and in at least `min_share` of all
    their uses."""
    uses: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    for doc in docs:
        uses.update(token.lower_ for token in doc if not token.is_space)
        marked = {token.i for span in doc.spans[key] for token in span if not token.is_space}
        inside.update(doc[i].lower_ for i in marked)
    return sorted(word for word, count in inside.items() if count >= min_count and count / uses[word] >= min_share)


def make_pipeline(words: list[str], key: str) -> Language:
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": TOKENIZER}}})
    scorer = {"@scorers": SCORER, "spans_key": key}
    ruler = nlp.add_pipe("span_ruler", config={"spans_key": key, "scorer": scorer})
    ruler.add_patterns([{"label": key, "pattern": [{"LOWER": word}]} for word in words])
    return nlp


def cross_validate(docs: list[Doc], key: str, *, min_count: int, min_share: float, folds: int) -> float:
    """Mean character F1 over the folds; fold i of n holds out the texts i, i + n, i + 2n."""
    scores = []
    for fold in range(folds):
        rest = [doc for i, doc in enumerate(docs) if i % folds != fold]
        nlp = make_pipeline(learn_words(rest, key, min_count=min_count, min_share=min_share), key)
        examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs[fold::folds]]
        scores.append(nlp.evaluate(examples)[f"spans_{key}_char_f"])
    return mean(scores)


if __name__ == "__main__":
    typer.run(main)
