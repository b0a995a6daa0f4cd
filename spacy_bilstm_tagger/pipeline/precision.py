"""`precision = "auto"` of an encoder: asks the components whether their labels stay the same in half precision."""

import logging
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any, Callable, Iterator, Sequence, cast

import numpy as np
from spacy.attrs import ENT_IOB, ENT_TYPE, POS, TAG
from spacy.tokens import Doc
from thinc.types import Floats2d

from ..layers.bilstm import auto_weights
from ..layers.lstm_prediction import FORCED, SAMPLE, Agreement, Precision, Weights
from .upstream import Link, listeners

# The rows of a batch in either precision, by the id of the first.
RowsInHalf = dict[int, tuple[Floats2d, Floats2d]]
MOST_COMPARED = 10 * SAMPLE  # tokens; more are not read twice, for a component that reads no more of them, say
_LOCK = Lock()
logger = logging.getLogger("spacy.bilstm_tagger")


@contextmanager
def forced(precision: Precision) -> Iterator[None]:
    """Inside, all encoders read in this precision, whatever their setting."""
    token = FORCED.set(precision)
    try:
        yield
    finally:
        FORCED.reset(token)


def read_in_half(tok2vec: Any, docs: Sequence[Doc], rows: list[Floats2d]) -> RowsInHalf:
    """The rows of a shared tok2vec in half precision too, as long as some listener has to compare its labels."""
    found = auto_weights(tok2vec.model)
    # Components of spaCy's do not compare their labels.
    has_others = any("link" not in vars(node) for node in tok2vec.listeners)
    for weights in found:
        weights.readers.pop(tok2vec, None)
        if has_others:
            weights.readers[tok2vec] = Agreement()
    found = [weights for weights in found if weights.n_compared < MOST_COMPARED]
    if has_others or all(each.is_known for weights in found for each in weights.agreements()):
        return {}
    for weights in found:
        weights.n_compared += sum(map(len, docs))
    with forced("bfloat16"):
        halves = tok2vec.model.predict(docs)
    return {id(row): (row, half) for row, half in zip(rows, halves)}


def compare_precisions(component: Any, docs: Sequence[Doc]) -> None:
    """Label docs by rows in either precision, as long as too few tokens are compared; of a shared tok2vec, those whose rows are
    as it has just given them. component (SequenceComponent): its encoder is its own, or that of the tok2vec that it listens to.

    It begins with the second batch that is read by the same weights, so not in training.
    """
    for node in listeners(component.model):
        tok2vec = Link.of(node).tok2vec
        rows: RowsInHalf = getattr(tok2vec, "rows_in_half", {})
        read = [doc for doc in docs if id(doc.tensor) in rows and rows[id(doc.tensor)][0] is doc.tensor]
        for weights in auto_weights(tok2vec.model) if tok2vec is not None else ():
            _compare(component, weights, Link.of(node), read, partial(_decode_halves, component, read, rows))
    for weights in auto_weights(component.model):
        _compare(component, weights, component, docs, partial(_decode, component, docs, "bfloat16"))


def _decode(component: Any, docs: Sequence[Doc], precision: Precision) -> Sequence[Any]:
    with forced(precision):
        found: Sequence[Any] = component.decode(docs, component.chain_scores(docs))
    return found


def _decode_halves(component: Any, docs: Sequence[Doc], rows: RowsInHalf) -> Sequence[Any]:
    single = [doc.tensor for doc in docs]
    try:
        for doc in docs:
            doc.tensor = cast(Any, rows[id(doc.tensor)][1])
        return _decode(component, docs, "float32")
    finally:
        for doc, tensor in zip(docs, single):
            doc.tensor = tensor


def _compare(component: Any, weights: Weights, reader: Any, docs: Sequence[Doc], in_half: Callable[[], Sequence[Any]]) -> None:
    if not weights.is_used or (agreement := weights.readers.get(reader)) is None:
        with _LOCK:
            weights.readers.setdefault(reader, Agreement())
        return
    if agreement.is_known or not any(map(len, docs)):
        return
    found = (_labelled(component, docs, each) for each in (_decode(component, docs, "float32"), in_half()))
    differing = sum(map(n_differing, *found))
    n_tokens = sum(map(len, docs))
    with _LOCK:
        agreement.tokens += n_tokens
        agreement.same += n_tokens - differing
    if agreement.is_known:
        same = f"{agreement.same:,} of {agreement.tokens:,} tokens have the same labels by products of bfloat16"
        logger.info("%s: %s, %s", component.name, same, "which are good enough" if agreement.is_good else "too few")


def _labelled(component: Any, docs: Sequence[Doc], annotations: Sequence[Any]) -> list[Doc]:
    """Docs of the same tokens with these annotations alone."""
    bare = [Doc(doc.vocab, words=[token.text for token in doc], spaces=[bool(token.whitespace_) for token in doc]) for doc in docs]
    component.set_annotations(bare, annotations)
    return bare


def n_differing(one: Doc, other: Doc) -> int:
    """How many tokens have another tag, part of speech or entity, or are in a span that the other doc does not have."""
    attrs = [TAG, POS, ENT_IOB, ENT_TYPE]
    differ = (one.to_array(attrs) != other.to_array(attrs)).any(axis=1) if len(one) else np.zeros(0, dtype=bool)
    spans, others = (
        {(key, span.start, span.end, span.label) for key, group in doc.spans.items() for span in group} for doc in (one, other)
    )
    for _, start, end, _ in spans ^ others:
        differ[start:end] = True
    return int(differ.sum())
