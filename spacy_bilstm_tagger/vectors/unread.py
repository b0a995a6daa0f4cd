"""Is what was loaded read by any component? Each is a path and a switch, and the switch is easily forgotten."""

import warnings

from spacy.language import Language
from thinc.api import Model

from ..layers.brown import NAME as BROWN
from ..layers.gazetteers import NAME as GAZETTEERS
from ..layers.norm_vectors import NAME as NORM_VECTORS
from ..layers.table_vectors import NAME as TABLE_VECTORS
from ..layers.tuned_vectors import NAME as TUNED_VECTORS

SPACY_VECTORS = "static_vectors"  # what spaCy calls its layer of them


def warn_of_unread(nlp: Language, *, vectors: bool, brown: bool, gazetteers: bool, tables: list[str]) -> None:
    """WARNS of each that is loaded and that no layer of the pipeline reads; nothing is said of an empty pipeline."""
    models = [getattr(pipe, "model", None) for _, pipe in nlp.components]
    layers = {node.name for model in models if isinstance(model, Model) for node in model.walk()}
    if not layers:
        return
    unread = []
    if vectors and layers.isdisjoint({NORM_VECTORS, TUNED_VECTORS, SPACY_VECTORS}):
        unread.append(("source", "vectors", "include_static_vectors = true"))
    if brown and BROWN not in layers:
        unread.append(("brown", "Brown clusters", "brown_prefixes = [4, 8, 12, 16]"))
    if gazetteers and GAZETTEERS not in layers:
        unread.append(("gazetteers", "lists of names", "gazetteers = true"))
    for name in tables:
        if TABLE_VECTORS + name not in layers:
            unread.append((f"tables.{name}", "vectors", f'"{name}" among its tables'))
    for setting, what, switch in unread:
        warnings.warn(
            (
                f"load_vectors.v1: {setting} gives the pipeline {what} that none of its components reads; "
                f"TweetEmbed.v1 reads them with {switch}. Or set {setting} to null"
            ),
            stacklevel=2,
        )
