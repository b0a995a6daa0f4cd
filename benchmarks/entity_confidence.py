"""How much the probabilities of `bilstm_ner` mean, and what its threshold buys; as Markdown, and as a plot.

    python -m benchmarks.entity_confidence corpus/wnut17/dev.spacy training/wnut17/model-best --plot reliability.png

Several pipelines, such as those of several seeds, are pooled, but for the calibration error (calibration.py). Few
entities a bin make it large by chance alone: what a perfect pipeline with the same probabilities would have is printed
too.
"""

from pathlib import Path
from typing import Annotated, Optional

import numpy as np
import spacy
import typer
from spacy.language import Language
from spacy.training import Corpus, Example

from benchmarks.calibration import N_BINS, bins, calibration_error, probabilities_and_right

THRESHOLDS = (None, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def main(
    data: Path,
    models: list[Path],
    component: Annotated[str, typer.Option(help="Name of the bilstm_ner component.")] = "ner",
    plot: Annotated[Optional[Path], typer.Option(help="Draw reliability and precision/recall into this file.")] = None,
) -> None:
    each: dict[Optional[float], list[np.ndarray]] = {threshold: [] for threshold in THRESHOLDS}
    n_gold = 0
    own: Optional[float] = None
    for model in models:
        nlp = spacy.load(model)
        examples = list(Corpus(data)(nlp))
        n_gold += sum(len(example.reference.ents) for example in examples)
        own = nlp.get_pipe(component).threshold  # type: ignore[attr-defined]
        for threshold, found in each.items():
            found.append(score(nlp, component, examples, threshold))
    results = {threshold: np.concatenate(found) for threshold, found in each.items()}
    typer.echo("| threshold | entities | precision | recall | F1 | calibration error of each | mean |")
    typer.echo("|---|---|---|---|---|---|---|")
    for threshold, found in results.items():
        precision, recall = found[:, 1].mean(), found[:, 1].sum() / n_gold
        f1 = 2 * precision * recall / (precision + recall)
        name = "best sequence" if threshold is None else f"{threshold}"
        numbers = " | ".join(f"{100 * value:.1f}" for value in (precision, recall, f1))
        errors = [calibration_error(part) for part in each[threshold]]
        listed = ", ".join(f"{error:.3f}" for error in errors)
        marked = f"{name} (as trained)" if threshold == own else name
        typer.echo(f"| {marked} | {len(found)} | {numbers} | {listed} | {np.mean(errors):.3f} |")
    floor = np.mean([chance_error(part[:, 0]) for part in each[own]])
    typer.echo(f"\nBy chance alone, with the probabilities as trained: {floor:.3f}")
    typer.echo("\n| probability | entities | mean probability | right |\n|---|---|---|---|")
    for low, part in bins(results[own]):
        mean, right = part.mean(axis=0)
        typer.echo(f"| {low:.1f} to {low + 1 / N_BINS:.1f} | {len(part)} | {mean:.3f} | {right:.3f} |")
    if plot is not None:
        draw(plot, results, own, n_gold)


def score(nlp: Language, component: str, examples: list[Example], threshold: Optional[float]) -> np.ndarray:
    """(entities found, 2): the probability of each, and whether it is right."""
    pipe = nlp.get_pipe(component)
    pipe.threshold = threshold  # type: ignore[attr-defined]
    docs = nlp.pipe([example.predicted.copy() for example in examples])
    scored = [Example(doc, example.reference) for doc, example in zip(docs, examples)]
    return probabilities_and_right(scored, pipe.cfg["spans_key"])  # type: ignore[attr-defined]


def chance_error(probabilities: np.ndarray, draws: int = 1000) -> float:
    """The mean calibration error where each entity is right with exactly its probability."""
    random = np.random.default_rng(0)
    right = random.random((draws, len(probabilities))) < probabilities
    return float(np.mean([calibration_error(np.stack([probabilities, row], axis=1)) for row in right]))


def draw(path: Path, results: dict[Optional[float], np.ndarray], own: Optional[float], n_gold: int) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
    points = np.array([part.mean(axis=0) for _, part in bins(results[own])])
    left.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    left.plot(points[:, 0], points[:, 1], marker="o")
    left.set(xlabel="probability given", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1), title="Reliability")
    curve = [(found[:, 1].sum() / n_gold, found[:, 1].mean(), t) for t, found in results.items() if t is not None]
    right.plot([recall for recall, _, _ in curve], [precision for _, precision, _ in curve], marker="o")
    for recall, precision, threshold in curve:
        right.annotate(f"{threshold}", (recall, precision), textcoords="offset points", xytext=(5, 4), fontsize=8)
    right.set(xlabel="recall", ylabel="precision", xlim=(0, None), ylim=(0, 1), title="By threshold")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    typer.run(main)
