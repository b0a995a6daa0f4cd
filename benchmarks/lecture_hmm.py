"""The two matrices of a hidden Markov model: transitions as a picture, a few rows of the words' probabilities as a table.

python -m spacy train configs/hmm.cfg --output training/hmm
python -m benchmarks.lecture_hmm training/hmm/model-best so like lol 2nite Lisbon --picture docs/images/lecture-hmm.png
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import numpy as np
import spacy
import typer

from spacy_bilstm_tagger.pipeline.hmm.tagger import END, START, HMMTagger

if TYPE_CHECKING:
    from pandas import DataFrame

LEAST = 0.05  # probabilities below this have no number in the picture, and no place in the table


def main(
    pipeline: Annotated[str, typer.Argument(help="A pipeline whose `tagger` is an `hmm_tagger`.")],
    words: Annotated[list[str], typer.Argument(help="The words of the table.")],
    picture: Annotated[Optional[Path], typer.Option(help="A PNG for the transitions.")] = None,
    tags: Annotated[int, typer.Option(help="How many tags to draw, the most frequent ones.")] = 15,
) -> None:
    tagger = spacy.load(pipeline).get_pipe("tagger")
    assert isinstance(tagger, HMMTagger)
    print("| word | P(tag given word), those of at least 0.05 |\n|---|---|")
    for word, probs in tagger.emission_table(words).iterrows():
        likely = probs[probs >= LEAST].sort_values(ascending=False)
        print(f"| {word} | {', '.join(f'{tag} {prob:.2f}' for tag, prob in likely.items())} |")
    if picture:
        draw(frequent(tagger, tags), picture)


def frequent(tagger: HMMTagger, n: int) -> "DataFrame":
    """Transitions between the n most frequent tags; texts begin in the first row and end in the last column."""
    counts = tagger.model.attrs["hmm"].counts.tags
    names = [tagger.labels[i] for i in np.argsort(-counts, kind="stable")[:n]]
    return tagger.transition_table().loc[[START, *names], [*names, END]]


def draw(table: "DataFrame", picture: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.2, 7.4), layout="constrained")
    axes.imshow(table.to_numpy(), cmap="Blues", vmin=0, vmax=0.6)
    axes.set_xticks(range(len(table.columns)), table.columns, rotation=90, fontsize=13)
    axes.set_yticks(range(len(table.index)), table.index, fontsize=13)
    axes.set_title("P(tag | the tag before), in percent", fontsize=14)
    axes.set_xlabel("tag", fontsize=14)
    axes.set_ylabel("the tag before", fontsize=14)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(table.to_numpy()):
        if value >= LEAST:
            color = "white" if value > 0.35 else "black"
            axes.text(column, row, f"{100 * value:.0f}", ha="center", va="center", color=color, fontsize=13)
    figure.savefig(picture, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    typer.run(main)
