"""Time the CRF against `pytorch-crf` and print a Markdown table.

Random emissions in single precision, all texts of one length. Both sides do the same in turn, round after round, in
one process: the loss with the gradients of all scores, and the best label sequences as Python lists.

    python -m benchmarks.crf_speed --threads 1
"""

from statistics import median
from typing import Annotated

import torch
import torchcrf
import typer

from benchmarks.timing import in_turn
from spacy_bilstm_tagger.crf.inference import ChainScores, viterbi
from spacy_bilstm_tagger.crf.loss import negative_log_likelihood


def main(
    texts: Annotated[int, typer.Option(min=1)] = 256,
    tokens: Annotated[int, typer.Option(min=1, help="Tokens of each text.")] = 40,
    labels: Annotated[int, typer.Option(min=1)] = 21,
    rounds: Annotated[int, typer.Option(min=1)] = 30,
    threads: Annotated[int, typer.Option(min=1)] = 1,
    seed: int = 0,
) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    theirs = torchcrf.CRF(labels, batch_first=True)
    chain = [score.detach() for score in (theirs.transitions, theirs.start_transitions, theirs.end_transitions)]
    emissions = torch.randn(texts, tokens, labels)
    gold = torch.randint(labels, (texts, tokens))
    flat, lengths = emissions.flatten(0, 1), [tokens] * texts
    allowed = torch.nn.functional.one_hot(gold.flatten(), labels).bool()

    def our_loss() -> float:
        loss, _ = negative_log_likelihood(ChainScores(flat, lengths, *chain), allowed)
        return float(loss.sum())

    def their_loss() -> float:
        theirs.zero_grad()
        scores = emissions.clone().requires_grad_()
        loss = -theirs(scores, gold)
        loss.backward()
        return float(loss.detach())

    def our_decode() -> list[list[int]]:
        return viterbi(ChainScores(flat, lengths, *chain)).view(texts, tokens).tolist()

    def their_decode() -> list[list[int]]:
        return theirs.decode(emissions)

    typer.echo(f"{texts} texts of {tokens} tokens, {labels} labels, torch {torch.__version__}, threads: {threads}\n")
    typer.echo("| | ours, ms: median (minimum) | pytorch-crf, ms: median (minimum) | ratio of the medians |")
    typer.echo("|---|---|---|---|")
    for name, ours, other in [("loss + gradient", our_loss, their_loss), ("decode", our_decode, their_decode)]:
        fast, slow = in_turn({"ours": ours, "theirs": other}, rounds, threads=threads).values()
        typer.echo(f"| {name} | {summary(fast)} | {summary(slow)} | {median(slow) / median(fast):.1f} |")


def summary(times: list[float]) -> str:
    return f"{1000 * median(times):.2f} ({1000 * min(times):.2f})"


if __name__ == "__main__":
    typer.run(main)
