"""Entity F1 of pipelines on several dev corpora, and the mean of these: python -m benchmarks.entity_devs DEV_FOLDER PIPELINE...

The pipelines are seeds of one recipe: each figure is the mean over them, with its standard deviation.
"""

from pathlib import Path
from statistics import mean, stdev
from typing import Annotated

import spacy
import typer
from spacy.training import Corpus

from spacy_bilstm_tagger.scoring.entities import ner_prf

PARTS = ("ents_p", "ents_r", "ents_f")


def main(
    devs: Annotated[Path, typer.Argument(metavar="DEV_FOLDER", help="A folder of .spacy files, one a corpus.")],
    pipelines: Annotated[list[Path], typer.Argument(metavar="PIPELINE...", help="Seeds of one recipe.")],
) -> None:
    found = {path.stem: [_score(pipeline, path) for pipeline in pipelines] for path in sorted(devs.glob("*.spacy"))}
    found["mean"] = [{part: mean(scores[i][part] for scores in found.values()) for part in PARTS} for i in range(len(pipelines))]
    typer.echo(f"{len(pipelines)} pipeline(s), percent\n\n| dev | precision | recall | F1 |\n|---|---|---|---|")
    for name, scores in found.items():
        cells = (cell([100 * score[part] for score in scores]) for part in PARTS)
        typer.echo(f"| {name} | {' | '.join(cells)} |")


def _score(pipeline: Path, dev: Path) -> dict[str, float]:
    nlp = spacy.load(pipeline)
    examples = list(Corpus(dev)(nlp))
    for example, doc in zip(examples, nlp.pipe([example.predicted for example in examples], batch_size=256)):
        example.predicted = doc
    scores = ner_prf(examples)
    return {part: scores[part] or 0.0 for part in PARTS}


def cell(values: list[float]) -> str:
    return f"{mean(values):.1f} ± {stdev(values):.1f}" if len(values) > 1 else f"{values[0]:.1f}"


if __name__ == "__main__":
    typer.run(main)
