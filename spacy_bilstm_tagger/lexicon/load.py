"""load_vectors.v1: vectors, Brown clusters and lists of names for `[initialize.before_init]`."""

import warnings
from functools import partial
from pathlib import Path
from typing import Any, Callable, Literal, Optional

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec
from spacy.tokens import Doc
from spacy.training.initialize import load_vectors_into_model
from spacy.util import dot_to_object, resolve_dot_names
from thinc.api import Model

from ..errors import ConfigError, DataError, Errors, unreadable_corpus
from ..tokenizer import TweetTokenizer
from ..util import check_at_least
from .brown import load_brown
from .claim import tables_read
from .files import find_pipeline, is_pipeline, use_checksums
from .gazetteers import load_gazetteers
from .sources import read_vectors
from .table import BROWN, GAZETTEERS, VECTORS_PREFIX
from .vectors import VOCAB_VECTORS, load_further_table, load_vectors, set_vectors

MAX_LISTED = 20  # labels in a message


def create_load_vectors(
    source: Optional[str] = None,
    max_rows: Optional[int] = None,
    prune_to: Optional[int] = None,
    dim: Optional[int] = None,
    dtype: Literal["float32", "float16"] = "float32",
    brown: Optional[str] = None,
    tables: Optional[dict[str, Optional[str]]] = None,
    gazetteers: Optional[str] = None,
) -> Callable[[Language], None]:
    """Give the pipeline its vectors, Brown clusters and lists of names before its components are initialized, and
    compare sourced components with the pipeline and the training data.

    The tables are saved with the pipeline. A component that is sourced from a folder brings its further tables, clusters
    and lists along; only vectors have to be given again, with the folder as `source`.

    source (str or None): a folder made by `spacy-bilstm vectors`, an installed pipeline with vectors, or whatever that
        command reads: a gensim-data name such as glove-twitter-100, or a file. None: no vectors.
    max_rows, prune_to, dim, dtype: as in that command, for all files of vectors (prune_to: of source alone); a folder is taken
        as it is.
    brown (str or None): a file of Brown clusters (bit path TAB word TAB count, also .gz), or a folder made by
        `spacy-bilstm vectors brown`. None: no clusters.
    tables (dict or None): further vector tables, name -> a source as above. TweetEmbed.v1 takes them by these names.
        A name with None is left out.
    gazetteers (str or None): a folder of lists of names, one name a line in files called as the lists; a single such
        file; or a folder made by `spacy-bilstm vectors gazetteers`. None: no lists.
    RAISES: ConfigError with one line for a source that cannot be read, for a sourced component that was trained with
        other tables or has not all labels of the training data, and where there is nothing to load or to compare.
        WARNS of tables that no component of the pipeline reads.
    """
    for name, value in (("max_rows", max_rows), ("prune_to", prune_to), ("dim", dim)):
        if value is not None:
            check_at_least("load_vectors.v1", 1, **{name: value})
    given: dict[str, Any] = {"source": source, "brown": brown, "gazetteers": gazetteers}
    given["tables"] = {name: table for name, table in (tables or {}).items() if table is not None}
    return partial(_load, **given, max_rows=max_rows, dim=dim, prune_to=prune_to, dtype=dtype)


def _load(
    nlp: Language,
    source: Optional[str],
    brown: Optional[str],
    gazetteers: Optional[str],
    tables: dict[str, str],
    max_rows: Optional[int],
    dim: Optional[int],
    **storage: Any,
) -> None:
    has_tables = bool(tables) or any(each is not None for each in (source, brown, gazetteers))
    if not has_tables and not _vectors_hashes(nlp):
        raise ConfigError(
            "load_vectors.v1: source, brown, gazetteers and tables are all null; expected at least one of them, or "
            "a sourced component that brings its own. Where the pipeline needs none, set [initialize] before_init = "
            "null, and take what it names out of TweetEmbed.v1 (tables = [])"
        )
    use_checksums(nlp)
    if isinstance(nlp.tokenizer, TweetTokenizer):
        nlp.tokenizer.claim_vocab()  # training makes some docs of gold tokens
    lookups, notes = nlp.vocab.lookups, list[str]()
    reading: dict[str, Any] = {"max_rows": max_rows, "dim": dim, "notes": notes}
    try:
        for name, table in tables.items():
            further = load_further_table(table, name, dtype=storage["dtype"], **reading)
            further.to_lookups(lookups, VECTORS_PREFIX + name)
        if brown is not None:
            load_brown(Path(brown)).to_lookups(lookups, BROWN)
        if gazetteers is not None:
            load_gazetteers(Path(gazetteers)).to_lookups(lookups, GAZETTEERS)
        if source is not None and is_pipeline(find_pipeline(source)):
            load_vectors(nlp.vocab, find_pipeline(source))
        elif source is not None:
            read = read_vectors(source, **reading)
            set_vectors(nlp.vocab, read.index_to_key, read.vectors, name=Path(source).name, **storage)
    except DataError as error:
        raise ConfigError(str(error)) from None
    for note in notes:
        warnings.warn(f"load_vectors.v1: {note}", stacklevel=2)
    check_sourced(nlp)
    _warn_of_unread(nlp, source=source, brown=brown, gazetteers=gazetteers, tables=tables)


