"""How far each stage of a pipeline is from what the machine could do at best: operations and bytes a token, the time that they
would take at the machine's measured rates, and the time that they take.

    OMP_NUM_THREADS=1 python -m benchmarks.roofline en_tweet_sm TWEETS.txt

The machine's rates are those of a product of large float32 matrices, and of a copy of a large array, on the same thread. A stage's
limit is the longer of its operations at the first and its bytes at the second (Williams, Waterman and Patterson 2009,
"Roofline: an insightful visual performance model for multicore architectures"). Counted are the products of the layers and what
has to be read and written for them: rows of tokens, and weights once a batch. Rules, docs and Python count as nothing, so stages
made of these have no limit. Words are counted as all new: what the cache saves shows as a stage that is faster than its limit.
"""

from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Annotated, Any, Callable, Iterator

import numpy as np
import spacy
import torch
import typer
from spacy.tokens import Doc
from thinc.api import Model
from torch import nn

from spacy_bilstm_tagger.corpus.raw import read_raw_texts
from spacy_bilstm_tagger.layers.shim import TorchShim

FLOAT = 4  # bytes


@dataclass
class Cost:
    """operations, bytes: of a token; weights: bytes that are read once a batch."""

    operations: float = 0.0
    bytes: float = 0.0
    weights: float = 0.0

    def add(self, inputs: int, outputs: int) -> None:
        """A product of a row and a matrix."""
        self.operations += 2 * inputs * outputs
        self.bytes += FLOAT * (inputs + outputs)
        self.weights += FLOAT * inputs * outputs


def main(
    model: str,
    texts: Annotated[Path, typer.Argument(help="Raw texts, one a line.")],
    limit: Annotated[int, typer.Option(min=256, help="Number of texts.")] = 5120,
    batch_size: int = 256,
) -> None:
    torch.set_num_threads(1)
    nlp = spacy.load(model)
    lines = read_raw_texts(texts)[:limit]
    for _ in nlp.pipe(lines, batch_size=batch_size):  # warm
        pass
    per_second, bytes_per_second = rate_of_products(), rate_of_copies()
    batches = [lines[at : at + batch_size] for at in range(0, len(lines), batch_size)]
    docs = [[nlp.make_doc(line) for line in batch] for batch in batches]
    n_tokens = sum(len(doc) for batch in docs for doc in batch)
    typer.echo(
        f"{per_second / 1e9:,.0f} Gflop/s, {bytes_per_second / 1e9:,.0f} GB/s; {n_tokens / len(batches):,.0f} tokens a batch\n"
    )
    typer.echo("| stage | flop a token | bytes a token | limit, µs | measured, µs | measured / limit |\n|---|---|---|---|---|---|")
    tokenizer = seconds_of(lambda: [[nlp.make_doc(line) for line in batch] for batch in batches])
    show("tokenizer", Cost(), tokenizer / n_tokens, per_second, bytes_per_second, 1)
    for name, pipe in nlp.pipeline:
        cost = cost_of(pipe.model) if isinstance(getattr(pipe, "model", None), Model) else Cost()
        took = seconds_of(lambda pipe=pipe: run(pipe, docs))
        show(name, cost, took / n_tokens, per_second, bytes_per_second, n_tokens / len(batches))


def run(pipe: Any, batches: list[list[Doc]]) -> None:
    for number, batch in enumerate(batches):
        batches[number] = list(pipe.pipe(batch, batch_size=len(batch)))


def show(name: str, cost: Cost, took: float, per_second: float, bytes_per_second: float, tokens: float) -> None:
    moved = cost.bytes + cost.weights / tokens
    least = max(cost.operations / per_second, moved / bytes_per_second)
    ratio = f"{took / least:.1f}" if least else "–"
    typer.echo(f"| {name} | {cost.operations:,.0f} | {moved:,.0f} | {1e6 * least:.2f} | {1e6 * took:.2f} | {ratio} |")


def cost_of(model: Model) -> Cost:
    cost = Cost()
    for node in model.walk():
        if "W" in node.param_names and node.get_param("W").ndim == 2:
            outputs, inputs = node.get_param("W").shape
            cost.add(inputs, outputs)
        elif "E" in node.param_names:  # of a hashed embedding: four rows are summed
            width = node.get_param("E").shape[1]
            cost.operations += 4 * width
            cost.bytes += FLOAT * 5 * width
        elif "transitions" in node.param_names:  # best scores of all pairs of labels
            labels = node.get_param("transitions").shape[0]
            cost.operations += 2 * labels**2
            cost.bytes += FLOAT * 2 * labels
        for shim in (shim for shim in node.shims if isinstance(shim, TorchShim)):
            for inputs, outputs in products(shim.module):
                cost.add(inputs, outputs)
    return cost


def products(module: nn.Module) -> Iterator[tuple[int, int]]:
    for part in module.modules():
        if isinstance(part, nn.LSTM):
            for name, weight in part.named_parameters():
                if "weight" in name:
                    yield weight.shape[1], weight.shape[0]
        elif isinstance(part, nn.Linear):
            yield part.in_features, part.out_features


def rate_of_products(size: int = 1024, rounds: int = 8) -> float:
    """Operations a second."""
    a, b = (np.ones((size, size), dtype=np.float32) for _ in range(2))
    return max(2 * size**3 / seconds_of(lambda: a @ b) for _ in range(rounds))


def rate_of_copies(size: int = 64 * 2**20, rounds: int = 8) -> float:
    """Bytes a second, read and written."""
    a, b = np.ones(size, dtype=np.uint8), np.zeros(size, dtype=np.uint8)
    return max(2 * size / seconds_of(lambda: np.copyto(b, a)) for _ in range(rounds))


def seconds_of(call: Callable[[], object]) -> float:
    start = process_time()
    call()
    return process_time() - start


if __name__ == "__main__":
    typer.run(main)
