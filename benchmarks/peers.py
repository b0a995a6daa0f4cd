"""Speed of pipelines side by side over raw texts, on one thread: in batches, and one by one.

First each pipeline, just loaded, reads further texts once, of whose words it knows none, and then others, as in a stream.
Then they take turns, and read the same texts again and again; each round's rates are compared within the round. With --peer,
spaCy's pipeline of that name (such as en_core_web_sm) is timed too, with the components that a tagger or an entity recognizer
needs.

    OMP_NUM_THREADS=1 python -m benchmarks.peers TWEETS.txt training/ritter/model-best --peer en_core_web_sm
"""

import gc
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Annotated, Iterator, Literal, Optional

import spacy
import torch
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from spacy.language import Language
from thinc.shims.shim import Shim

from spacy_bilstm_tagger.corpus.raw import read_raw_texts
from spacy_bilstm_tagger.layers.bilstm import PackedRNN
from spacy_bilstm_tagger.layers.word_cache import WordCache
from spacy_bilstm_tagger.pipeline.precision import n_differing

PEERS = (("tok2vec", "tagger"), ("tok2vec", "ner"), ("tok2vec", "tagger", "ner"))
BATCH_SIZES = (16, 256, 1024)
N_FRESH = 10_000  # texts of each part that is read once
ONCE = {"first reading": 256, "new texts": 1024}  # these parts, and their batches
LENGTH = 20  # tokens of the texts that are read one by one


def main(
    texts: Annotated[Path, typer.Argument(help="Raw texts, one a line.")],
    pipelines: Annotated[list[str], typer.Argument(help="Folders or packages; NAME:tok2vec,ner for some of the components.")],
    peer: Annotated[str, typer.Option(help="A pipeline of spaCy.")] = "",
    limit: Annotated[int, typer.Option(min=256, help="Number of texts.")] = 5000,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    no_cache: Annotated[bool, typer.Option(help="Also each of the pipelines without its cache of words.")] = False,
    precision: Annotated[Optional[Literal["auto", "bfloat16"]], typer.Option(help="Also each of them in this precision.")] = None,
) -> None:
    torch.set_num_threads(1)
    named = {f"{Path(peer).name}: {', '.join(names)}": spacy.load(peer, enable=list(names)) for names in PEERS if peer}
    for path in pipelines:
        source, _, names = path.partition(":")
        enabled = {"enable": names.split(",")} if names else {}
        named[path] = spacy.load(source, **enabled)
        if no_cache:
            named[f"{path}, no cache"] = without_cache(spacy.load(source, **enabled))
        if precision:
            named[f"{path}, {precision}"] = with_precision(spacy.load(source, **enabled), precision)
    every = list(read_raw_texts(texts))
    lines = every[:limit]
    some = [line for line in lines if abs(len(next(reversed(named.values())).make_doc(line)) - LENGTH) <= 1][:300]
    once = {}
    for i, (head, size) in enumerate(ONCE.items()):
        if part := every[limit + i * N_FRESH : limit + (i + 1) * N_FRESH]:
            once[head] = {name: rate(nlp, part, size) for name, nlp in named.items()}
            typer.echo(f"{head}: {len(part):,} further texts, in batches of {size:,}")
    for nlp in named.values():  # warm
        rate(nlp, lines, 256)
    gc.collect()
    gc.freeze()  # else Python looks through all pipelines now and then, at the expense of the one that is being timed
    rows = {name: [[] for _ in (*BATCH_SIZES, "one by one")] for name in named}
    waits: dict[str, list[float]] = {name: [] for name in named}
    for _ in range(rounds):
        for name, nlp in named.items():
            for found, size in zip(rows[name], BATCH_SIZES):
                found.append(rate(nlp, lines, size))
            times = [seconds(nlp, line) for line in some]
            waits[name] += times
            rows[name][-1].append(sum(len(nlp.make_doc(line)) for line in some) / sum(times))
    first = next(iter(named))
    heads = [*(f"batch {size}" for size in BATCH_SIZES), "one by one"]
    table = Table(
        "pipeline",
        *once,
        *heads,
        f"ms of {LENGTH} tokens, p50",
        "p99",
        box=box.MARKDOWN,
    )
    for name, found in rows.items():
        cells = [
            f"{median(rates):,.0f} ({median(own / other for own, other in zip(rates, base)):.2f})"
            for rates, base in zip(found, rows[first])
        ]
        cells[:0] = [f"{rates[name]:,.0f} ({rates[name] / rates[first]:.2f})" for rates in once.values()]
        cuts = quantiles(waits[name], n=100)
        table.add_row(name, *cells, f"{1000 * cuts[49]:.2f}", f"{1000 * cuts[98]:.2f}")
    typer.echo(f"Tokens a second of processor time, {len(lines):,} texts; in brackets as a ratio to the first row.")
    typer.echo()
    Console(width=170, soft_wrap=False).print(table)
    for name in named:
        if precision and f"{name}, {precision}" in named:
            docs = [list(each.pipe(lines, batch_size=256)) for each in (named[name], named[f"{name}, {precision}"])]
            differing, n_tokens = sum(map(n_differing, *docs)), sum(map(len, docs[0]))
            typer.echo(f"{name}, {precision}: other labels at {differing:,} of {n_tokens:,} tokens")


def rate(nlp: Language, texts: list[str], batch_size: int) -> float:
    start = process_time()
    tokens = sum(len(doc) for doc in nlp.pipe(texts, batch_size=batch_size))
    return tokens / (process_time() - start)


def seconds(nlp: Language, text: str) -> float:
    start = perf_counter()
    nlp(text)
    return perf_counter() - start


def without_cache(nlp: Language) -> Language:
    for shim in shims(nlp):
        if isinstance(shim, WordCache):
            shim.memory = 0
            shim.forget()
    return nlp


def with_precision(nlp: Language, precision: str) -> Language:
    for shim in shims(nlp):
        if isinstance(module := getattr(shim, "module", None), PackedRNN):
            module.precision = precision
    return nlp


def shims(nlp: Language) -> Iterator[Shim]:
    models = (pipe.model for _, pipe in nlp.pipeline if hasattr(pipe, "model"))
    return (shim for model in models for node in model.walk() for shim in node.shims)


if __name__ == "__main__":
    typer.run(main)
