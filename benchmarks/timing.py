"""Compare the speed of several things in rounds in which they take turns."""

from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Callable, Mapping

import spacy
from spacy.training import Corpus


def in_turn(calls: Mapping[str, Callable[[], object]], rounds: int, *, threads: int = 1) -> dict[str, list[float]]:
    """Seconds of each call in each round, after a round that is not counted. On one thread it is the processor's time,
    in which other programs do not count; on more, the clock's."""
    clock = process_time if threads == 1 else perf_counter
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            start = clock()
            call()
            if turn:
                times[name].append(clock() - start)
    return times


def speed_ratio(times: list[float], base: list[float]) -> float:
    """How many times as fast as the base. Both are slow and fast in the same rounds, so the median of the rounds' ratios
    is steadier than the ratio of the medians."""
    return median(other / own for own, other in zip(times, base))


def read_texts(corpus: Path) -> tuple[list[str], int]:
    """The texts of a .spacy file, and the number of its tokens; these are joined by spaces where it has no raw text."""
    docs = [example.reference for example in Corpus(corpus, gold_preproc=True)(spacy.blank("xx"))]
    return [doc.text for doc in docs], sum(map(len, docs))
