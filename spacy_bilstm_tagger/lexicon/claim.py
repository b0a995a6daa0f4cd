"""The tables that the layers of a model read, and how a component brings them along.

A layer that reads a table keeps the name and the checksum of the table among its attrs, which are saved with the
weights. Tables of the same shape may hold quite other clusters, names or rows, so the name alone tells too little.
"""

from pathlib import Path
from typing import Iterator, Optional

from spacy.lookups import Lookups
from spacy.vocab import Vocab
from thinc.api import Model

from ..errors import ConfigError
from .files import is_pipeline, read_lookups
from .table import VECTORS_PREFIX, WordTable, describe, get_table
from .vectors import VOCAB_VECTORS, check_further_table, check_shape, check_vectors

NAME, CHECKSUM = "word_table", "word_table_checksum"  # among the attrs of a layer


def remember_table(model: Model, vocab: Vocab) -> WordTable:
    """The table that the layer reads; its checksum is kept among the attrs of the layer."""
    table = get_table(vocab, model.attrs[NAME])
    model.attrs[CHECKSUM] = table.checksum
    return table


def tables_read(model: Model) -> set[str]:
    """The names of the tables that layers of the model read; VOCAB_VECTORS for `vocab.vectors`."""
    names = {node.attrs[NAME] for node in model.walk() if NAME in node.attrs}
    has_spacy_s_layer = any(node.name == "static_vectors" for node in model.walk())
    return names | {VOCAB_VECTORS} if has_spacy_s_layer else names


def claim_tables(model: Model, vocab: Vocab, *, source: Optional[Path] = None, origin: Optional[Vocab] = None) -> None:
    """Give the vocabulary the tables that the model was trained with, and check those that it has.

    spaCy loads a sourced component without the lookups of its pipeline, so a component takes its tables from there.
    `vocab.vectors` are not taken. Where there are none, this is no error: a config may load them later.

    source (Path or None): the folder of the pipeline that the model was saved with.
    origin (Vocab or None): the vocabulary that the model has worked with so far.
    RAISES: ConfigError for a table that is nowhere, or has another content than the model was trained with, or holds
        NaN, or is of another width; DataError where `source` is damaged.
    """
    saved: Optional[Lookups] = None
    for node in _readers(model):
        name = node.attrs[NAME]
        if name == VOCAB_VECTORS:
            _check_vocab_vectors(node, vocab)
            continue
        if name not in vocab.lookups:
            table = WordTable.from_lookups(origin.lookups, name) if origin is not None else None
            if table is None and source is not None and is_pipeline(source):
                saved = saved or read_lookups(source)
                table = WordTable.from_lookups(saved, name)
            if table is not None:
                table.to_lookups(vocab.lookups, name)
        _check(node, get_table(vocab, name))


def other_tables(model: Model, vocab: Vocab) -> list[str]:
    """The tables of the vocabulary that have another content than those that the model was trained with."""
    claims = {(node.attrs[NAME], node.attrs[CHECKSUM]) for node in _readers(model) if CHECKSUM in node.attrs}
    return sorted(name for name, checksum in claims if get_table(vocab, name).checksum != checksum)


def _readers(model: Model) -> Iterator[Model]:
    """The layers that read a table, and that were initialized with it."""
    for node in model.walk():
        if CHECKSUM in node.attrs or (node.attrs.get(NAME) == VOCAB_VECTORS and node.has_dim("nO")):
            yield node


def _check(node: Model, table: WordTable) -> None:
    if table.checksum == node.attrs[CHECKSUM]:
        return
    name = node.attrs[NAME]
    if name.startswith(VECTORS_PREFIX):  # these have messages of their own
        check_further_table(table, name, width=node.get_dim("nO"))
    raise ConfigError(
        f"The model was trained with {describe(name)} of another content than the pipeline has. Load the pipeline with "
        "the tables that the model was trained with, or train again. If nothing was exchanged, the pipeline is damaged: "
        "get it again"
    )


def _check_vocab_vectors(node: Model, vocab: Vocab) -> None:
    if vocab.vectors.shape[0]:
        check_vectors(vocab.vectors)
        tuned_rows = len(node.get_param("E")) if node.has_param("E") else None
        check_shape(vocab.vectors, width=node.get_dim("nO"), tuned_rows=tuned_rows)
