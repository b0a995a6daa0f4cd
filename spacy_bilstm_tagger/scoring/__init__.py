"""Scores of tags, entities and spans, taken two ways: pooled over all tokens, and as the mean over texts."""

import warnings
from typing import Any, Iterable, Optional

from spacy.scorer import PRFScore

Scores = dict[str, Any]


def mean(values: Iterable[Optional[float]]) -> Optional[float]:
    """Of the values that are there; None if there are none."""
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present else None


def with_counts(score: PRFScore) -> Scores:
    """Precision, recall and F1 of a label, and "gold" and "found", how many there are."""
    return {**score.to_dict(), "gold": score.tp + score.fn, "found": score.tp + score.fp}


def warn_of_nothing(count: int, what: str, score: str) -> None:
    if not count:
        message = "Nothing to score: there is no text; expected a .spacy file that holds some (spacy-bilstm convert makes one)"
    else:
        message = (
            f"Nothing to score: none of the {count} texts has gold {what}, so there is no {score}, and spaCy's table "
            "shows 0.00 or a hyphen. Look whether this is the right file, and what was converted"
        )
    warnings.warn(message, stacklevel=3)
