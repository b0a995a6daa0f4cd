"""How many texts a second several threads read by one pipeline, each text by itself, as the threads of a server do.

    OMP_NUM_THREADS=1 python -m benchmarks.threads en_tweet_sm TWEETS.txt

The numbers of threads take turns. Labels are compared with those of one thread.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated

import spacy
import torch
import typer
from spacy.language import Language

from spacy_bilstm_tagger.corpus.raw import read_raw_texts

from .timing import in_turn, speed_ratio

THREADS = (1, 2, 8)


def main(
    pipeline: Annotated[str, typer.Argument(help="A folder or package.")],
    texts: Annotated[Path, typer.Argument(help="Raw texts, one a line.")],
    limit: Annotated[int, typer.Option(min=1)] = 4000,
    rounds: Annotated[int, typer.Option(min=1)] = 5,
) -> None:
    torch.set_num_threads(1)
    nlp = spacy.load(pipeline)
    lines = list(read_raw_texts(texts))[:limit]
    found: dict[int, list] = {}

    def read(count: int) -> None:
        with ThreadPoolExecutor(count) as pool:
            found[count] = list(pool.map(partial(labels, nlp), lines, chunksize=1))

    times = in_turn({str(count): partial(read, count) for count in THREADS}, rounds, threads=2)
    typer.echo("| threads | texts/s | one thread = 1 | texts with other labels |\n|---|---|---|---|")
    for count in THREADS:
        seconds = times[str(count)]
        others = sum(one != other for one, other in zip(found[1], found[count]))
        ratio = speed_ratio(seconds, times["1"])
        typer.echo(f"| {count} | {limit / min(seconds):,.0f} | {ratio:.2f} | {others} |")


def labels(nlp: Language, text: str) -> list[tuple[str, str, str]]:
    return [(token.tag_, token.pos_, token.ent_type_) for token in nlp(text)]


if __name__ == "__main__":
    typer.run(main)
