"""Scores of tags."""

from collections import defaultdict
from itertools import chain
from typing import Any, Callable, Iterable, Sequence

from spacy.scorer import PRFScore, Scorer
from spacy.tokens import Token
from spacy.training import Example

from ..pipeline.gold import gold_tags, single_tags
from . import Scores, mean, warn_of_nothing, with_counts

TagReader = Callable[..., str]


def make_tagger_scorer() -> Callable[..., Scores]:
    """Make the scorer of `token.tag`: see `tagger_score` for the names of its scores."""
    return tagger_score


def tagger_score(examples: Iterable[Example], *, attr: str = "tag", **cfg: Any) -> Scores:
    """Scores of `token.tag` over the gold tokens that have a tag. A gold tag that stands for several does not count.

    tag_acc: spaCy's own, pooled over all tokens.
    tag_acc_doc_mean: the same for each text, then averaged over the texts, short and long alike.
    tag_micro_p, tag_micro_r, tag_micro_f: precision, recall and F1, pooled. On gold tokens all three are tag_acc; they
        differ where the tokenizer missed a gold token.
    tag_micro_p_doc_mean, tag_micro_r_doc_mean, tag_micro_f_doc_mean: the same for each text, then averaged.
    tag_macro_f: mean F1 over the labels.
    tag_per_type: precision, recall and F1 of each label, and how many are in the gold and found.
    attr (str): "pos" scores `token.pos` in its place: pos_acc and so on.
    WARNS where no gold token has a tag; all scores are None then.
    """
    examples = list(examples)
    tag_of = tag_reader(examples, attr)
    if not any(tag_of(token) for eg in examples for token in eg.y):
        warn_of_nothing(len(examples), "tags" if attr == "tag" else "parts of speech", f"{attr}_acc")
    by_doc = [score_by_label(example, tag_of) for example in examples]
    by_label: dict[str, PRFScore] = defaultdict(PRFScore)
    for label, score in chain.from_iterable(labels.items() for labels in by_doc):
        by_label[label] += score
    pooled = sum(by_label.values(), PRFScore())
    pooled_by_doc = [sum(labels.values(), PRFScore()).to_dict() for labels in by_doc if labels]
    per_type = {label: with_counts(by_label[label]) for label in sorted(by_label)}
    scores: Scores = {
        "acc": Scorer.score_token_attr(examples, attr, getter=tag_of)[f"{attr}_acc"],
        "acc_doc_mean": mean(Scorer.score_token_attr([eg], attr, getter=tag_of)[f"{attr}_acc"] for eg in examples),
        "macro_f": mean(score["f"] for score in per_type.values()),
        "per_type": per_type or None,
    }
    for key, value in pooled.to_dict().items():
        scores[f"micro_{key}"] = value if per_type else None
        scores[f"micro_{key}_doc_mean"] = mean(score[key] for score in pooled_by_doc)
    return {f"{attr}_{key}": value for key, value in scores.items()}


def tag_reader(examples: Sequence[Example], attr: str) -> TagReader:
    """Reads the tag of a token of these examples, gold or predicted; "" where it is missing or stands for several, and for white
    space in the gold."""
    of_doc = {id(eg.y): gold_tags(eg.y, attr) for eg in examples}
    of_doc.update({id(eg.x): [getattr(token, f"{attr}_") for token in eg.x] for eg in examples})
    single = single_tags({tag for tags in of_doc.values() for tag in tags})

    def tag_of(token: Token, attr: str = "tag") -> str:
        tag = of_doc[id(token.doc)][token.i]
        return tag if tag in single else ""

    return tag_of


def score_by_label(example: Example, tag_of: TagReader) -> dict[str, PRFScore]:
    """The score of each label. A predicted token that spans several gold tokens does not count, as in spaCy's score."""
    gold = {(token.i, tag_of(token)) for token in example.reference if tag_of(token)}
    tagged = {i for i, _ in gold}
    aligned = [(example.alignment.x2y[token.i], tag_of(token)) for token in example.predicted if not token.is_space]
    predicted = {(int(at[0]), tag) for at, tag in aligned if len(at) == 1 and at[0] in tagged}
    scores: dict[str, PRFScore] = defaultdict(PRFScore)
    for _, label in gold & predicted:
        scores[label].tp += 1
    for _, label in predicted - gold:
        scores[label].fp += 1
    for _, label in gold - predicted:
        scores[label].fn += 1
    return scores
