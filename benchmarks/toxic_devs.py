"""Toxic spans of pipelines on two dev corpora, and how many ordinary texts have any:
python -m benchmarks.toxic_devs TRIAL RATERS TEXTS PIPELINE...

The pipelines are seeds of one recipe: each figure is the mean over them, with its standard deviation.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import spacy
import typer
from spacy.training import Corpus, Example

from spacy_bilstm_tagger.corpus.raw import read_raw_texts
from spacy_bilstm_tagger.scoring.spans import spans_score

from .entity_devs import cell

KEY = "toxic"
COLUMNS = {
    "character F1": f"spans_{KEY}_char_f",
    "posts with spans": f"spans_{KEY}_char_f_gold",
    "posts without": f"spans_{KEY}_char_f_nogold",
}


def main(
    trial: Annotated[Path, typer.Argument(help="The trial part, .spacy.")],
    raters: Annotated[Path, typer.Argument(help="A part of the raters' own posts, .spacy.")],
    texts: Annotated[Path, typer.Argument(help="Ordinary texts, one a line.")],
    pipelines: Annotated[list[Path], typer.Argument(metavar="PIPELINE...", help="Seeds of one recipe.")],
    limit: Annotated[int, typer.Option(help="Ordinary texts.")] = 2000,
) -> None:
    ordinary = read_raw_texts(texts)[:limit]
    parts = {"trial": trial, "raters": raters}
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in parts}
    marked, areas = [], {name: [] for name in parts}
    for pipeline in pipelines:
        nlp = spacy.load(pipeline)
        for name, path in parts.items():
            examples = list(Corpus(path)(nlp))
            for example, doc in zip(examples, nlp.pipe([example.predicted for example in examples], batch_size=256)):
                example.predicted = doc
            scores[name].append(spans_score(examples, spans_key=KEY))
            areas[name].append(100 * _area(examples))
        marked.append(100 * sum(bool(doc.spans[KEY]) for doc in nlp.pipe(ordinary)) / len(ordinary))
    typer.echo(f"{len(pipelines)} pipeline(s), percent\n\n| | {' | '.join(COLUMNS)} |\n|---|---|---|---|")
    for name, found in scores.items():
        cells = (cell([100 * each[column] for each in found]) for column in COLUMNS.values())
        typer.echo(f"| {name} | {' | '.join(cells)} |")
    found = "; ".join(f"{name} {cell(values)}" for name, values in areas.items())
    typer.echo(f"\nP(any span) as a sign of gold spans, area under the ROC curve (chance is 50): {found}")
    typer.echo(f"Of {len(ordinary):,} ordinary texts, with anything marked: {cell(marked)}")


def _area(examples: list[Example]) -> float:
    """How often a post with gold spans has a higher P(any span) than one without; of equals half (Hanley and McNeil 1982)."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for example in examples:
        found[bool(example.reference.spans[KEY])].append(max(example.predicted.spans[KEY].attrs.get("any", {KEY: 0.0}).values()))
    with_spans, without = (np.array(found[has_spans]) for has_spans in (True, False))
    if not len(with_spans) or not len(without):
        return 0.5
    higher = with_spans[:, None] - without[None]
    return float((higher > 0).mean() + (higher == 0).mean() / 2)


if __name__ == "__main__":
    typer.run(main)