def _warn_of_unread(
    nlp: Language, *, source: Optional[str], brown: Optional[str], gazetteers: Optional[str], tables: dict[str, str]
) -> None:
    """WARNS of each table that is loaded and that no layer of the pipeline reads, unless there are no layers. Each is a
    path and a switch, and the switch is easily forgotten."""
    models = [model for _, pipe in nlp.components if isinstance(model := getattr(pipe, "model", None), Model)]
    if not models:
        return
    read = set().union(*map(tables_read, models))
    loaded = [(VOCAB_VECTORS, "source", "vectors", "include_static_vectors = true")] if source is not None else []
    loaded += [(BROWN, "brown", "Brown clusters", "brown_prefixes = [4, 8, 12, 16]")] if brown is not None else []
    loaded += [(GAZETTEERS, "gazetteers", "lists of names", "gazetteers = true")] if gazetteers is not None else []
    loaded += [(VECTORS_PREFIX + name, f"tables.{name}", "vectors", f'"{name}" among its tables') for name in tables]
    for table, setting, kind, switch in loaded:
        if table not in read:
            warnings.warn(
                f"load_vectors.v1: {setting} gives the pipeline {kind} that none of its components reads; "
                f"TweetEmbed.v1 reads them with {switch}. Or set {setting} to null",
                stacklevel=2,
            )


def check_sourced(nlp: Language) -> None:
    """Compare listeners with their upstream components, and the tables and labels of sourced components with those of
    the pipeline and of the training data. spaCy warns (W113) of other vectors, or fails at the first batch.

    RAISES: ConfigError for another width, a table that is missing or of another content, a label too many, and
        training data that has no label at all or is not there.
    """
    for upstream, pipe in nlp.components:  # spaCy disables the sourced ones while it initializes the others
        if isinstance(pipe, Tok2Vec) and pipe.model.has_dim("nO"):
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
    expected = pipe.model.get_dim("nO")
    for name in pipe.listening_components:
        for listener in pipe.listener_map[name]:
            found = listener.get_dim("nO") if listener.has_dim("nO") else expected
            if found != expected:
                raise ConfigError(Errors.LISTENER_WIDTH.format(name=name, upstream=upstream, found=found, expected=expected))


def _check_tables(nlp: Language, name: str, model: Model, *, same_vectors: bool) -> None:
    way_out = "In [initialize.before_init], take them from the pipeline that the component is sourced from"
    try:
        for node in model.walk():
            if node.name == "tweet_embed":
                node.predict([nlp.make_doc("a")])
    except ConfigError as error:
        raise ConfigError(f"{name}: sourced, and cannot read the tables of this pipeline ({error}). {way_out}") from None
    if not same_vectors and VOCAB_VECTORS in tables_read(model):
        raise ConfigError(
            f"{name}: sourced from a pipeline with other vectors than {nlp.vocab.vectors.name!r}, which are this one's. "
            "In [initialize.before_init], set source to the pipeline that the component is sourced from, and "
            "[initialize] vectors to null"
        )


def _check_labels(nlp: Language, sourced: list[str]) -> None:
    """Of all training data; a label that is met in training ends that only there, one label at a time."""
    frozen = nlp.config["training"]["frozen_components"]
    trained: list[Any] = [nlp.get_pipe(name) for name in sourced if name not in frozen]
    learners = [pipe for pipe in trained if hasattr(pipe, "unknown_labels")]
    docs = (_training_docs(nlp) if learners else None) or []
    for pipe in learners if docs else ():
        if not any(label for doc in docs for label in pipe.gold_labels(doc)):
            raise ConfigError(
                f"{pipe.name}: sourced, and none of the {len(docs)} training texts is annotated for it; expected gold labels "
                f"such as {pipe.labels[0]!r}. Look whether paths.train is the right corpus, or name {pipe.name!r} in "
                "frozen_components"
            )
        unknown = pipe.unknown_labels(docs)
        if unknown:
            listed = ", ".join(f"{label!r} ({count:,})" for label, count in unknown.most_common(MAX_LISTED))
            more = f" and {len(unknown) - MAX_LISTED} more" if len(unknown) > MAX_LISTED else ""
            grow = ", or give them to the sourced one with add_label, save that pipeline, and source it"
            raise ConfigError(
                f"{pipe.name}: sourced with {len(pipe.labels)} labels, but the training data has others: {listed}{more}. "
                "Rename them with 'spacy-bilstm convert', or source the tok2vec alone and define a new component on it"
                f"{grow if pipe.resizable else ''}"
            )


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
