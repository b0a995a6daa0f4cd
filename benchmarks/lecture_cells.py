"""The cells of the lecture's network side by side, with and without clipping of gradients, and with skip connections.

    python -m benchmarks.lecture_cells corpus/ritter/train.spacy corpus/ritter/dev.spacy vectors/glove training/cells \
        --picture docs/images/lecture-cells.png

Each training is `configs/lecture.cfg` with other settings of its encoder and optimizer, half a minute on one thread. The
curves are those of the training's log, the scores of the table those of the last weights. A training that is in the
folder already is not repeated.
"""

import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, stdev
from typing import Annotated, Any, Optional

import spacy
import srsly
import typer
from spacy.training import Corpus
from spacy.training.initialize import init_nlp
from spacy.util import load_config, minibatch

from spacy_bilstm_tagger.report.training_log import read_log

from .plan import PROJECT

CLIPS, SKIPS = (0.0, 1.0), (False, True)
# The colours of Okabe and Ito, which colour-blind people can tell apart; dashes and marks differ too.
STYLES = {
    "LSTM": {"color": "#0072B2", "marker": "o"},
    "GRU": {"color": "#E69F00", "marker": "s", "linestyle": "--"},
    "RNN, tanh": {"color": "#009E73", "marker": "^", "linestyle": "-."},
    "RNN, ReLU": {"color": "#CC79A7", "marker": "D", "linestyle": ":"},
    "identity RNN": {"color": "#000000", "marker": "x", "linestyle": (0, (5, 1, 1, 1, 1, 1))},
}


@dataclass(frozen=True)
class Cell:
    """A kind of recurrent layer, and how its weights begin."""

    title: str
    cell: str
    initialization: str = "torch"


CELLS = (
    Cell("LSTM", "lstm"),
    Cell("GRU", "gru"),
    Cell("RNN, tanh", "rnn_tanh"),
    Cell("RNN, ReLU", "rnn_relu"),
    Cell("identity RNN", "rnn_relu", "orthogonal"),  # for this cell: recurrent weights of an identity matrix
)


@dataclass(frozen=True)
class Variant:
    cell: Cell
    clip: float
    skip: bool

    @property
    def name(self) -> str:
        return f"{self.cell.cell}-{self.cell.initialization}-clip{self.clip:g}{'-skip' if self.skip else ''}"

    def settings(self) -> dict[str, Any]:
        encode = "components.tagger.model.tok2vec.encode"
        return {
            f"{encode}.cell": self.cell.cell,
            f"{encode}.initialization": self.cell.initialization,
            f"{encode}.residual": self.skip,
            "training.optimizer.grad_clip": self.clip,
        }


def main(
    train: Annotated[Path, typer.Argument(help="T-POS, train, as .spacy.")],
    dev: Annotated[Path, typer.Argument(help="T-POS, dev, as .spacy.")],
    vectors: Annotated[Path, typer.Argument(help="A file of vectors, or a folder of `spacy-bilstm vectors`.")],
    output: Annotated[Path, typer.Argument(help="Folder for the trainings.")],
    picture: Annotated[Optional[Path], typer.Option(help="A PNG for the curves.")] = None,
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    recipe: Annotated[Path, typer.Option(help="The config.")] = PROJECT / "configs" / "lecture.cfg",
    norms: Annotated[bool, typer.Option("--norms", help="Print the gradients of the first epoch, and train nothing.")] = False,
) -> None:
    paths = {"paths.train": str(train), "paths.dev": str(dev), "paths.vectors": str(vectors)}
    if norms:
        for cell in CELLS:
            print(f"{cell.title}: {gradients(recipe, {**paths, **Variant(cell, 0.0, False).settings()}, train)}")
        return
    variants = [Variant(cell, clip, skip) for skip in SKIPS for clip in CLIPS for cell in CELLS]
    runs: dict[Variant, list[dict[str, Any]]] = {variant: [] for variant in variants}
    for seed in range(seeds):  # all of one seed first: a run that is stopped has whole tables
        for variant in variants:
            settings = {**paths, **variant.settings(), "system.seed": seed}
            runs[variant].append(run(recipe, settings, output / variant.name / str(seed), dev))
    typer.echo(table(runs))
    if picture:
        draw(runs, picture)


