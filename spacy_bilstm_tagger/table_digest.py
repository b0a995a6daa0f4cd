"""Is a vocabulary's table the one that a layer was made with? The layer keeps a digest of it, which is saved with its
weights: clusters, lists and rows of the same shape may be quite other ones."""

import hashlib

from spacy.vocab import Vocab
from thinc.api import Model

TABLE, DIGEST = "lookups_table", "digest"  # among the layer's attrs


def remember_table(model: Model, vocab: Vocab, table: str) -> None:
    """Of a layer that reads this table of the vocabulary's lookups."""
    model.attrs[TABLE], model.attrs[DIGEST] = table, _digest(vocab, table)


def other_tables(model: Model, vocab: Vocab) -> list[str]:
    """The tables of the vocabulary that are others than layers of the model were made with. Models that were saved
    before there were digests have none to compare."""
    wanted = {(node.attrs[TABLE], node.attrs[DIGEST]) for node in model.walk() if DIGEST in node.attrs}
    return sorted({table for table, digest in wanted if _digest(vocab, table) != digest})


def _digest(vocab: Vocab, table: str) -> str:
    """Of the values, in the order of their keys."""
    digest = hashlib.blake2b(digest_size=16)
    for _, value in sorted(vocab.lookups.get_table(table, {}).items()):
        digest.update(value if isinstance(value, bytes) else repr(value).encode())
    return digest.hexdigest()
