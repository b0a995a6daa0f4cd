"""How a component brings the tables along that the layers of its model read."""

from pathlib import Path
from typing import Iterator, Optional

from spacy.lookups import Lookups
from spacy.vocab import Vocab
from thinc.api import Model

from ..errors import ConfigError
from .files import is_pipeline, read_lookups
from .table import CHECKSUM, NAME, WordTable, claimed_table, get_table
from .vectors import VOCAB_VECTORS, check_shape, check_vectors, checksum, is_same


def tables_read(model: Model) -> set[str]:
    """The names of the tables that layers of the model read; VOCAB_VECTORS for `vocab.vectors`."""
    names = {node.attrs[NAME] for node in model.walk() if NAME in node.attrs}
    has_spacy_s_layer = any(node.name == "static_vectors" for node in model.walk())
    return names | {VOCAB_VECTORS} if has_spacy_s_layer else names


def claim_tables(model: Model, vocab: Vocab, *, source: Optional[Path] = None, origin: Optional[Vocab] = None) -> None:
    """Give the vocabulary the tables that the model was trained with, and check those that it has.

    spaCy loads a sourced component without the lookups of its pipeline, so a component takes its tables from there.
    `vocab.vectors` are not taken. Where there are none, this is no error: a config may load them later. With a loaded model
    they must be those that it was saved with, and with `origin` those that are there now.

    source (Path or None): the folder of the pipeline that the model was saved with.
    origin (Vocab or None): the vocabulary that the model has worked with so far.
    RAISES: ConfigError for a table that is nowhere, or has another content than the model was trained with; DataError
        where `source` is damaged.
    """
    brought = Vocab()  # so that nothing is stored if one of them is refused
    saved: Optional[Lookups] = None
    for node in _readers(model):
        name = node.attrs[NAME]
        if name == VOCAB_VECTORS:
            _check_vocab_vectors(node, vocab, origin)
            continue
        if name in vocab.lookups:
            claimed_table(node, vocab)
            continue
        table = WordTable.from_lookups(origin.lookups, name) if origin is not None else None
        if table is None and source is not None and is_pipeline(source):
            saved = saved or read_lookups(source)
            table = WordTable.from_lookups(saved, name)
        if table is None:
            get_table(vocab, name)  # for its message
        else:
            table.to_lookups(brought.lookups, name)
            claimed_table(node, brought)
    for name in brought.lookups.tables:
        get_table(brought, name).to_lookups(vocab.lookups, name)


def remember_vectors(model: Model, vocab: Vocab) -> None:
    """Keep the checksum of `vocab.vectors` in the layers that read them, before they are saved."""
    for node in _readers(model):
        if node.attrs[NAME] == VOCAB_VECTORS and vocab.vectors.shape[0]:
            node.attrs[CHECKSUM] = checksum(vocab.vectors)


def _readers(model: Model) -> Iterator[Model]:
    """The layers that read a table, and that were initialized with it."""
    for node in model.walk():
        if CHECKSUM in node.attrs or (node.attrs.get(NAME) == VOCAB_VECTORS and node.has_dim("nO")):
            yield node


def _check_vocab_vectors(node: Model, vocab: Vocab, origin: Optional[Vocab]) -> None:
    if vocab.vectors.shape[0]:
        check_vectors(vocab.vectors)
        tuned_rows = len(node.get_param("E")) if node.has_param("E") else None
        check_shape(vocab.vectors, width=node.get_dim("nO"), tuned_rows=tuned_rows)
        if origin is not None:
            if origin.vectors.shape[0] and not is_same(origin.vectors, vocab.vectors):
                raise ConfigError(
                    "The docs come from a pipeline with other vectors than those that the component has worked with so far. Give "
                    "that pipeline the same vectors: nlp.vocab.vectors = other.vocab.vectors"
                )
        elif node.attrs.get(CHECKSUM) not in (None, checksum(vocab.vectors)):
            raise ConfigError(
                "The vectors (vocab/vectors) or their keys (vocab/key2row) are not those that the component was saved with. Get "
                "the whole folder again, or give the folder of the vectors that it was trained with"
            )
