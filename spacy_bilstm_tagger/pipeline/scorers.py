"""Scores of tags and entities, taken two ways: pooled over all tokens, and as the mean over texts."""

import warnings
from collections import defaultdict
from typing import Any, Callable, Iterable, Optional

from spacy.scorer import PRFScore, Scorer
from spacy.tokens import Doc, Token
from spacy.training import Example

from ..partial_labels import EITHER, annotated_types, single_tags

Scores = dict[str, Any]


def make_tagger_scorer() -> Callable[..., Scores]:
    return tagger_score


def make_ner_scorer() -> Callable[..., Scores]:
    return ner_score


def tagger_score(examples: Iterable[Example], **cfg: Any) -> Scores:
    """Scores of `token.tag` over the gold tokens that have a tag. A gold tag that stands for several does not count.

    tag_acc: spaCy's own, pooled over all tokens.
    tag_acc_doc_mean: the same for each text, then averaged over the texts, short and long alike.
    tag_micro_p, tag_micro_r, tag_micro_f: precision, recall and F1, pooled. On gold tokens all three are tag_acc; they
        differ where the tokenizer missed a gold token.
    tag_micro_p_doc_mean, tag_micro_r_doc_mean, tag_micro_f_doc_mean: the same for each text, then averaged.
    tag_macro_f: mean F1 over the labels.
    tag_per_type: precision, recall and F1 of each label.
    WARNS where no gold token has a tag; all scores are None then.
    """
    examples = list(examples)
    single = single_tags({token.tag_ for eg in examples for doc in (eg.x, eg.y) for token in doc})

    def tag_of(token: Token, attr: str = "tag") -> str:
        return token.tag_ if token.tag_ in single else ""

    if not any(tag_of(token) for eg in examples for token in eg.y):
        warn_of_nothing(len(examples), "tags", "tag_acc")
    by_doc = [_by_label(*_tags(example, tag_of)) for example in examples]
    by_label: dict[str, PRFScore] = defaultdict(PRFScore)
    for labels in by_doc:
        for label, score in labels.items():
            by_label[label] += score
    pooled = sum(by_label.values(), PRFScore())
    pooled_by_doc = [sum(labels.values(), PRFScore()).to_dict() for labels in by_doc if labels]
    per_type = {label: by_label[label].to_dict() for label in sorted(by_label)}
    scores: Scores = {
        "tag_acc": Scorer.score_token_attr(examples, "tag", getter=tag_of)["tag_acc"],
        "tag_acc_doc_mean": _mean(Scorer.score_token_attr([eg], "tag", getter=tag_of)["tag_acc"] for eg in examples),
        "tag_macro_f": _mean(score["f"] for score in per_type.values()),
        "tag_per_type": per_type or None,
    }
    for key, value in pooled.to_dict().items():
        scores[f"tag_micro_{key}"] = value if per_type else None
        scores[f"tag_micro_{key}_doc_mean"] = _mean(score[key] for score in pooled_by_doc)
    return scores


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
    scores["ents_acc_doc_mean"] = _mean(doc_accuracy)
    for key in ("p", "r", "f"):
        scores[f"ents_{key}_doc_mean"] = _mean(score[key] for score in by_doc)
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
            if ent.label_ in gold.get((start, end), "").split(EITHER):
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


def warn_of_nothing(count: int, what: str, score: str) -> None:
    if count:
        warnings.warn(
            (
                f"Nothing to score: none of the {count} texts has gold {what}, so there is no {score}, and spaCy's "
                "table shows 0.00. Look whether this is the right file, and what was converted"
            ),
            stacklevel=3,
        )


def _tags(example: Example, tag_of: Callable[[Token], str]) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
    """(gold token, tag) pairs, gold and predicted. A predicted token that spans several gold tokens has no pair, as in
    spaCy's own score."""
    gold = {(token.i, tag_of(token)) for token in example.reference if tag_of(token)}
    tagged = {i for i, _ in gold}
    align = example.alignment.x2y
    predicted = set()
    for token in example.predicted:
        if token.is_space:
            continue
        touched = align[token.i]
        if len(touched) == 1 and touched[0] in tagged:
            predicted.add((int(touched[0]), token.tag_))
    return gold, predicted


def _by_label(gold: set[tuple[int, str]], predicted: set[tuple[int, str]]) -> dict[str, PRFScore]:
    scores: dict[str, PRFScore] = defaultdict(PRFScore)
    for _, label in gold & predicted:
        scores[label].tp += 1
    for _, label in predicted - gold:
        scores[label].fp += 1
    for _, label in gold - predicted:
        scores[label].fn += 1
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


def _mean(values: Iterable[Optional[float]]) -> Optional[float]:
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present else None
