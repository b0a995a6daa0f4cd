"""Speed of `nlp.pipe` with one process and with several, on raw texts, in rounds that take turns.

    OMP_NUM_THREADS=1 python benchmarks/processes.py training/wnut17/model-best TWEETS.txt --texts 40000

Start-up of the processes counts. "As srsly does" is without `pipeline.processes.remember_coders`.
"""

import time
from pathlib import Path
from statistics import median
from typing import Annotated

import spacy
import torch
import typer
from spacy.language import Language
from srsly.msgpack import msgpack_decoders, msgpack_encoders

from spacy_bilstm_tagger.pipeline.processes import remember_coders

BATCH_SIZE = 256


def main(
    pipeline: Path,
    texts: Annotated[Path, typer.Argument(help="One text a line.")],
    first: Annotated[int, typer.Option("--texts", help="Use only this many.")] = 40_000,
    processes: Annotated[int, typer.Option(min=2)] = 2,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    as_srsly: Annotated[bool, typer.Option(help="Measure several processes as srsly does too.")] = True,
) -> None:
    torch.set_num_threads(1)
    nlp = spacy.load(pipeline)
    lines = [line for line in texts.read_text(encoding="utf8").split("\n") if line.strip()][:first]
    n_tokens = sum(len(doc) for doc in nlp.pipe(lines, batch_size=BATCH_SIZE))
    found: dict[str, list[float]] = {"1": [], f"{processes}": []}
    if as_srsly:
        found[f"{processes}, as srsly does"] = []
    for _ in range(rounds):
        for name, seconds in found.items():
            forget_coders() if "srsly" in name else remember_coders()
            seconds.append(read(nlp, lines, n_process=int(name.split(",")[0])))
    typer.echo(f"{len(lines):,} texts, {n_tokens:,} tokens; medians of {rounds} rounds\n")
    typer.echo("| processes | tokens/s | one process = 1 |\n|---|---|---|")
    for name, seconds in found.items():
        ratio = median(one / own for one, own in zip(found["1"], seconds))
        typer.echo(f"| {name} | {n_tokens / median(seconds):,.0f} | {ratio:.2f} |")


def read(nlp: Language, texts: list[str], n_process: int) -> float:
    """Seconds."""
    start = time.perf_counter()
    for _ in nlp.pipe(texts, n_process=n_process, batch_size=BATCH_SIZE):
        pass
    return time.perf_counter() - start


def forget_coders() -> None:
    for registry in (msgpack_encoders, msgpack_decoders):
        vars(registry).pop("get_all", None)


if __name__ == "__main__":
    typer.run(main)
