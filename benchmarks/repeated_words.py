"""Speed of prediction with and without computing each distinct word of a batch once, and short words apart from long ones.

The pipeline reads the texts with both, and as if every token and every length were the only one, turn by turn.

    python benchmarks/repeated_words.py training/ritter/model-best corpus/ritter/dev.spacy
"""

import time
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import Annotated, Iterator
from unittest import mock

import spacy
import torch
import typer
from spacy.language import Language
from spacy.training import Corpus

LAYERS = "spacy_bilstm_tagger.layers"


def main(
    pipeline: Path,
    corpus: Annotated[Path, typer.Argument(help="A .spacy file, whose raw texts are read.")],
    rounds: Annotated[int, typer.Option(min=1)] = 9,
) -> None:
    torch.set_num_threads(1)
    nlp = spacy.load(pipeline)
    docs = [example.reference for example in Corpus(corpus, gold_preproc=True)(spacy.blank("xx"))]
    texts, n_tokens = [doc.text for doc in docs], sum(map(len, docs))
    typer.echo("| texts in a batch | tokens/s, each row by itself | equal rows once | ratio |\n|---|---|---|---|")
    for batch_size in (1, 16, 64, 256, 1024):
        times = [(seconds(nlp, texts, batch_size, once=False), seconds(nlp, texts, batch_size)) for _ in range(rounds)]
        rates = [n_tokens / median(column) for column in zip(*times)]
        ratio = median(each / once for each, once in times)
        typer.echo(f"| {batch_size} | {rates[0]:,.0f} | {rates[1]:,.0f} | {ratio:.2f} |")


def seconds(nlp: Language, texts: list[str], batch_size: int, *, once: bool = True) -> float:
    """Of processor time, for all texts."""
    with nullcontext() if once else each_row_by_itself():
        start = time.process_time()
        for _ in nlp.pipe(texts, batch_size=batch_size):
            pass
        return time.process_time() - start


@contextmanager
def each_row_by_itself() -> Iterator[None]:
    with mock.patch(f"{LAYERS}.bilstm.LEAST_ROWS", 1e9), mock.patch(f"{LAYERS}.characters.WORDS_AT_ONCE", 10**9):
        yield


if __name__ == "__main__":
    typer.run(main)
