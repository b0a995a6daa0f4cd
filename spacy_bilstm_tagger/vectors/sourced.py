"""Do sourced components fit in? Asked once the vocabulary has its tables."""

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec

from ..errors import ConfigError, Errors


def check_sourced(nlp: Language) -> None:
    """Compare the widths of listeners and of what they listen to, and let the embeddings of sourced components read one
    token. spaCy sources a component without its tables, and warns (W113), or fails at the first batch, where those of
    the pipeline are others.

    RAISES: ConfigError for another width, a table that is missing, and other vectors than the source's.
    """
    for upstream, pipe in nlp.components:  # spaCy disables the sourced ones while it initializes the others
        if isinstance(pipe, Tok2Vec):
            _check_listeners(upstream, pipe)
    hashes = nlp.meta.get("_sourced_vectors_hashes", {})  # where spaCy keeps them for its W113
    if not hashes or nlp.config["initialize"]["vectors"] is not None:  # those take the place of these later
        return
    found = hash(nlp.vocab.vectors.to_bytes(exclude=["strings"]))
    for name, expected in hashes.items():
        _check_tables(nlp, name, same_vectors=found == expected)


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
        raise ConfigError(Errors.SOURCED_TABLES.format(name=name, reason=error)) from None
    if not same_vectors and any(node.name == "norm_vectors" for node in nodes):
        raise ConfigError(Errors.SOURCED_VECTORS.format(name=name, vectors=nlp.vocab.vectors.name))
