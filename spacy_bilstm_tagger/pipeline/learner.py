"""What the components whose model gives emissions have in common."""

from abc import abstractmethod
from collections import Counter
from functools import partial
from typing import Callable, Iterable, Iterator, Optional

import numpy as np
from spacy.tokens import Doc
from spacy.training import Example, validate_examples
from thinc.api import Model, Optimizer, set_dropout_rate

from ..errors import ConfigError
from .chains import add_gradient
from .examples import sample_docs
from .loading import WholeOrNot
from .step import Emissions, Step, by_doc


class Learner(WholeOrNot):
    """Beside what spaCy's class gives: `update`, `rehearse`, `get_loss`, and loading whole or not at all. It stands
    before that class among the bases.

    A component says how emissions, (tokens, labels) for each doc, become a `Step`.
    """

    _rehearsal_model: Optional[Model]

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """How many emissions a token has with the component's labels."""

    @abstractmethod
    def gold_labels(self, doc: Doc) -> Iterator[str]:
        """The labels of an annotated doc, one for each token or span; of what is partly known, those it may be."""

    def unknown_labels(self, docs: Iterable[Doc]) -> Counter[str]:
        """Labels of annotated docs that are not among the component's, and how often each is there."""
        known = set(self.labels)  # type: ignore[attr-defined]
        return Counter(label for doc in docs for label in self.gold_labels(doc) if label not in known)

    def _gold_step(self, examples: list[Example], emissions: Emissions) -> Step:
        """Towards the annotation. RAISES: ValueError for a gold label that is not among the labels."""
        raise NotImplementedError

    def _rehearsal_step(self, examples: list[Example], emissions: Emissions, teacher: Model) -> Step:
        """Towards what the teacher predicts."""
        raise NotImplementedError

    def build(self, get_examples: Callable[[], Iterable[Example]]) -> None:
        """Make the network's weights."""
        docs = sample_docs(get_examples)
        outputs = [self.model.ops.alloc2f(len(doc), self.n_outputs) for doc in docs]
        self.model.initialize(X=docs, Y=outputs)

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[dict[str, float]] = None,
    ) -> dict[str, float]:
        """Learn from annotated examples; what is not annotated does not count.

        RAISES: ValueError for a gold label that is not among the labels, and for a loss that is not a number.
        """
        return self._learn(examples, self._gold_step, "update", drop=drop, sgd=sgd, losses=losses)

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[dict[str, float]] = None,
    ) -> dict[str, float]:
        """Pull the predictions back towards those of the model that `nlp.resume_training()` put aside.

        RAISES: ConfigError where the component listens to a shared tok2vec.
        """
        if self._rehearsal_model is None:
            return {} if losses is None else losses
        require_own_tok2vec(self.name, self.model)
        take_step = partial(self._rehearsal_step, teacher=self._rehearsal_model)
        return self._learn(examples, take_step, "rehearse", drop=drop, sgd=sgd, losses=losses)

    def get_loss(self, examples: Iterable[Example], scores: Emissions) -> tuple[float, Emissions]:
        """The loss of the annotation in nats, summed over the batch, and its gradient for each doc.

        RAISES: as `update`.
        """
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.get_loss")
        step = self._checked(self._gold_step(examples, scores))
        return step.loss, by_doc(self.model.ops, step.emissions, scores)

    def _learn(
        self,
        examples: Iterable[Example],
        take_step: Callable[[list[Example], Emissions], Step],
        method: str,
        *,
        drop: float,
        sgd: Optional[Optimizer],
        losses: Optional[dict[str, float]],
    ) -> dict[str, float]:
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.{method}")
        docs = [eg.predicted for eg in examples]
        if not any(len(doc) for doc in docs):
            return losses
        set_dropout_rate(self.model, drop)
        emissions, backprop = self.model.begin_update(docs)
        step = self._checked(take_step(examples, emissions))
        backprop(by_doc(self.model.ops, step.emissions, emissions))
        if step.chain is not None:
            add_gradient(self.model, step.chain)
        if sgd not in (None, False):
            self.finish_update(sgd)  # type: ignore[attr-defined]
        losses[self.name] += step.loss
        return losses

    def _checked(self, step: Step) -> Step:
        if not np.isfinite(step.loss):
            raise ValueError(
                f"{self.name}: the loss is not a number. Try a lower learn rate, or gradient clipping (grad_clip = 1.0)"
            )
        return step


def require_own_tok2vec(name: str, model: Model) -> None:
    """RAISES: ConfigError for a component that listens to a shared tok2vec. The teacher of a rehearsal would listen
    too, but nothing speaks to it."""
    for node in model.walk():
        upstream = getattr(node, "upstream_name", None)
        if upstream is not None:
            upstream = "tok2vec" if upstream == "*" else upstream
            raise ConfigError(
                f"{name}: rehearse needs a tok2vec of the component's own, found a listener to a shared one, "
                f"whose copy hears nothing. Call nlp.replace_listeners({upstream!r}, {name!r}, ['model.tok2vec']) "
                "before nlp.resume_training()"
            )
