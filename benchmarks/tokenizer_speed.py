"""Tokens a second of TweetTokenizer.v1 beside spaCy's English tokenizer, in rounds that take turns, as Markdown.

    python benchmarks/tokenizer_speed.py TWEETS.txt [MORE.txt ...]

Each round makes new pipelines. Cold is the first reading of all texts, when caches and vocabularies are empty; warm is
the second. Where other programs run on the machine, trust the ratios, which compare within a round.
"""

import time
from pathlib import Path
from statistics import median
from typing import Annotated

import spacy
import typer
from spacy.language import Language

from spacy_bilstm_tagger.tokenizer import SCHEMES, create_tweet_tokenizer

SPACY = "spaCy en"


def main(
    files: Annotated[list[Path], typer.Argument(help="One text a line.")],
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    texts: Annotated[int, typer.Option(help="Use only this many.")] = 40_000,
) -> None:
    lines = [line for file in files for line in file.read_text(encoding="utf8").split("\n") if line.strip()][:texts]
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in (SPACY, *SCHEMES)}
    for _ in range(rounds):
        for name, found in rates.items():
            nlp = build(name)
            found.append((rate(nlp, lines), rate(nlp, lines)))
    typer.echo(f"{len(lines):,} texts, {rounds} rounds; medians\n")
    typer.echo("| tokenizer | tokens/s cold | tokens/s warm | spaCy = 1, cold | warm |\n|---|---|---|---|---|")
    for name, found in rates.items():
        cells = [f"{median(speeds[state] for speeds in found):,.0f}" for state in (0, 1)]
        for state in (0, 1):
            ratios = [own[state] / other[state] for own, other in zip(found, rates[SPACY])]
            cells.append(f"{median(ratios):.2f}")
        typer.echo(f"| {name} | {' | '.join(cells)} |")


def build(name: str) -> Language:
    nlp = spacy.blank("en")
    if name != SPACY:
        nlp.tokenizer = create_tweet_tokenizer(scheme=name)(nlp)
    return nlp


def rate(nlp: Language, lines: list[str]) -> float:
    start = time.process_time()
    tokens = sum(len(nlp.make_doc(line)) for line in lines)
    return tokens / (time.process_time() - start)


if __name__ == "__main__":
    typer.run(main)
