"""`precision = "auto"` of an encoder: whether a component gives the same labels in half precision, on the first texts it reads."""

from typing import Any, Iterator, Sequence

from spacy.tokens import Doc

from ..layers.bilstm import auto_weights
from ..layers.lstm_prediction import FORCED, SAMPLE, Precision
from .upstream import Link, listeners

BOTH: tuple[Precision, Precision] = ("bfloat16", "float32")  # in this order: the rows of float32 stay in the docs


def compare_precisions(component: Any, docs: Sequence[Doc]) -> None:
    """Label the docs with either precision, as long as the encoder knows fewer than SAMPLE tokens of this component.

    component (SequenceComponent): its encoder is its own, or that of the tok2vec that it listens to, whose rows are read anew.
    """
    links = (Link.of(node) for node in listeners(component.model))
    upstream = [link.tok2vec for link in links if link.tok2vec is not None]
    found = [
        weights for model in (component.model, *(each.model for each in upstream)) for weights in auto_weights(model)
    ]
    found = [weights for weights in found if weights.readers.get(component.name, (0, 0))[0] < SAMPLE]
    if not found or not any(map(len, docs)):
        return
    labels = []
    for precision in BOTH:
        forced = FORCED.set(precision)
        try:
            for tok2vec in upstream:
                tok2vec.set_annotations(docs, tok2vec.predict(docs))
            annotations = component.decode(docs, component.chain_scores(docs))
        finally:
            FORCED.reset(forced)
        copies = [doc.copy() for doc in docs]
        component.set_annotations(copies, annotations)
        labels.append([each for doc in copies for each in labels_of(doc)])
    same = sum(half == single for half, single in zip(*labels))
    for weights in found:
        n_before, same_before = weights.readers.get(component.name, (0, 0))
        weights.readers[component.name] = n_before + len(labels[0]), same_before + same


def labels_of(doc: Doc) -> Iterator[tuple[Any, ...]]:
    """Of each token, all that components set."""
    spans = {key: [(span.start, span.end, span.label) for span in group] for key, group in doc.spans.items()}
    for token in doc:
        inside = [(key, *span) for key, found in spans.items() for span in found if span[0] <= token.i < span[1]]
        yield token.tag, token.pos, token.ent_iob, token.ent_type, inside
