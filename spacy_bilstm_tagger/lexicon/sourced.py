"""Compare sourced components with the pipeline and the training data, once the vocabulary has its tables."""

from typing import Any, Optional

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec
from spacy.tokens import Doc
from spacy.training.initialize import load_vectors_into_model
from spacy.util import dot_to_object, resolve_dot_names
from thinc.api import Model

from ..errors import ConfigError, Errors, unreadable_corpus
from .claim import other_tables, tables_read
from .table import describe
from .vectors import VOCAB_VECTORS

MAX_LISTED = 20  # labels in a message


def sourced_components(nlp: Language) -> list[str]:
    """The names of the sourced components, while the pipeline is initialized."""
    return list(_vectors_hashes(nlp))


def check_sourced(nlp: Language) -> None:
    """Compare the widths of listeners and of their upstream components, the tables of sourced components with those that
    they were trained with, and their labels with those of the training data. spaCy warns (W113) of other vectors, or
    fails at the first batch.

    RAISES: ConfigError for another width, a table that is missing, one of another content, a label too many, and
        training data that has no label at all or is not there.
    """
    for upstream, pipe in nlp.components:  # spaCy disables the sourced ones while it initializes the others
        if isinstance(pipe, Tok2Vec):
            _check_listeners(upstream, pipe)
    hashes = _vectors_hashes(nlp)
    if not hashes:
        return
    if nlp.config["initialize"]["vectors"] is not None:  # spaCy reads these next, in the place of those that are there
        load_vectors_into_model(nlp, nlp.config["initialize"]["vectors"])
    found = hash(nlp.vocab.vectors.to_bytes(exclude=["strings"]))
    for name, expected in hashes.items():
        model = getattr(nlp.get_pipe(name), "model", None)
        if isinstance(model, Model):
            _check_tables(nlp, name, model, same_vectors=found == expected)
    _check_labels(nlp, list(hashes))


def _vectors_hashes(nlp: Language) -> dict[str, int]:
    """For each sourced component, a hash of the vectors of its pipeline, as spaCy keeps them for its W113."""
    return nlp.meta.get("_sourced_vectors_hashes", {})


def _check_listeners(upstream: str, pipe: Tok2Vec) -> None:
    if not pipe.model.has_dim("nO"):
        return
    expected = pipe.model.get_dim("nO")
    for name in pipe.listening_components:
        for listener in pipe.listener_map[name]:
            found = listener.get_dim("nO") if listener.has_dim("nO") else expected
            if found != expected:
                detail = {"name": name, "upstream": upstream, "found": found, "expected": expected}
                raise ConfigError(Errors.LISTENER_WIDTH.format(**detail))


def _check_tables(nlp: Language, name: str, model: Model, *, same_vectors: bool) -> None:
    way_out = "In [initialize.before_init], take them from the pipeline that the component is sourced from"
    try:
        for node in model.walk():
            if node.name == "tweet_embed":
                node.predict([nlp.make_doc("a")])
        others = other_tables(model, nlp.vocab)
    except ConfigError as error:
        raise ConfigError(
            f"{name}: sourced, and cannot read the tables of this pipeline ({error}). {way_out}"
        ) from None
    if not same_vectors and VOCAB_VECTORS in tables_read(model):
        raise ConfigError(
            f"{name}: sourced from a pipeline with other vectors than {nlp.vocab.vectors.name!r}, which are this one's. "
            "In [initialize.before_init], set source to the pipeline that the component is sourced from, and "
            "[initialize] vectors to null"
        )
    if others:
        raise ConfigError(
            f"{name}: sourced from a pipeline with {' and '.join(map(describe, others))} of another content than this "
            f"one's. {way_out}"
        )


def _check_labels(nlp: Language, sourced: list[str]) -> None:
    """Of all training data; a label that is met in training ends that only there, one label at a time."""
    frozen = nlp.config["training"]["frozen_components"]
    trained: list[Any] = [nlp.get_pipe(name) for name in sourced if name not in frozen]
    learners = [pipe for pipe in trained if hasattr(pipe, "unknown_labels")]
    docs = (_training_docs(nlp) if learners else None) or []
    for pipe in learners if docs else ():
        if not any(label for doc in docs for label in pipe.gold_labels(doc)):
            detail = {"name": pipe.name, "count": len(docs), "label": pipe.labels[0]}
            raise ConfigError(Errors.SOURCED_NOTHING.format(**detail))
        unknown = pipe.unknown_labels(docs)
        if unknown:
            listed = ", ".join(f"{label!r} ({count:,})" for label, count in unknown.most_common(MAX_LISTED))
            more = f" and {len(unknown) - MAX_LISTED} more" if len(unknown) > MAX_LISTED else ""
            grow = (
                ", or give them to the sourced one with add_label, save that pipeline, and source it"
                if getattr(pipe, "grows", False)
                else ""
            )
            detail = {"name": pipe.name, "count": len(pipe.labels), "found": listed + more, "grow": grow}
            raise ConfigError(Errors.SOURCED_LABELS.format(**detail))


def _training_docs(nlp: Language) -> Optional[list[Doc]]:
    """As annotated; None where the config names no corpus, or one that is streamed."""
    config = nlp.config.interpolate()
    name = config["training"]["train_corpus"]
    if config["training"]["max_epochs"] == -1 or not name or dot_to_object(config, name).get("path", "") is None:
        return None
    (corpus,) = resolve_dot_names(config, [name])
    try:
        return [eg.reference for eg in corpus(nlp)]
    except OSError as error:  # a pipeline of sourced components alone asks for no examples until its first batch
        raise unreadable_corpus(error) from None
