"""Time and memory over 1,000 to a million tweets, read by `nlp.pipe` inside of memory zones, on one thread.

    OMP_NUM_THREADS=1 python -m benchmarks.growth en_tweet_sm TWEETS.txt --most 1000000 --plot growth.svg

The texts are read again and again, each time with other new words: every text gets a number behind a letter, so no vocabulary
is ever complete.
"""

from itertools import cycle, islice
from pathlib import Path
from time import process_time
from typing import Annotated, Iterator, Optional

import spacy
import torch
import typer

from spacy_bilstm_tagger.corpus.raw import read_raw_texts

ZONE = 1000  # texts of a memory zone


def main(
    model: Annotated[str, typer.Argument(help="A pipeline; blank for spaCy's own without any components.")],
    texts: Annotated[Path, typer.Argument(help="Raw texts, one a line.")],
    most: Annotated[int, typer.Option(min=ZONE, help="Texts in all.")] = 10**6,
    plot: Annotated[Optional[Path], typer.Option(help="A picture to write: .svg or .png.")] = None,
) -> None:
    torch.set_num_threads(1)
    nlp = spacy.blank("en") if model == "blank" else spacy.load(model)
    stream = numbered(read_raw_texts(texts))
    marks = sorted({most, *(mark for mark in (10**3, 10**4, 5 * 10**4, 10**5, 10**6) if mark < most)})
    rows: list[tuple[int, float, float]] = []
    typer.echo("| texts | seconds | texts a second | resident MB |\n|---|---|---|---|")
    done, start = 0, process_time()
    for mark in marks:
        while done < mark:
            with nlp.memory_zone():
                for _ in nlp.pipe(islice(stream, min(ZONE, mark - done)), batch_size=256):
                    done += 1
        rows.append((done, process_time() - start, resident()))
        typer.echo(f"| {done:,} | {rows[-1][1]:,.1f} | {done / rows[-1][1]:,.0f} | {rows[-1][2]:,.0f} |")
    if plot is not None:
        draw(rows, plot)


def numbered(texts: list[str]) -> Iterator[str]:
    return (f"{text} w{number}" for number, text in enumerate(cycle(texts)))


def resident() -> float:
    """Megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS:"))


def draw(rows: list[tuple[int, float, float]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    counts, seconds, megabytes = zip(*rows)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    left.loglog(counts, seconds, marker="o")
    left.set(xlabel="texts", ylabel="seconds")
    right.semilogx(counts, megabytes, marker="o")
    right.set(xlabel="texts", ylabel="resident MB", ylim=(0, None))
    figure.savefig(path)


if __name__ == "__main__":
    typer.run(main)