def run(recipe: Path, settings: dict[str, Any], folder: Path, dev: Path) -> dict[str, Any]:
    """The score of the last weights, the number of recurrent weights, the seconds and the curve: (epoch, score) pairs."""
    result = folder / "result.json"
    if not result.exists():
        log = folder / "log.jsonl"
        command = [
            sys.executable,
            "-m",
            "spacy",
            "train",
            str(recipe),
            "--output",
            str(folder),
            "--paths.log",
            str(log),
        ]
        for name, value in settings.items():
            command += [f"--{name}", str(value).lower() if isinstance(value, bool) else str(value)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise typer.BadParameter(done.stdout[-2000:] + done.stderr[-2000:])
        nlp = spacy.load(folder / "model-last")
        score = nlp.evaluate(list(Corpus(dev)(nlp)))["tag_acc"]
        encoder = nlp.get_pipe("tagger").model.get_ref("tok2vec").get_ref("encode").shims[0].module
        lines = read_log(log)
        steps = [[line["step"], line["score"]] for line in lines]
        found = {
            "score": score,
            "weights": sum(weight.numel() for weight in encoder.parameters()),
            "seconds": lines[-1]["seconds"],
            "steps": steps,
        }
        srsly.write_json(result, found)
    return dict(srsly.read_json(result))


def gradients(recipe: Path, overrides: dict[str, Any], train: Path) -> str:
    """The norm of the largest gradient of a recurrent weight matrix or bias, over the batches of the first epoch."""
    nlp = init_nlp(load_config(recipe, overrides=overrides))
    examples = list(Corpus(train)(nlp))
    random.Random(0).shuffle(examples)
    optimizer, tagger = nlp.create_optimizer(), nlp.get_pipe("tagger")
    optimizer.learn_rate, optimizer.grad_clip = 0.001, 0.0
    encoder = tagger.model.get_ref("tok2vec").get_ref("encode").shims[0].module
    norms = []
    for batch in minibatch(examples, 10):
        nlp.update(batch, drop=0.1, sgd=False)  # the gradients only
        norms.append(max(weight.grad.norm().item() for weight in encoder.parameters()))
        tagger.finish_update(optimizer)
    return f"median {median(norms):.2f}, largest {max(norms):.2f}"


def table(runs: dict[Variant, list[dict[str, Any]]]) -> str:
    heads = [", ".join(["skip"] * skip + [f"clip {clip:g}"] * (clip > 0)) or "plain" for skip in SKIPS for clip in CLIPS]
    lines = [f"| cell | recurrent weights | {' | '.join(heads)} |", f"|---|{'---|' * (1 + len(heads))}"]
    for cell in CELLS:
        columns = [runs[Variant(cell, clip, skip)] for skip in SKIPS for clip in CLIPS]
        weights = columns[0][0]["weights"]
        lines.append(f"| {cell.title} | {weights:,} | {' | '.join(map(cell_text, columns))} |")
    return "\n".join(lines)


def cell_text(results: list[dict[str, Any]]) -> str:
    scores = [100 * result["score"] for result in results]
    return f"{mean(scores):.1f}" + (f"±{stdev(scores):.1f}" if len(scores) > 1 else "")


def draw(runs: dict[Variant, list[dict[str, Any]]], picture: Path) -> None:
    """One panel without clipping, one with; no skip connections. Lines are means over the seeds, areas their range."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    plt.rcParams.update({"font.size": 13, "axes.spines.top": False, "axes.spines.right": False})
    figure, panels = plt.subplots(len(CLIPS), 1, figsize=(5.6, 8.4), sharex=True, sharey=True, layout="constrained")
    for panel, clip in zip(panels, CLIPS):
        for cell in CELLS:
            curves = [result["steps"] for result in runs[Variant(cell, clip, False)]]
            steps = [step for step, _ in curves[0]]
            scores = [[100 * (score or 0.0) for _, score in curve] for curve in curves]
            at_step = list(zip(*scores))
            panel.fill_between(
                steps,
                list(map(min, at_step)),
                list(map(max, at_step)),
                color=STYLES[cell.title]["color"],
                alpha=0.15,
                lw=0,
            )
            panel.plot(steps, list(map(mean, at_step)), label=cell.title, markevery=3, markersize=6, **STYLES[cell.title])
        panel.set_title(f"gradient clipped to a norm of {clip:g}" if clip else "gradient not clipped", fontsize=13)
        panel.set_ylabel("tag accuracy on dev, %")
        panel.set_ylim(0, 100)
        panel.grid(axis="y", color="#dddddd", lw=0.8)
    panels[-1].set_xlabel("step (a batch of 10 tweets)")
    panels[-1].legend(loc="lower right", frameon=False)
    figure.savefig(picture, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    typer.run(main)
