"""Scores of `doc.spans[key]`: the characters shared with the gold spans, as the mean over texts, and spaCy's own
scores of exact spans."""

from functools import partial
from typing import Any, Callable, Iterable, Sequence

from spacy.scorer import Scorer
from spacy.tokens import Doc, Span
from spacy.training import Example

from . import Scores, mean, warn_of_nothing

Characters = set[tuple[str, int]]


def make_spans_scorer(spans_key: str = "toxic") -> Callable[..., Scores]:
    """spans_key (str): the key in `doc.spans` to score; called KEY in the names of the scores."""
    return partial(spans_score, spans_key=spans_key)


def spans_score(examples: Iterable[Example], *, spans_key: str, **cfg: Any) -> Scores:
    """Scores over the texts whose reference has a group under the key; an empty group stands for nothing to find.

    spans_KEY_char_p, spans_KEY_char_r, spans_KEY_char_f: precision, recall and F1 of a text's characters, then averaged
        over the texts. All three count 1 where neither side has any, and 0 where only one has. The F1 is the measure of
        SemEval-2021 task 5 (Pavlopoulos et al. 2021, https://aclanthology.org/2021.semeval-1.6).
    spans_KEY_char_f_gold, spans_KEY_char_f_nogold: the same F1 over the texts with gold characters, and over the
        others; None where there are none.
    spans_KEY_p, spans_KEY_r, spans_KEY_f, spans_KEY_per_type: spaCy's own, pooled: exact boundaries and label.

    The gold characters are the ranges in `attrs["characters"]` of the reference's group. They have no labels, so there
    the labels of predicted spans do not count. In a group without them the characters are those of its spans, and one
    that has two labels counts for each.
    WARNS where no reference has such a group; all scores are None then.
    """
    name = f"spans_{spans_key}"
    given = list(examples)
    examples = [example for example in given if spans_key in example.reference.spans]
    if not examples:
        warn_of_nothing(len(given), f"spans under {spans_key!r}", f"{name}_char_f")
    pairs = [characters(example, spans_key) for example in examples]
    by_text = [character_scores(gold, predicted) for gold, predicted in pairs]
    scores: Scores = {f"{name}_char_{part}": mean([prf[part] for prf in by_text]) for part in "prf"}
    for part, has_gold in (("gold", True), ("nogold", False)):
        of_part = [prf["f"] for prf, (gold, _) in zip(by_text, pairs) if bool(gold) == has_gold]
        scores[f"{name}_char_f_{part}"] = mean(of_part)
    scores.update(Scorer.score_spans(examples, name, getter=partial(_spans, key=spans_key), allow_overlap=True))
    return scores


def characters(example: Example, key: str) -> tuple[Characters, Characters]:
    """(label, offset) pairs in the reference's text, gold and predicted."""
    group = example.reference.spans[key]
    spans = _spans(example.predicted, key=key)
    if example.predicted.text != example.reference.text:
        spans = example.get_aligned_spans_x2y(spans, allow_overlap=True)
    predicted = _offsets(spans)
    if "characters" not in group.attrs:
        return _offsets(group), predicted
    gold = {("", offset) for start, end in group.attrs["characters"] for offset in range(start, end)}
    return gold, {("", offset) for _, offset in predicted}


def _offsets(spans: Iterable[Span]) -> Characters:
    return {(span.label_, offset) for span in spans for offset in range(span.start_char, span.end_char)}


def _spans(doc: Doc, attr: str = "", *, key: str) -> Sequence[Span]:
    """attr: what spaCy's Scorer gives every getter; not needed here."""
    return list(doc.spans[key]) if key in doc.spans else []


def character_scores(gold: Characters, predicted: Characters) -> dict[str, float]:
    """Precision, recall and F1 of one text, "p", "r" and "f"."""
    if not gold or not predicted:
        return dict.fromkeys("prf", float(gold == predicted))
    shared = len(gold & predicted)
    return {"p": shared / len(predicted), "r": shared / len(gold), "f": 2 * shared / (len(gold) + len(predicted))}
