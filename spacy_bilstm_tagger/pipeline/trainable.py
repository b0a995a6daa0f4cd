"""What all trainable components check: batches, the optimizer, the vocabulary of their docs, and the tok2vec they listen to."""

import math
from typing import Any, Iterable, Iterator, Sequence, cast

from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from ..errors import ConfigError
from ..lexicon.claim import claim_tables
from ..util import check_at_least, is_number


class TrainableMixin:
    """Mixin of all trainable components: batches and the optimizer are checked, and a sourced component brings the tables
    that its layers read along to the vocabulary of the docs. List it before the spaCy class."""

    name: str
    model: Model
    vocab: Vocab

    def meet(self, docs: Sequence[Doc]) -> None:
        """RAISES: ConfigError if the vocabulary of the docs has other tables, or a table is nowhere; ValueError for docs of
        several vocabularies."""
        if not docs:
            return
        vocab = docs[0].vocab
        if any(doc.vocab is not vocab for doc in docs):
            raise ValueError("The docs of a batch are of several vocabularies; expected docs of one pipeline")
        if vocab is not self.vocab:
            claim_tables(self.model, vocab, origin=self.vocab)
            for label in getattr(self, "labels", ()):
                vocab.strings.add(label)
            self.vocab = vocab

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """As spaCy's. RAISES: ConfigError for a batch size below 1, with which spaCy would drop the docs."""
        check_at_least(self.name, 1, batch_size=batch_size)
        return cast(Iterator[Doc], super().pipe(stream, batch_size=batch_size))  # type: ignore[misc]

    def finish_update(self, sgd: Any) -> None:
        """As spaCy's. RAISES: ConfigError for a learn rate below 0, with which the loss grows."""
        learn_rate = getattr(sgd, "learn_rate", 0.0)
        if not is_number(learn_rate) or not 0 <= learn_rate < math.inf:
            raise ConfigError(
                f"{self.name}: learn_rate = {learn_rate!r}; expected a number of at least 0, such as 0.001"
            )
        super().finish_update(sgd)  # type: ignore[misc]

    def predict(self, docs: Iterable[Doc]) -> Any:
        docs = list(docs)
        self.meet(docs)
        return super().predict(docs)  # type: ignore[misc]

    def update(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, float]:
        """As spaCy's."""
        examples = list(examples)
        self.meet([eg.predicted for eg in examples])
        return super().update(examples, **kwargs)  # type: ignore[misc]


def require_own_tok2vec(name: str, model: Model) -> None:
    """RAISES: ConfigError for a component that listens to a shared tok2vec. The teacher of a rehearsal would listen
    too, but gets nothing to hear."""
    for node in model.walk():
        upstream = getattr(node, "upstream_name", None)
        if upstream is not None:
            upstream = "tok2vec" if upstream == "*" else upstream
            raise ConfigError(
                f"{name}: rehearse needs a tok2vec of the component's own, found a listener to a shared one, whose copy "
                f"hears nothing. Call nlp.replace_listeners({upstream!r}, {name!r}, ['model.tok2vec']) before "
                "nlp.resume_training()"
            )


def require_upstream(name: str, model: Model, docs: Sequence[Doc]) -> None:
    """RAISES: ConfigError for docs to which the tok2vec that the model listens to has given no rows, or rows of another
    width: spaCy's listener would read zeros."""
    for node in model.walk():
        upstream = getattr(node, "upstream_name", None)
        if upstream is None:
            continue
        width = node.get_dim("nO") if node.has_dim("nO") else None
        for doc in docs:
            if len(doc) and (doc.tensor.size == 0 or width not in (None, doc.tensor.shape[1])):
                found = "no rows" if doc.tensor.size == 0 else f"rows of width {doc.tensor.shape[1]}, expected {width}"
                raise ConfigError(
                    f"{name}: listens to a tok2vec ({upstream!r}), and found {found} in the doc; expected that component "
                    f"before {name!r} in the pipeline, and not disabled. Or load the pipeline whole, and give {name!r} a tok2vec "
                    "of its own with nlp.replace_listeners"
                )
