"""Scores of entities."""

from collections import defaultdict
from typing import Any, Callable, Iterable

from spacy.scorer import PRFScore
from spacy.tokens import Doc
from spacy.training import Example

from ..pipeline.gold import alternatives, annotated_types
from . import Scores, mean, warn_of_nothing


def make_ner_scorer() -> Callable[..., Scores]:
    return ner_score


def ner_score(examples: Iterable[Example], **cfg: Any) -> Scores:
    """Scores of `doc.ents` over the texts whose entities are annotated; missing tokens do not count.

    ents_p, ents_r, ents_f, ents_per_type: pooled: exact boundaries and type (see `ner_prf`).
    ents_p_doc_mean, ents_r_doc_mean, ents_f_doc_mean: the same for each text, then averaged. A text without gold
        entities counts 1 if none is predicted, else 0.
    ents_acc, ents_acc_doc_mean: share of gold tokens with the right BIO tag, pooled and as mean over texts.
    WARNS where entities are annotated in no text; all scores are None then.
    """
    given = list(examples)
    examples = [eg for eg in given if eg.y.has_annotation("ENT_IOB")]
    if not examples:
        warn_of_nothing(len(given), "entities", "ents_f")
    by_doc = [_doc_prf(eg) for eg in examples]
    accuracy = PRFScore()
    doc_accuracy = []
    for example in examples:
        score = _bio_accuracy(example)
        accuracy += score
        doc_accuracy.append(score.precision if len(score) else None)
    scores: Scores = ner_prf(examples)
    scores["ents_acc"] = accuracy.precision if len(accuracy) else None
    scores["ents_acc_doc_mean"] = mean(doc_accuracy)
    for key in ("p", "r", "f"):
        scores[f"ents_{key}_doc_mean"] = mean(score[key] for score in by_doc)
    return scores


def ner_prf(examples: Iterable[Example]) -> Scores:
    """As spaCy's get_ner_prf, and alike where all is annotated. An entity of gold type "a|b" is found by either; where
    a text names the types that were annotated, a prediction of another type beside its entities does not count."""
    per_type: dict[str, PRFScore] = defaultdict(PRFScore)
    for example in examples:
        if not example.y.has_annotation("ENT_IOB"):
            continue
        gold = {(ent.start, ent.end): ent.label_ for ent in example.y.ents}
        taken = {i for ent in example.y.ents for i in range(ent.start, ent.end)}
        annotated = annotated_types(example.y)
        align = example.alignment.x2y
        for ent in example.x.ents:
            score = per_type[ent.label_]
            touched = align[ent.start : ent.end]
            if not len(touched):
                continue
            start, end = int(touched[0]), int(touched[-1]) + 1
            if any(token.ent_iob == 0 for token in example.y[start:end]):
                continue
            if ent.label_ in alternatives(gold.get((start, end), "")):
                score.tp += 1
                del gold[start, end]
            elif annotated is None or ent.label_ in annotated or not taken.isdisjoint(range(start, end)):
                score.fp += 1
        for label in gold.values():
            per_type[label].fn += 1
    totals = sum(per_type.values(), PRFScore())
    if not len(totals):
        return {"ents_p": None, "ents_r": None, "ents_f": None, "ents_per_type": None}
    scores: Scores = {f"ents_{key}": value for key, value in totals.to_dict().items()}
    scores["ents_per_type"] = {label: score.to_dict() for label, score in per_type.items()}
    return scores


def _doc_prf(example: Example) -> dict[str, float]:
    scores = ner_prf([example])
    if scores["ents_f"] is None:  # nothing to find, nothing found
        return {"p": 1.0, "r": 1.0, "f": 1.0}
    return {key: scores[f"ents_{key}"] for key in ("p", "r", "f")}


def _bio_accuracy(example: Example) -> PRFScore:
    """tp: gold tokens whose predicted BIO tag is right; fp: the others. Missing gold tokens are left out."""
    score = PRFScore()
    predicted = _bio(example.predicted)
    align = example.alignment.y2x
    for token, tag in zip(example.reference, _bio(example.reference)):
        if token.ent_iob == 0 or token.is_space:
            continue
        touched = align[token.i]
        right = len(touched) == 1 and predicted[touched[0]] == tag
        score.tp += right
        score.fp += not right
    return score


def _bio(doc: Doc) -> list[str]:
    return [f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O" for token in doc]
