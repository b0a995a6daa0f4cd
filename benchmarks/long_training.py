"""How long a training step takes with one long text beside twenty short ones.

python benchmarks/long_training.py --tokens 30000
"""

import random
import time
from typing import Annotated

import spacy
import torch
import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example


def main(tokens: Annotated[int, typer.Option(help="Length of the longest text.")] = 32_000) -> None:
    torch.set_num_threads(1)
    nlp = spacy.blank("en")
    nlp.add_pipe("bilstm_tagger")
    nlp.add_pipe("bilstm_ner")
    short = [make_example(nlp, 20, seed) for seed in range(20)]
    optimizer = nlp.initialize(lambda: short)
    typer.echo("| tokens of the long text | seconds of a step | milliseconds a token |\n|---|---|---|")
    for n in (tokens // 16, tokens // 4, tokens):
        examples = [*short, make_example(nlp, n, seed=99)]
        start = time.perf_counter()
        nlp.update(examples, sgd=optimizer)
        seconds = time.perf_counter() - start
        typer.echo(f"| {n:,} | {seconds:.1f} | {1000 * seconds / (n + 400):.2f} |")


def make_example(nlp: Language, tokens: int, seed: int) -> Example:
    rng = random.Random(seed)
    words = [f"w{rng.randrange(3000)}" for _ in range(tokens)]
    tags = [f"T{int(word[1:]) % 9}" for word in words]
    ents = ["B-X" if rng.random() < 0.1 else "O" for _ in words]
    return Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words, tags=tags, ents=ents))


if __name__ == "__main__":
    typer.run(main)
