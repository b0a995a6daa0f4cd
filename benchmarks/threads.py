"""How many texts a second several threads read by one pipeline, each text by itself, as the threads of a server do.

    OMP_NUM_THREADS=1 python -m benchmarks.threads en_tweet_sm TWEETS.txt

The numbers of threads follow each other in each round. Labels are compared with those of one thread. In the last row, threads
do not take turns (`layers/shim.py`).
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated, Callable

import spacy
import torch
import typer
from spacy.language import Language

from spacy_bilstm_tagger.corpus.raw import read_raw_texts
from spacy_bilstm_tagger.layers import shim

from .timing import in_turn, speed_ratio

THREADS = ("1", "2", "8")


def main(
    pipeline: Annotated[str, typer.Argument(help="A folder or package.")],
    texts: Annotated[Path, typer.Argument(help="Raw texts, one a line.")],
    limit: Annotated[int, typer.Option(min=1)] = 4000,
    rounds: Annotated[int, typer.Option(min=1)] = 5,
) -> None:
    torch.set_num_threads(1)
    nlp = spacy.load(pipeline)
    lines = list(read_raw_texts(texts))[:limit]
    found: dict[str, list] = {}

    def read(name: str, few_texts: int = shim.FEW_TEXTS) -> None:
        shim.FEW_TEXTS = few_texts
        with ThreadPoolExecutor(int(name.split(",")[0])) as pool:
            found[name] = list(pool.map(partial(labels, nlp), lines, chunksize=1))

    calls: dict[str, Callable[[], None]] = {name: partial(read, name) for name in THREADS}
    calls["8, without turns"] = partial(read, "8, without turns", few_texts=0)
    times = in_turn(calls, rounds, threads=2)
    typer.echo("| threads | texts/s | one thread = 1 | texts with other labels |\n|---|---|---|---|")
    for name, seconds in times.items():
        others = sum(one != other for one, other in zip(found["1"], found[name]))
        typer.echo(f"| {name} | {limit / min(seconds):,.0f} | {speed_ratio(seconds, times['1']):.2f} | {others} |")


def labels(nlp: Language, text: str) -> list[tuple[str, str, str]]:
    return [(token.tag_, token.pos_, token.ent_type_) for token in nlp(text)]


if __name__ == "__main__":
    typer.run(main)
