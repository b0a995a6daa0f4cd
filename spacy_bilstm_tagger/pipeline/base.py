"""The base of the components whose model gives scores of label sequences: labels, training, prediction."""

import math
from abc import abstractmethod
from collections import Counter
from itertools import chain
from typing import Any, Callable, Iterable, Iterator, Optional, Sequence

import numpy as np
import torch
from spacy.errors import Errors as SpacyErrors
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate

from ..crf.inference import ChainScores
from ..crf.loss import Counts, cross_entropy, divergence, negative_log_likelihood
from ..errors import ConfigError
from ..layers.label_scores import ScoresModel
from ..types import Mask
from .corpora import check_examples, sample_docs
from .saving import AtomicLoadMixin
from .soft_labels import SoftLabels, combine, get_soft_labels, join_chains, set_soft_labels, soft_labels_of, soft_names
from .trainable import TrainableMixin, require_own_tok2vec, require_upstream


class Setting:
    """A setting of prediction: kept in cfg, so it is saved, and checked whenever it is set."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, pipe: Optional["SequenceComponent"], owner: Optional[type] = None) -> Any:
        return self if pipe is None else pipe.cfg[self.name]

    def __set__(self, pipe: "SequenceComponent", value: Any) -> None:
        pipe.check_settings(pipe.name, **{**pipe.settings, self.name: value})
        pipe.cfg[self.name] = value


class SequenceComponent(TrainableMixin, AtomicLoadMixin, TrainablePipe):
    """Labels tokens by the scores that its model gives, `ChainScores` of (tokens, n_outputs) for a list of docs.

    A component defines the labels that a gold token allows (`gold_labels`, `allowed`), the annotations that scores
    become (`decode`), and where these are set (`set_annotations`). Its settings of prediction are attributes, see
    `Setting`: they may be set on a trained component, also by `spacy.load(..., config=...)`.
    """

    resizable = False  # whether add_label also works on a trained component
    _rehearsal_model: Optional[Model] = None

    def __init__(
        self, vocab: Vocab, model: ScoresModel, name: str, *, scorer: Optional[Callable] = None, **settings: Any
    ) -> None:
        """settings: the arguments of the component's factory, which documents them."""
        self.check_settings(name, **settings)
        super().__init__(vocab, model, name, labels=[], **settings)
        self.scorer = scorer
        self.cfg["config_at_init"] = self.settings

    def __setattr__(self, name: str, value: Any) -> None:
        """RAISES: ConfigError for what belongs to the weights, and for arguments of the factory that are no attributes."""
        if name in (self.cfg or {}) and not isinstance(getattr(type(self), name, None), Setting):
            raise ConfigError(
                f"{self.name}: {name} goes with the weights; it cannot change, train again with another one"
            )
        super().__setattr__(name, value)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of prediction, by name."""
        names = (
            name for each in type(self).__mro__ for name, value in vars(each).items() if isinstance(value, Setting)
        )
        return {name: self.cfg[name] for name in names}

    @classmethod
    def check_settings(cls, name: str, **settings: Any) -> None:
        """RAISES: ConfigError for a setting out of range. name (str): of the component."""

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """How many scores a token has with the component's labels."""

    @abstractmethod
    def gold_labels(self, doc: Doc) -> Iterator[str]:
        """The labels of an annotated doc, one for each token or span; several for one that is partly known."""

    @abstractmethod
    def allowed(self, examples: list[Example]) -> Mask:
        """The outputs that the annotation allows, (predicted tokens, n_outputs). RAISES: KeyError for an unknown label."""

    @property
    @abstractmethod
    def soft_key(self) -> str:
        """The key of the soft labels that the component gives as a teacher, and learns from: see `soft_labels`."""

    @property
    @abstractmethod
    def output_names(self) -> Sequence[str]:
        """The name of each output in soft labels."""

    @abstractmethod
    def has_gold(self, doc: Doc) -> bool:
        """Whether a doc has annotation for the component. Where it has, soft labels do not count."""

    def read_soft_labels(self, doc: Doc) -> Optional[SoftLabels]:
        """Those that the component learns from, by its output names; "a|b" is one of several."""
        return get_soft_labels(doc, self.soft_key)

    def write_soft_labels(self, doc: Doc, soft: SoftLabels) -> None:
        """Keep soft labels that the component, or several alike, have given."""
        set_soft_labels(doc, self.soft_key, soft)

    @abstractmethod
    def decode(self, docs: list[Doc], scores: ChainScores) -> Sequence[Any]:
        """The annotations of each doc. scores: on the CPU."""

    @abstractmethod
    def no_labels(self) -> str:
        """The message for training data without labels."""

    def constrain(self, scores: ChainScores) -> ChainScores:
        """The scores with -inf for the label sequences that break the component's scheme."""
        return scores

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the scores."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> list[str]:
        """The labels, for `spacy init labels`."""
        return list(self.labels)

    def add_label(self, label: str) -> int:
        """Add a label, before the network is built. Returns 1 if it is new, 0 if not."""
        if not isinstance(label, str) or not label:
            raise ValueError(f"{self.name}: found the label {label!r}; expected a name that is not empty")
        if label in self.labels:
            return 0
        if self.model.has_dim("nO") and self.model.get_dim("nO") == self.n_outputs:
            raise ValueError(SpacyErrors.E922.format(name=self.name, nO=self.n_outputs))
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return 1

    def find_labels(self, docs: Iterable[Doc]) -> set[str]:
        """The labels of annotated docs, and those of soft labels."""
        return {label for doc in docs for label in chain(self.gold_labels(doc), self.soft_label_names(doc))}

    def soft_label_names(self, doc: Doc) -> Iterator[str]:
        """The component's labels that stand behind the soft labels of a doc."""
        return soft_names(doc, self.soft_key)

    def unknown_labels(self, docs: Iterable[Doc]) -> Counter[str]:
        """Labels of annotated docs that are not among the component's, with their counts."""
        known = set(self.labels)
        return Counter(label for doc in docs for label in self.gold_labels(doc) if label not in known)

    def unknown_label(self, label: str) -> ValueError:
        """The error for a gold label that is not among the labels."""
        if self.resizable:
            trained = f"To a trained component, add it by nlp.get_pipe({self.name!r}).add_label({label!r})"
        else:
            trained = "A trained component keeps its labels: source the tok2vec alone, and define a new component on it"
        return ValueError(
            f"{self.name}: the gold label {label!r} is not among the component's {len(self.labels)} labels. "
            f"Add it to the labels file, or initialize without one. {trained}"
        )

    def initialize(
        self, get_examples: Callable[[], Iterable[Example]], *, nlp: Any = None, labels: Optional[Sequence[str]] = None
    ) -> None:
        """Collect the labels (from `labels`, else from all examples, sorted) and build the network.

        RAISES: ConfigError if there is no label.
        """
        check_examples(get_examples, f"{type(self).__name__}.initialize", nlp)
        if labels is None:
            labels = sorted(self.find_labels(eg.y for eg in get_examples()))
        for label in labels:
            self.add_label(label)
        if not self.labels:
            raise ConfigError(self.no_labels())
        docs = sample_docs(get_examples)
        self.model.initialize(X=docs, Y=[self.model.ops.alloc2f(len(doc), self.n_outputs) for doc in docs])

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

    def chains(self) -> list[slice]:
        """The outputs of each chain; there may be several that are independent of each other."""
        return [slice(0, self.n_outputs)]

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

    def soft_labels(self, docs: Sequence[Doc]) -> list[SoftLabels]:
        """The distribution over label sequences that the component gives to each doc, as a teacher. Settings of prediction
        do not count."""
        self.meet(docs)
        require_upstream(self.name, self.model, docs)
        scores = self.constrain(self.model.predict(docs).cpu())
        return join_chains([soft_labels_of(scores.labels(part), self.output_names[part]) for part in self.chains()])

    def _check_loss(self, loss: float, gradient: ChainScores) -> tuple[float, ChainScores]:
        if not math.isfinite(loss):
            raise ValueError(
                f"{self.name}: the loss is not a number. Try a lower learn rate, or gradient clipping (grad_clip = 1.0)"
            )
        return loss, gradient

    def predict(self, docs: Iterable[Doc]) -> Sequence[Any]:
        """The annotations of each doc.

        RAISES: ValueError for scores that are NaN or infinite, from which labels would be picked all the same.
        """
        docs = list(docs)
        self.meet(docs)
        require_upstream(self.name, self.model, docs)
        if any(map(len, docs)):
            scores = self.model.predict(docs).cpu()
        else:
            scores = ChainScores(torch.zeros((0, self.n_outputs)), [0 for _ in docs])
        # One pass. The sum of finite numbers can overflow, so look again.
        emissions = scores.emissions
        if not math.isfinite(float(emissions.sum())) and not bool(emissions.isfinite().all()):
            raise ValueError(
                f"{self.name}: the model gives scores that are NaN or infinite, so no label can be chosen; expected finite "
                "numbers. Its weights are damaged or diverged in training: get the pipeline again, or train with a lower "
                "learn rate"
            )
        return self.decode(docs, self.constrain(scores))
