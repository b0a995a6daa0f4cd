"""Numbers from findings: scores with intervals, errors by kind, calibration, and what another pipeline does better."""

import math
from collections import Counter, defaultdict
from typing import Any, Callable, Iterable, NamedTuple, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from ..types import Ints
from .cases import Case
from .findings import Findings
from .probabilities import THRESHOLDS

RESAMPLES = 2000
CONFIDENCE = 0.95
PERMUTATIONS = 5000
BINS = 10
SEED = 0  # of drawing by lot: the same report for the same files
NONE = "—"  # in the place of a label
Counts = NDArray[np.int64]  # right, wrongly found, missed


def prf(counts: Sequence[int]) -> dict[str, Optional[float]]:
    """Precision, recall and F1 of right, wrongly found and missed labels; None where there is nothing to divide by."""
    tp, fp, fn = (int(count) for count in counts)
    return {"p": _share(tp, tp + fp), "r": _share(tp, tp + fn), "f": _share(2 * tp, 2 * tp + fp + fn)}


def _share(part: float, whole: float) -> Optional[float]:
    return part / whole if whole else None


def main_score(findings: Findings) -> dict[str, Any]:
    """ "value", "low" and "high": the main score and its interval, the percentile bootstrap over texts (Efron and Tibshirani
    1993, "An introduction to the bootstrap", chapter 13): texts are drawn with replacement, RESAMPLES times. None for a single
    text, and where all are right or all wrong, of which drawing tells nothing."""
    from scipy.stats import bootstrap

    n, statistic = len(findings.texts), _score_of(_rows(findings))
    score = {"name": findings.target.score, "value": _number(float(statistic(np.arange(n)[None])[0]))}
    if n < 2:
        return {**score, "low": None, "high": None}
    result = bootstrap(
        (np.arange(n),),
        lambda index, axis: statistic(index),
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=_batch(n),
        confidence_level=CONFIDENCE,
        method="percentile",
        random_state=np.random.default_rng(SEED),
    )
    low, high = map(_number, result.confidence_interval)
    is_known = low != high
    return {**score, "low": low if is_known else None, "high": high if is_known else None}


def compare(ours: Findings, theirs: Findings) -> dict[str, Any]:
    """The difference of two pipelines on the same texts, ours minus theirs, and how probable one at least as large would be
    if it did not matter which is which: approximate randomisation over texts (Noreen 1989, "Computer-intensive methods for
    testing hypotheses"; Yeh 2000, "More accurate tests for the statistical significance of result differences").

    "better", "worse" (list of int): texts with fewer and more errors, most of them first.
    RAISES: ValueError if their texts are not the same.
    """
    from scipy.stats import permutation_test

    if ours.texts != theirs.texts or ours.target.kind != theirs.target.kind:
        raise ValueError(f"{ours.target.attr}: the two pipelines have gold for other texts")
    n = len(ours.texts)
    both = _score_of(np.concatenate([_rows(ours), _rows(theirs)]))
    one, other = np.arange(n), np.arange(n) + n
    p_value: Optional[float] = None
    if n > 1:
        result = permutation_test(
            (one, other),
            lambda one, other, axis: both(one) - both(other),
            permutation_type="samples",
            vectorized=True,
            n_resamples=PERMUTATIONS,
            batch=_batch(n),
            random_state=np.random.default_rng(SEED),
        )
        p_value = _number(float(result.pvalue))
    gains = [_errors(theirs, i) - _errors(ours, i) for i in range(n)]
    order = sorted(range(n), key=lambda i: -abs(gains[i]))
    return {
        "score": main_score(theirs),
        "difference": _number(float((both(one[None]) - both(other[None]))[0])),
        "p_value": p_value,
        "better": [ours.texts[i] for i in order if gains[i] > 0],
        "worse": [ours.texts[i] for i in order if gains[i] < 0],
    }


def _errors(findings: Findings, i: int) -> float:
    if findings.values:
        return 1 - findings.values[i]
    _, fp, fn = findings.counts[i]
    return max(fp, fn) if findings.target.kind == "tokens" else fp + fn


def _rows(findings: Findings) -> NDArray:
    return np.array(findings.values or findings.counts, dtype=np.float64)


