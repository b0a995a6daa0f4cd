"""Do sourced components fit in? Asked once the vocabulary has its tables."""

from typing import Any, Optional

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec
from spacy.tokens import Doc
from spacy.training.initialize import load_vectors_into_model
from spacy.util import dot_to_object, resolve_dot_names

from ..brown_table import TABLE as BROWN
from ..errors import ConfigError, Errors, unreadable_corpus
from ..gazetteer_table import TABLE as GAZETTEERS
from ..layers.norm_vectors import NAME as NORM_VECTORS
from ..layers.tuned_vectors import NAME as TUNED_VECTORS
from ..table_digest import other_tables
from ..vector_tables import PREFIX

MAX_LISTED = 20
KINDS = {BROWN: "Brown clusters", GAZETTEERS: "gazetteers"}


def check_sourced(nlp: Language) -> None:
    """Compare the widths of listeners and of what they listen to, the tables of sourced components with those that
    they were trained with, and their labels with those of the training data. spaCy sources a component without its
    tables, and warns (W113), or fails at the first batch, where those of the pipeline are others.

    RAISES: ConfigError for another width, a table that is missing, one of another content, a label too many, and
        training data that has no label at all or is not there.
    """
    for upstream, pipe in nlp.components:  # spaCy disables the sourced ones while it initializes the others
        if isinstance(pipe, Tok2Vec):
            _check_listeners(upstream, pipe)
    hashes = nlp.meta.get("_sourced_vectors_hashes", {})  # where spaCy keeps them for its W113
    if not hashes:
        return
    if nlp.config["initialize"]["vectors"] is not None:  # spaCy reads these next, in the place of those that are there
        load_vectors_into_model(nlp, nlp.config["initialize"]["vectors"])
    found = hash(nlp.vocab.vectors.to_bytes(exclude=["strings"]))
    for name, expected in hashes.items():
        _check_tables(nlp, name, same_vectors=found == expected)
    _check_labels(nlp, list(hashes))


def _check_labels(nlp: Language, sourced: list[str]) -> None:
    """Of what is trained on; a label that is met in training ends that only there, one label at a time."""
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


def _check_tables(nlp: Language, name: str, *, same_vectors: bool) -> None:
    model = getattr(nlp.get_pipe(name), "model", None)
    nodes = [] if model is None else list(model.walk())
    try:
        for node in nodes:
            if node.name == "tweet_embed":
                node.predict([nlp.make_doc("a")])
    except ConfigError as error:
        raise ConfigError(
            f"{name}: sourced, and cannot read the tables of this pipeline ({error}). In "
            "[initialize.before_init], take them from the pipeline that the component is sourced from"
        ) from None
    if not same_vectors and any(node.name in (NORM_VECTORS, TUNED_VECTORS) for node in nodes):
        raise ConfigError(
            f"{name}: sourced from a pipeline with other vectors than {nlp.vocab.vectors.name!r}, which are this "
            "one's. In [initialize.before_init], set source to the pipeline that the component is sourced from, "
            "and [initialize] vectors to null"
        )
    others = [] if model is None else other_tables(model, nlp.vocab)
    if others:
        kinds = [KINDS.get(table, f"a vector table {table.removeprefix(PREFIX)!r}") for table in others]
        raise ConfigError(
            f"{name}: sourced from a pipeline with {' and '.join(kinds)} of another content than this one's. In "
            "[initialize.before_init], take them from the pipeline that the component is sourced from"
        )
