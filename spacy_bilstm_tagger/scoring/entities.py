"""Scores of entities."""

import itertools
from collections import defaultdict
from typing import Any, Callable, Iterable, Iterator, Optional, Sequence

from spacy.scorer import PRFScore
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..pipeline.gold import alternatives, annotated_types
from . import Scores, mean, warn_of_nothing, with_counts


def make_ner_scorer() -> Callable[..., Scores]:
    """Make the scorer of `doc.ents`: see `ner_score` for the names of its scores."""
    return ner_score


def ner_score(examples: Iterable[Example], **cfg: Any) -> Scores:
    """Scores of `doc.ents` over the texts whose entities are annotated; missing tokens and empty texts do not count.

    ents_p, ents_r, ents_f, ents_per_type: pooled: exact boundaries and type (see `ner_prf`).
    ents_p_doc_mean, ents_r_doc_mean, ents_f_doc_mean: the same for each text, then averaged. A text without gold
        entities counts 1 if none is predicted, else 0.
    ents_acc, ents_acc_doc_mean: share of gold tokens with the right BIO tag, pooled and as mean over texts.
    WARNS where entities are annotated in no text; all scores are None then.
    """
    given = list(examples)
    examples = [eg for eg in given if len(eg.y) and eg.y.has_annotation("ENT_IOB")]
    if not examples:
        warn_of_nothing(len(given), "entities", "ents_f")
    scores = ner_prf(examples)
    right = [_right_tags(eg) for eg in examples]
    scores["ents_acc"] = mean(itertools.chain(*right))
    scores["ents_acc_doc_mean"] = mean(map(mean, right))
    by_doc = [ner_prf([eg]) for eg in examples]
    for key in ("ents_p", "ents_r", "ents_f"):  # None: nothing to find, nothing found
        scores[f"{key}_doc_mean"] = mean(1.0 if score[key] is None else score[key] for score in by_doc)
    return scores


def ner_prf(examples: Iterable[Example]) -> Scores:
    """As spaCy's get_ner_prf, and alike where all is annotated; with counts for each type. An entity of gold type "a|b" is
    found by either; where a text names the types that were annotated, a prediction of another type outside its entities does
    not count."""
    per_type: dict[str, PRFScore] = defaultdict(PRFScore)
    for example in examples:
        if not example.y.has_annotation("ENT_IOB"):
            continue
        gold = {(ent.start, ent.end): ent.label_ for ent in example.y.ents}
        for ent, is_right in judge_entities(example, gold):
            if is_right:
                per_type[ent.label_].tp += 1
            else:
                per_type[ent.label_].fp += 1
        for label in gold.values():
            per_type[label].fn += 1
    totals = sum(per_type.values(), PRFScore())
    if not len(totals):
        return {"ents_p": None, "ents_r": None, "ents_f": None, "ents_per_type": None}
    scores: Scores = {f"ents_{key}": value for key, value in totals.to_dict().items()}
    scores["ents_per_type"] = {label: with_counts(score) for label, score in per_type.items()}
    return scores


def judge_entities(
    example: Example, gold: dict[tuple[int, int], str], found: Optional[Sequence[Span]] = None
) -> Iterator[tuple[Span, bool]]:
    """The entities that were found and count, and whether each is right.

    gold (dict): (start, end) -> label of the gold entities; those that were found are removed.
    found (sequence of Span or None): of the predicted doc; None for its entities.
    """
    taken = {i for start, end in gold for i in range(start, end)}
    annotated = annotated_types(example.y)
    align = example.alignment.x2y
    for ent in example.x.ents if found is None else found:
        touched = align[ent.start : ent.end]
        if not len(touched):
            continue
        start, end = int(touched[0]), int(touched[-1]) + 1
        if any(token.ent_iob == 0 for token in example.y[start:end]):
            continue
        if ent.label_ in alternatives(gold.get((start, end), "")):
            del gold[start, end]
            yield ent, True
        elif annotated is None or ent.label_ in annotated or not taken.isdisjoint(range(start, end)):
            yield ent, False


def _right_tags(example: Example) -> list[bool]:
    """Whether the predicted BIO tag is right, for each annotated gold token."""
    predicted, gold = _bio(example.predicted), _bio(example.reference)
    annotated = [token.i for token in example.reference if token.ent_iob != 0 and not token.is_space]
    touched = [example.alignment.y2x[i] for i in annotated]
    return [len(at) == 1 and predicted[at[0]] == gold[i] for i, at in zip(annotated, touched)]


def _bio(doc: Doc) -> list[str]:
    return [f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O" for token in doc]