def _score_of(rows: NDArray) -> Callable[[Ints], NDArray[np.float64]]:
    """From numbers of texts, (samples, texts), to the main score of each sample."""

    def score(index: Ints) -> NDArray[np.float64]:
        if rows.ndim == 1:
            means: NDArray[np.float64] = rows[index].mean(axis=-1)
            return means
        tp, fp, fn = np.moveaxis(rows[index].sum(axis=-2), -1, 0)
        whole = 2 * tp + fp + fn
        return np.divide(2 * tp, whole, out=np.zeros_like(whole), where=whole > 0)

    return score


def _batch(n: int) -> int:
    """Samples that are looked at at once, for memory."""
    return max(1, 2_000_000 // max(n, 1))


def per_label(findings: Findings) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support (labels in the gold) of each label, as the scorer counts them."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    counts.update(findings.by_label)
    for case in findings.cases if not counts else ():
        if case.outcome == "right":
            counts[case.found][0] += 1
            continue
        if case.found:
            counts[case.found][1] += 1
        if case.gold:
            counts[case.gold][2] += 1
    rows = []
    for label, (tp, fp, fn) in sorted(counts.items(), key=lambda pair: (-pair[1][0] - pair[1][2], pair[0])):
        rows.append({"label": label, **prf((tp, fp, fn)), "support": tp + fn, "found": tp + fp})
    return rows


def confusion(findings: Findings) -> dict[str, Any]:
    """ "gold" and "found", names of rows and columns, and "counts". A span with other boundaries counts for its label, as far
    as it shares a token; NONE: nothing there."""
    pairs = Counter((case.gold or NONE, case.found or NONE) for case in findings.cases)
    frequent = Counter(label for pair, count in pairs.items() for label in pair for _ in range(count))
    labels = [label for label, _ in frequent.most_common() if label != NONE] + [NONE] * (NONE in frequent)
    gold = [label for label in labels if any(row == label for row, _ in pairs)]
    found = [label for label in labels if any(column == label for _, column in pairs)]
    return {"gold": gold, "found": found, "counts": [[pairs[row, column] for column in found] for row in gold]}


def nervaluate_classes(findings: Findings) -> dict[str, dict[str, Any]]:
    """The counts and scores of nervaluate (Segura-Bedmar et al. 2013, "SemEval-2013 task 9", section 4): strict, exact, partial
    and type. A gold span of one of several types has that which was found, if it is one of them."""
    from nervaluate import Evaluator

    gold: dict[int, list[dict[str, Any]]] = {text: [] for text in findings.texts}
    found: dict[int, list[dict[str, Any]]] = {text: [] for text in findings.texts}
    for case in findings.cases:
        label = case.found if case.outcome in ("right", "boundary") else case.gold
        if case.gold:
            gold[case.text].append({"label": label, "start": case.start, "end": case.end - 1})
        if case.found:
            found[case.text].append({"label": case.found, "start": case.found_start, "end": case.found_end - 1})
    labels = sorted({each["label"] for spans in (*gold.values(), *found.values()) for each in spans})
    ordered = [[sorted(spans[text], key=lambda span: span["start"]) for text in findings.texts] for spans in (gold, found)]
    result = Evaluator(*ordered, tags=labels, loader="dict").evaluate()["overall"]
    kept = ("correct", "incorrect", "partial", "missed", "spurious", "precision", "recall", "f1")
    return {name: {key: getattr(result[name], key) for key in kept} for name in ("strict", "exact", "partial", "ent_type")}


def group_by(cases: Iterable[Case], key: Callable[[Case], str], order: Sequence[str] = ()) -> list[dict[str, Any]]:
    """A row for each group: labels in the gold and found, precision, recall, F1. order: names that come first."""
    groups: dict[str, list[Case]] = {name: [] for name in order}
    for case in cases:
        groups.setdefault(key(case), []).append(case)
    rows = []
    for name, inside in ((name, inside) for name, inside in groups.items() if inside):
        right = sum(case.outcome == "right" for case in inside)
        gold, found = sum(bool(case.gold) for case in inside), sum(bool(case.found) for case in inside)
        rows.append({"name": name, "gold": gold, "found": found, **prf((right, found - right, gold - right))})
    return rows if order else sorted(rows, key=lambda row: -row["gold"])


def calibration(findings: Findings) -> Optional[dict[str, Any]]:
    """How far the probabilities of what was found can be trusted: bins of equal width, and the expected calibration error,
    the mean difference between probability and share of right ones (Guo et al. 2017, "On calibration of modern neural
    networks"). None where there are no probabilities."""
    judged = [case for case in findings.cases if case.found and not math.isnan(case.probability)]
    if not judged:
        return None
    p = np.array([case.probability for case in judged])
    right = np.array([case.outcome == "right" for case in judged])
    at = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    bins = []
    for number in np.unique(at):
        inside = at == number
        low, count = number / BINS, int(inside.sum())
        mean, share = float(p[inside].mean()), float(right[inside].mean())
        bins.append({"from": low, "to": low + 1 / BINS, "count": count, "probability": mean, "right": share})
    error = sum(row["count"] * abs(row["probability"] - row["right"]) for row in bins) / len(p)
    return {"error": error, "probability": float(p.mean()), "right": float(right.mean()), "bins": bins}


def threshold_curve(findings: Findings, step: float = 0.01) -> list[dict[str, float]]:
    """Precision, recall and F1 of what is at least as probable as a threshold, for each threshold; of spans, the means over texts
    of those of the characters."""
    if findings.by_threshold is not None:
        return [
            {"threshold": threshold, **dict(zip("prf", row))} for threshold, row in zip(THRESHOLDS, findings.by_threshold.tolist())
        ]
    n_gold = sum(bool(case.gold) for case in findings.cases)
    if not findings.candidates or not n_gold:
        return []
    p = np.array([p for p, _ in findings.candidates])
    right = np.array([is_right for _, is_right in findings.candidates])
    rows = []
    for threshold in np.arange(step, 1, step):
        kept = p >= threshold
        if kept.any():
            tp, n_found = int(right[kept].sum()), int(kept.sum())
            scores = prf((tp, n_found - tp, n_gold - tp))
            rows.append({"threshold": round(float(threshold), 2), **{key: float(scores[key] or 0) for key in "prf"}})
    return rows


class Suspect(NamedTuple):
    """A label of the gold that is probably wrong.

    text (int): its number. token (int): of the predicted doc. probability (float): of the gold label there.
    ratio (float): that, divided by the mean over all tokens of this label.
    """

    text: int
    token: int
    probability: float
    ratio: float


def suspects(findings: Findings, most: int) -> list[Suspect]:
    """The likeliest errors in the gold, the likeliest first; of tags, tokens, and of spans, texts with one of their tokens.

    A label that the model seldom believes in is not suspicious because it does not here: so the probability is
    compared with its mean over the tokens that have the label. (cleanlab ranks by the probability itself, or subtracts the mean:
    see docs/reports.md for what each finds.)
    """
    if not findings.gold_tokens or not any(len(p) for p, _ in findings.gold_tokens):
        return []
    p = np.concatenate([p for p, _ in findings.gold_tokens])
    label = np.concatenate([labels for _, labels in findings.gold_tokens])
    lengths = [len(rows) for rows, _ in findings.gold_tokens]
    text = np.repeat(np.arange(len(lengths)), lengths)
    token = np.concatenate([np.arange(length) for length in lengths])
    is_known = label >= 0
    if not is_known.any():
        return []
    totals = np.bincount(label[is_known], p[is_known])
    means = totals / np.maximum(np.bincount(label[is_known]), 1)
    ratio = np.where(is_known, p / np.maximum(means[label], 1e-12), np.inf).min(axis=1)
    lowest = p.min(axis=1)
    found: list[Suspect] = []
    taken: set[int] = set()
    for i in np.argsort(ratio, kind="stable").tolist():
        if len(found) == most or ratio[i] >= 1:
            break
        if findings.target.kind == "tokens" or int(text[i]) not in taken:
            taken.add(int(text[i]))
            found.append(Suspect(findings.texts[text[i]], int(token[i]), float(lowest[i]), float(ratio[i])))
    return found


def worst(findings: Findings, most: int) -> list[int]:
    """The texts with most errors; among equals, those whose gold is the least probable, as far as that is known."""
    errors = {text: _errors(findings, i) for i, text in enumerate(findings.texts)}
    log = {text: findings.gold_log[i] for i, text in enumerate(findings.texts)}
    order = sorted(
        (text for text in errors if errors[text] > 0),
        key=lambda text: (-errors[text], log[text] if math.isfinite(log[text]) else -math.inf),
    )
    return order[:most]


def least_sure(findings: Findings, most: int) -> list[int]:
    """The texts whose most probable labels are the least probable."""
    known = [(log, text) for log, text in zip(findings.best_log, findings.texts) if not math.isnan(log)]
    return [text for _, text in sorted(known)[:most]]


def _number(value: float) -> Optional[float]:
    return float(value) if math.isfinite(value) else None
