"""What the sequence components learn from: gold labels, the soft labels of teachers, and their own former selves."""

import math
from abc import abstractmethod
from typing import Any, Callable, Iterable, Iterator, Optional, Sequence

import numpy as np
import torch
from spacy.tokens import Doc
from spacy.training import Example, validate_examples
from thinc.api import Model, Optimizer, set_dropout_rate

from ..crf.inference import ChainScores
from ..crf.loss import Counts, cross_entropy, divergence, negative_log_likelihood
from ..errors import ConfigError
from ..types import Mask
from .soft_labels import SoftLabels, combine, get_soft_labels, join_chains, set_soft_labels, soft_labels_of, soft_names
from .upstream import require_own_tok2vec


class LearningMixin:
    """Mixin: losses and their gradients, from the labels that a component allows. List it before the spaCy class."""

    name: str
    model: Model
    finish_update: Callable[[Any], None]
    unknown_label: Callable[[str], ValueError]
    chain_scores: Callable[[Sequence[Doc]], ChainScores]
    _rehearsal_model: Optional[Model] = None

    @abstractmethod
    def has_gold(self, doc: Doc) -> bool:
        """Whether a doc has annotation for the component. Where it has, soft labels do not count."""

    @abstractmethod
    def allowed(self, examples: list[Example]) -> Mask:
        """The outputs that the annotation allows, (predicted tokens, n_outputs). RAISES: KeyError for an unknown label."""

    @property
    @abstractmethod
    def soft_key(self) -> str:
        """The key of the soft labels that the component gives as a teacher, and learns from: see `soft_labels`."""

    def read_soft_labels(self, doc: Doc) -> Optional[SoftLabels]:
        """Those that the component learns from, by its output names; "a|b" is one of several."""
        return get_soft_labels(doc, self.soft_key)

    def write_soft_labels(self, doc: Doc, soft: SoftLabels) -> None:
        """Keep soft labels that the component, or several alike, have given."""
        set_soft_labels(doc, self.soft_key, soft)

    def soft_label_names(self, doc: Doc) -> Iterator[str]:
        """The component's labels that stand behind the soft labels of a doc."""
        return soft_names(doc, self.soft_key)

    def soft_labels(self, docs: Sequence[Doc]) -> list[SoftLabels]:
        """The distribution over label sequences of each doc, as a teacher gives it. Settings of prediction do not count."""
        scores = self.chain_scores(docs)
        return join_chains([soft_labels_of(scores.labels(part), self.output_names[part]) for part in self.chains()])

    @abstractmethod
    def constrain(self, scores: ChainScores) -> ChainScores:
        """The scores with -inf for the label sequences that break the component's scheme."""

    @abstractmethod
    def chains(self) -> list[slice]:
        """The outputs of each chain; there may be several that are independent of each other."""

    @property
    @abstractmethod
    def output_names(self) -> Sequence[str]:
        """The name of each output in soft labels."""

    def check_gold(self, examples: Iterable[Example]) -> None:
        """Warn of gold that cannot be learned as it is. It is called when a component is initialized."""

    def get_loss(self, examples: Iterable[Example], scores: ChainScores) -> tuple[float, ChainScores]:
        """The loss of the annotation in nats, summed over the batch, and its gradient; tokens without annotation do not
        count.

        RAISES: ValueError for a gold label that is not among the labels, and for a loss that is not a number.
        """
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.get_loss")
        try:
            soft = [None if self.has_gold(eg.y) else self.read_soft_labels(eg.y) for eg in examples]
            if any(each is not None for each in soft):
                found = self._mixed_loss(scores, examples, soft)
            else:
                found = self._gold_loss(scores, examples)
        except KeyError as error:
            raise self.unknown_label(error.args[0]) from None
        return self._check_loss(*self.reduce(*found))

    def reduce(self, loss: float, gradient: ChainScores, count: int) -> tuple[float, ChainScores]:
        """The loss of a batch and its gradient, from their sums. count (int): tokens that have a label."""
        return loss, gradient

    def _gold_loss(self, scores: ChainScores, examples: list[Example]) -> tuple[float, ChainScores, int]:
        """Loss, gradient, and the number of tokens that have a label."""
        allowed = torch.from_numpy(self.allowed(examples)).to(scores.emissions.device)
        found = self._by_part(scores, lambda some, part: negative_log_likelihood(some, allowed[:, part]))
        return *found, int((~allowed.all(dim=1)).sum())

    def _mixed_loss(
        self, scores: ChainScores, examples: list[Example], soft: list[Optional[SoftLabels]]
    ) -> tuple[float, ChainScores, int]:
        is_soft = np.array([each is not None for each in soft])
        self._check_tokens([eg for eg, each in zip(examples, soft) if each is not None])
        some, tokens = scores.texts(is_soft)
        loss, part, count = self._soft_loss(some, [each for each in soft if each is not None])
        gradient = scores.map(torch.zeros_like).add_texts(part, tokens)
        if not is_soft.all():
            some, tokens = scores.texts(~is_soft)
            more, part, n = self._gold_loss(some, [eg for eg, each in zip(examples, soft) if each is None])
            loss, gradient, count = loss + more, gradient.add_texts(part, tokens), count + n
        return loss, gradient, count

    def _soft_loss(self, scores: ChainScores, soft: list[SoftLabels]) -> tuple[float, ChainScores, int]:
        aim, sets = combine(soft, self.output_names)
        device = scores.emissions.device
        aim, sets = Counts(aim.rows.to(device), aim.pairs.to(device)), sets if sets is None else sets.to(device)
        is_one = len(self.chains()) == 1
        found = self._by_part(scores, lambda some, part: cross_entropy(some, aim if is_one else aim.labels(part), sets))
        return *found, len(aim.rows)

    def _by_part(
        self, scores: ChainScores, loss_of: Callable[[ChainScores, slice], tuple[torch.Tensor, ChainScores]]
    ) -> tuple[float, ChainScores]:
        """The loss and its gradient, of each chain by itself where there are several."""
        scores = self.constrain(scores)
        parts = self.chains()
        if len(parts) == 1:
            losses, gradient = loss_of(scores, parts[0])
            return float(losses.sum()), gradient
        loss, whole = 0.0, scores.map(torch.zeros_like)
        for part in parts:
            losses, gradient = loss_of(scores.labels(part), part)
            loss += float(losses.sum())
            whole.emissions[:, part] = gradient.emissions
            if scores.is_chain:
                transitions, start, end = whole.chain
                transitions[part, part], start[part], end[part] = gradient.chain
        return loss, whole

    def _check_tokens(self, examples: list[Example]) -> None:
        """RAISES: ConfigError for soft labels of other tokens than the pipeline's."""
        for eg in examples:
            if [token.text for token in eg.x] != [token.text for token in eg.y]:
                raise ConfigError(
                    f"{self.name}: the soft labels of {eg.y.text[:40]!r} are of other tokens than this pipeline's tokenizer makes; "
                    "expected a teacher with the same [nlp.tokenizer]"
                )

    def rehearse(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optional[Optimizer] = None,
        losses: Optional[dict[str, float]] = None,
    ) -> dict[str, float]:
        """Pull the predictions back towards those of the model that `nlp.resume_training()` put aside.

        RAISES: ConfigError if the component listens to a shared tok2vec.
        """
        losses = {} if losses is None else losses
        if self._rehearsal_model is None:
            return losses
        require_own_tok2vec(self.name, self.model)
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.rehearse")
        docs = [eg.predicted for eg in examples]
        if not any(map(len, docs)):
            return losses
        set_dropout_rate(self.model, drop)
        scores, backprop = self.model.begin_update(docs)
        loss, gradient = self._check_loss(*self._rehearsal_loss(scores, self._rehearsal_model.predict(docs)))
        backprop(gradient)
        if sgd not in (None, False):
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def _rehearsal_loss(self, scores: ChainScores, teacher: ChainScores) -> tuple[float, ChainScores]:
        """Divergence from the teacher, and its gradient."""
        teacher = self.constrain(teacher)
        found = self._by_part(
            scores, lambda some, part: divergence(some, teacher if len(self.chains()) == 1 else teacher.labels(part))
        )
        return self.reduce(*found, count=len(scores.emissions))

    def _check_loss(self, loss: float, gradient: ChainScores) -> tuple[float, ChainScores]:
        if not math.isfinite(loss):
            raise ValueError(
                f"{self.name}: the loss is not a number. Try a lower learn rate, or gradient clipping (grad_clip = 1.0)"
            )
        return loss, gradient
