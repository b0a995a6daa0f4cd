"""Why a pipeline says what it says of one text: what it knows of each token, and how sure it is."""

from typing import Any, Optional

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Model

from ..crf.inference import marginals
from ..layers.word_features import find_lists, find_ways
from ..lexicon.table import WordTypes
from ..pipeline.base import SequenceComponent, scored_spans
from ..pipeline.entities import FLOOR, find_entities
from ..pipeline.ner import BiLSTMNER
from ..pipeline.spans import BiLSTMSpans
from ..pipeline.tagger import TagComponent
from ..tokenizer.kinds import tweet_kinds
from ..tokenizer.tweet_tokenizer import TweetTokenizer

DIGITS = 4


def explain(nlp: Language, text: str, *, top: int = 3) -> dict[str, Any]:
    """What a pipeline makes of a text, as plain values.

    top (int): how many labels of a token, and how many spans that were not chosen.

    "tokens": a list with text, start and end in characters, kind, rule of the tokenizer, norm (the GloVe key), "tables", from the
    name of a table to the key by which it has the word or None, "lists" of names that the token is in, and "labels", from the name
    of a component to the most probable labels with their probabilities; "tag" and "pos" may be others, by path or rule.
    "entities" and "spans": what was found and, with "chosen" false, what else was possible; with probabilities. Components that
    are not ours have no probabilities.
    """
    doc = nlp(text)
    tokens = _tokens(nlp, doc)
    spans: list[dict[str, Any]] = []
    claimed: set[tuple[int, int, str]] = set()  # entities whose component is known
    for name, pipe in nlp.pipeline:
        if not isinstance(pipe, SequenceComponent) or not len(doc):
            continue
        if isinstance(pipe, TagComponent) and pipe.model.layers:
            rows = marginals(pipe.adjust(pipe.chain_scores([doc]))).float().numpy()
            for token, row in zip(tokens, rows):
                token["labels"][name] = _best(pipe.labels, row, top)
        elif isinstance(pipe, BiLSTMNER):
            spans += _entities(pipe, name, doc, top, claimed)
        elif isinstance(pipe, BiLSTMSpans):
            spans += _spans(pipe, name, doc, tokens, top)
    others = [name for name in nlp.pipe_names if "doc.ents" in nlp.get_pipe_meta(name).assigns]
    others = [name for name in others if not isinstance(nlp.get_pipe(name), BiLSTMNER)]
    for ent in doc.ents:
        if (ent.start, ent.end, ent.label_) not in claimed:
            name = ", ".join(others) or "set before"
            spans.append(_span(name, doc, ent.start, ent.end, ent.label_, None, is_chosen=True))
    return {"text": doc.text, "tokens": tokens, "spans": spans}


def _tokens(nlp: Language, doc: Doc) -> list[dict[str, Any]]:
    types = WordTypes.of([doc])
    ways: dict[str, list[str]] = {}
    lists: list[list[str]] = [[] for _ in doc]
    for _, pipe in nlp.pipeline:
        model = getattr(pipe, "model", None)
        if isinstance(model, Model):
            ways.update(find_ways(model, types))
            lists = find_lists(model, types) or lists
    rules = _rules(nlp, doc)
    return [
        {
            "text": token.text,
            "start": token.idx,
            "end": token.idx + len(token),
            "kind": kind,
            "rule": rules[token.i],
            "norm": token.norm_,
            "tables": {name: by_type[types.index[token.i]] or None for name, by_type in ways.items()},
            "lists": lists[token.i],
            "tag": token.tag_,
            "pos": token.pos_,
            "labels": {},
        }
        for token, kind in zip(doc, tweet_kinds(doc))
    ]


def _rules(nlp: Language, doc: Doc) -> list[Optional[str]]:
    """The rule of the tweet tokenizer that made each token; None for white space, and another tokenizer."""
    rules: list[Optional[str]] = [None] * len(doc)
    if not isinstance(nlp.tokenizer, TweetTokenizer):
        return rules
    made = iter(nlp.tokenizer.explain(doc.text))
    for token in doc:
        if not token.text.isspace():
            rule, text = next(made, ("", ""))
            if text != token.text:  # another component has changed the tokens
                break
            rules[token.i] = rule
    return rules


def _best(labels: tuple[str, ...], row: np.ndarray, top: int) -> dict[str, float]:
    order = np.argsort(-row, kind="stable")[:top]
    return {labels[i]: round(float(row[i]), DIGITS) for i in order.tolist()}


def _entities(pipe: BiLSTMNER, name: str, doc: Doc, top: int, claimed: set[tuple[int, int, str]]) -> list[dict[str, Any]]:
    """claimed: gets the entities that are the component's."""
    scores = pipe.adjust(pipe.chain_scores([doc]))
    ents = {(ent.start, ent.end, ent.label_) for ent in doc.ents}
    group = doc.spans.get(pipe.spans_key, ()) if pipe.spans_key else doc.ents
    chosen = [(span.start, span.end, span.label_) for span in group]
    chosen = [span for span in chosen if span in ents and span[2] in pipe.labels and span not in claimed]
    claimed.update(chosen)
    p = dict(zip(chosen, pipe.span_scorer(scores)(chosen).tolist())) if chosen else {}
    found = [_span(name, doc, *span, p[span], is_chosen=True) for span in chosen]
    (scored,) = find_entities(scores, pipe.scheme, threshold=None, top_k=2 * top + len(ents), with_scores=True)
    others = [*scored.entities, *scored.alternatives]
    spans = [((start, end, pipe.labels[number]), each) for (start, end, number), each in others]
    spans = [(span, each) for span, each in spans if not doc[span[0]].is_space and not doc[span[1] - 1].is_space]
    left = sorted((pair for pair in spans if pair[0] not in ents and pair[1] >= FLOOR), key=lambda pair: -pair[1])
    return found + [_span(name, doc, *span, each, is_chosen=False) for span, each in left[:top]]


def _spans(pipe: BiLSTMSpans, name: str, doc: Doc, tokens: list[dict[str, Any]], top: int) -> list[dict[str, Any]]:
    """Also sets how probably each token is inside of a span of each label."""
    scores = pipe.adjust(pipe.chain_scores([doc]))
    inside = [marginals(scores.labels(part)).float().numpy()[:, 1] for part in pipe.chains()]
    for token, row in zip(tokens, np.stack(inside, axis=1)):
        token["labels"][name] = _best(pipe.labels, row, top)
    pairs = scored_spans(doc.spans[pipe.spans_key]) if pipe.spans_key in doc.spans else []
    return [_span(name, doc, span.start, span.end, span.label_, score, is_chosen=True) for span, score in pairs]


def _span(component: str, doc: Doc, start: int, end: int, label: str, score: Optional[float], *, is_chosen: bool) -> dict[str, Any]:
    span = doc[start:end]
    rounded = None if score is None else round(float(score), DIGITS)
    place = {"text": span.text, "start": span.start_char, "end": span.end_char}
    return {"component": component, **place, "label": label, "score": rounded, "chosen": is_chosen}
