"""Until the lexicon has it."""

from pathlib import Path
from typing import Optional

from spacy.vocab import Vocab
from thinc.api import Model


def claim_tables(model: Model, vocab: Vocab, *, source: Optional[Path] = None, origin: Optional[Vocab] = None) -> None:
    from ..layers.norm_vectors import check_table_of
    from ..layers.table_vectors import check_further_tables
    from ..layers.tuned_vectors import check_tuned_table

    check_table_of(model, vocab.vectors)
    check_tuned_table(model, vocab.vectors)
    check_further_tables(model, vocab)
