"""Which layer of a transformer tells most about words alone, and print a Markdown table.

The lower-cased word types of an annotated corpus are encoded one by one and reduced by PCA, as `spacy-bilstm vectors
distill` does. For each layer, a linear map is fitted by ridge regression to the most frequent tag of four fifths of the
word types; the table has its accuracy on the others, in turn. Give training data only.

    python benchmarks/distill_layers.py MODEL_DIR EWT.conllu assets/ritter/train
"""

from collections import Counter, defaultdict
from pathlib import Path
from time import process_time
from typing import Annotated

import numpy as np
import typer

from spacy_bilstm_tagger.corpus import read_corpus
from spacy_bilstm_tagger.lexicon.distill import fit_distiller, word_type

FOLDS = 5
WIDTHS = (64, 128, 256)


def main(
    model_dir: Annotated[Path, typer.Argument(metavar="MODEL_DIR")],
    corpora: Annotated[list[Path], typer.Argument(metavar="CORPUS...", help="With tags, or else entities.")],
    layers: Annotated[int, typer.Option(min=1, help="How many the model has.")] = 6,
    seed: int = 0,
) -> None:
    words, tags = _most_frequent_tags(corpora)
    n_tags = len(set(tags))
    typer.echo(f"{len(words):,} word types, {n_tags} tags; the most frequent tag: {Counter(tags).most_common(1)}\n")
    folds = np.random.default_rng(seed).integers(FOLDS, size=len(words))
    typer.echo(f"| layer | {' | '.join(f'dim {dim}' for dim in WIDTHS)} | seconds of one core |")
    typer.echo("|---|" + "---|" * len(WIDTHS) + "---|")
    for layer in range(1, layers + 1):
        start = process_time()
        _, rows = fit_distiller(model_dir, words, dim=max(WIDTHS), layer=layer)
        seconds = process_time() - start
        # The components are in order, so the first of them are the narrower tables.
        scores = [_accuracy(rows[:, :dim], np.array(tags), folds) for dim in WIDTHS]
        typer.echo(f"| {layer} | {' | '.join(f'{100 * score:.1f}' for score in scores)} | {seconds:.0f} |")


def _most_frequent_tags(corpora: list[Path]) -> tuple[list[str], list[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for path in corpora:
        for text in read_corpus(path, conllu_tags="xpos")[1]:
            tags = text.tags or [tag.removeprefix("B-").removeprefix("I-") for tag in text.ents or []]
            for word, tag in zip(text.words, tags):
                counts[word_type(word)][tag] += 1
    words = sorted(counts)
    return words, [counts[word].most_common(1)[0][0] for word in words]


def _accuracy(rows: np.ndarray, tags: np.ndarray, folds: np.ndarray) -> float:
    X = np.hstack([rows, np.ones((len(rows), 1))])
    names, gold = np.unique(tags, return_inverse=True)
    Y = np.eye(len(names))[gold]
    n_right = 0
    for fold in range(FOLDS):
        train = folds != fold
        weights = np.linalg.solve(X[train].T @ X[train] + np.eye(X.shape[1]), X[train].T @ Y[train])
        n_right += int(((X[~train] @ weights).argmax(axis=1) == gold[~train]).sum())
    return n_right / len(rows)


if __name__ == "__main__":
    typer.run(main)
