"""The base of the components whose model gives scores of label sequences: labels, settings, prediction, saving, `doc.spans`."""

import math
import struct
from abc import abstractmethod
from collections import Counter
from itertools import chain
from typing import Any, Callable, Iterable, Iterator, Optional, Sequence, cast

import srsly
import torch
from spacy.errors import Errors as SpacyErrors
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from ..crf.inference import ChainScores
from ..errors import ConfigError
from ..layers.bilstm import PackedRNN
from ..layers.label_scores import ScoresModel
from ..layers.shim import turn
from ..lexicon.claim import claim_tables
from ..tokenizer.tweet_tokenizer import token_settings, warn_of_tokens
from ..util import check_at_least, check_fraction, check_name, set_computed
from .corpora import check_examples, check_learn_rate, sample_docs
from .learning import LearningMixin
from .precision import compare_precisions, read_in_half
from .saving import AtomicLoadMixin
from .upstream import check_upstream, reset_links

SPAN = struct.Struct(">QQQllll")  # one span, as spaCy's SpanGroup.to_bytes writes it
# In the attrs of a group: its spans are those of doc.ents; the first character, the one behind the last, and label of each score.
ARE_ENTS, PLACES = "are_ents", "places"


class TrainableMixin:
    """Mixin of all trainable components: batches and the optimizer are checked, and a sourced component brings the tables
    that its layers read along to the vocabulary of the docs. List it before the spaCy class."""

    name: str
    model: Model
    vocab: Vocab
    cfg: dict[str, Any]
    _tokens: Optional[tuple[dict[str, Any], dict[str, Any]]] = None  # the settings of training, and of the last docs
    _idle_steps = 0  # of the optimizer, one after the other, with a learn rate of 0

    def meet(self, docs: Sequence[Doc]) -> None:
        """WARNS: of docs of another tokenizer than that of training. RAISES: ConfigError if the vocabulary of the docs has other
        tables, or a table is nowhere; ValueError for docs of several vocabularies."""
        if not docs:
            return
        vocab = docs[0].vocab
        if any(doc.vocab is not vocab for doc in docs):
            raise ValueError("The docs of a batch are of several vocabularies; expected docs of one pipeline")
        trained = self.cfg.get("tokens") or self.cfg.setdefault("tokens", token_settings(self.vocab))
        tokens = trained, token_settings(vocab)
        if tokens != self._tokens:
            warn_of_tokens(self.name, *tokens)
        self._tokens = tokens
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
        """As spaCy's. WARNS, RAISES: as `check_learn_rate`."""
        self._idle_steps = check_learn_rate(self.name, sgd, self._idle_steps)
        super().finish_update(sgd)  # type: ignore[misc]

    def predict(self, docs: Iterable[Doc]) -> Any:
        docs = list(docs)
        self.meet(docs)
        with turn(docs):
            rows = super().predict(docs)  # type: ignore[misc]
        if PackedRNN.any_auto:
            self.rows_in_half = read_in_half(self, docs, rows)
        return rows

    def update(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, float]:
        """As spaCy's. RAISES: ConfigError for a dropout below 0, or not below 1."""
        examples = list(examples)
        check_fraction(self.name, drop=kwargs.get("drop", 0.0))
        self.meet([eg.predicted for eg in examples])
        self.cfg["tokens"] = token_settings(self.vocab)  # of the last training, which may go on with other tokens
        check_upstream(self.name, self.model, batch=[eg.predicted for eg in examples])
        reset_links(self.model)
        return super().update(examples, **kwargs)  # type: ignore[misc]


class Setting:
    """A setting of prediction: kept in cfg, so it is saved, and checked whenever it is set. names: of all components."""

    names: set[str] = set()

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.names.add(name)

    def __get__(self, pipe: Optional["SettingsMixin"], owner: Optional[type] = None) -> Any:
        return self if pipe is None else pipe.cfg[self.name]

    def __set__(self, pipe: "SettingsMixin", value: Any) -> None:
        pipe.check_settings(pipe.name, **{**pipe.settings, self.name: value})
        pipe.cfg[self.name] = value


class SettingsMixin:
    """Mixin of components that have settings. cfg (dict): their values, and what goes with the weights."""

    name: str
    cfg: dict[str, Any]

    def __setattr__(self, name: str, value: Any) -> None:
        """RAISES: ConfigError for what goes with the weights, and for what would do nothing: arguments of the factory, misspelled
        settings, those of other components."""
        known = getattr(self, "cfg", None) or {}
        if name in known and not isinstance(getattr(type(self), name, None), Setting):
            raise ConfigError(f"{self.name}: {name} goes with the weights; train again with another one")
        if known and not hasattr(self, name):
            check_name(self.name, name, known, Setting.names)
        super().__setattr__(name, value)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of prediction, by name."""
        found = (pair for each in type(self).__mro__ for pair in vars(each).items())
        return {name: self.cfg[name] for name, value in found if isinstance(value, Setting)}

    @classmethod
    def check_settings(cls, name: str, **settings: Any) -> None:
        """RAISES: ConfigError for a setting out of range. name (str): of the component."""


class SequenceComponent(SettingsMixin, LearningMixin, TrainableMixin, AtomicLoadMixin, TrainablePipe):
    """Labels tokens by the scores that its model gives, `ChainScores` of (tokens, n_outputs) for a list of docs.

    A component defines the labels that a gold token allows (`gold_labels`, `allowed`), the annotations that scores
    become (`decode`), and where these are set (`set_annotations`). Its settings of prediction are attributes: see `Setting`.
    """

    resizable = False  # whether add_label also works on a trained component

    def __init__(self, vocab: Vocab, model: ScoresModel, name: str, *, scorer: Optional[Callable] = None, **settings: Any) -> None:
        """settings: the arguments of the component's factory, which documents them."""
        self.check_settings(name, **settings)
        super().__init__(vocab, model, name, labels=[], **settings)
        self.scorer = scorer
        self.cfg["config_at_init"] = self.settings

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """How many scores a token has with the component's labels."""

    @abstractmethod
    def gold_labels(self, doc: Doc) -> Iterator[str]:
        """The labels of an annotated doc, one for each token or span; several for one that is partly known."""

    @abstractmethod
    def decode(self, docs: list[Doc], scores: ChainScores) -> Sequence[Any]:
        """The annotations of each doc. scores: on the CPU."""

    @abstractmethod
    def no_labels(self) -> str:
        """The message for training data without labels."""

    def constrain(self, scores: ChainScores) -> ChainScores:
        return scores

    def chains(self) -> list[slice]:
        return [slice(0, self.n_outputs)]

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

        RAISES: ConfigError if there is no label. WARNS: see `check_gold`.
        """
        check_examples(get_examples, f"{type(self).__name__}.initialize", nlp)
        if isinstance(labels, (str, dict)) or not all(isinstance(label, str) for label in labels or ()):
            raise ConfigError(f"{self.name}: found {str(labels)[:60]} as labels, expected a list of names (spacy init labels)")
        if labels is None:
            labels = sorted(self.find_labels(eg.y for eg in get_examples()))
        for label in labels:
            self.add_label(label)
        if not self.labels:
            raise ConfigError(self.no_labels())
        docs = sample_docs(get_examples)
        self.cfg["tokens"] = token_settings(self.vocab)
        reset_links(self.model)
        self.model.initialize(X=docs, Y=[self.model.ops.alloc2f(len(doc), self.n_outputs) for doc in docs])
        self.check_gold(get_examples())

    def predict(self, docs: Iterable[Doc]) -> Sequence[Any]:
        """The annotations of each doc. RAISES: as `chain_scores`."""
        docs = list(docs)
        if PackedRNN.any_auto:
            compare_precisions(self, docs)
        with turn(docs):
            return self.decode(docs, self.chain_scores(docs))

    def chain_scores(self, docs: Sequence[Doc]) -> ChainScores:
        """The scores that annotations are decoded from: on the CPU, with -inf for what the component's scheme does not have.

        RAISES: ValueError for scores that are NaN or infinite, from which labels would be picked all the same.
        """
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
                f"{self.name}: the model gives scores that are NaN or infinite, so no label can be chosen; expected finite ones. "
                "Its weights are damaged or diverged in training: get the pipeline again, or train with a lower learn rate"
            )
        return self.constrain(scores)

    def adjust(self, scores: ChainScores) -> ChainScores:
        """The scores by the settings of prediction; probabilities are those of these."""
        return scores


def require_upstream(name: str, model: Model, docs: Sequence[Doc]) -> None:
    """Warn of another tok2vec than the component was trained with. RAISES: ConfigError for docs to which the tok2vec has given
    no rows, rows of another width, or rows of other tokens: spaCy's listener would read zeros, or the rows of other words."""
    for node in model.walk():
        upstream = getattr(node, "upstream_name", None)
        if upstream is None:
            continue
        width = node.get_dim("nO") if node.has_dim("nO") else None
        for doc in docs:
            if not len(doc):
                continue
            rows, columns = doc.tensor.shape if doc.tensor is not None and doc.tensor.size else (0, 0)
            expected = f"that component before {name!r} in the pipeline, and not disabled; in training, among annotating_components"
            if not rows:
                found = "no rows"
            elif width not in (None, columns):
                found = f"rows of width {columns}, expected {width},"
            elif rows != len(doc):
                found = f"{rows} rows for {len(doc)} tokens"
                expected = "the component that splits tokens before that tok2vec in the pipeline"
            else:
                continue
            raise ConfigError(
                f"{name}: listens to a tok2vec ({upstream!r}), and found {found} in the doc; expected {expected}. Or load the "
                f"pipeline whole, and give {name!r} a tok2vec of its own with nlp.replace_listeners"
            )
        if any(map(len, docs)) and not getattr(vars(node).get("link"), "is_checked", False):
            check_upstream(name, model)


def span_group(doc: Doc, name: str, spans: list[Span], scores: list[float], *, are_ents: bool = False) -> SpanGroup:
    """A group for `doc.spans[name]`, whose attrs["scores"] has a float for each span, so that JSON takes it.

    are_ents (bool): the spans are those of `doc.ents`, so their scores are those of the entities.
    """
    places = [[span.start_char, span.end_char, span.label] for span in spans]
    attrs: dict[str, Any] = {"scores": list(map(float, scores)), PLACES: places}
    return AlignedSpanGroup(doc, name=name, spans=spans, attrs={**attrs, ARE_ENTS: True} if are_ents else attrs)


def scored_spans(group: SpanGroup) -> list[tuple[Span, Optional[float]]]:
    """The spans of a group, each with its probability; None without one, and where a merge has made the span longer."""
    return list(zip(group, _scores(group)))


def span_score(span: Span) -> Optional[float]:
    """The probability that a component of ours gave to this span; None without one.

    It is that of the span of the same characters and label in `doc.spans`: of an entity, in the groups of recognizers; of
    another span, in the others, and then in these. Of spaCy's groups, which docs of other processes and files have, the tokens may
    be those of before a merge.
    """
    doc, place = span.doc, (span.start_char, span.end_char, span.label)
    is_ent = any((ent.start, ent.end, ent.label) == (span.start, span.end, span.label) for ent in doc.ents)
    groups = [group for group in doc.spans.values() if ARE_ENTS in group.attrs or not is_ent]
    for group in sorted(groups, key=lambda group: ARE_ENTS in group.attrs):
        found = dict(zip(_places(group), _scores(group))).get(place)
        if found is not None:
            return found
    return None


set_computed(Span, "score", span_score)


def _scores(group: SpanGroup) -> list[Optional[float]]:
    """Of each span. A group of ours knows the places of its scores: spans may have been added, exchanged or left out since."""
    scores = [None if score is None else float(score) for score in group.attrs.get("scores", ())]
    if PLACES in group.attrs:
        by_place = dict(zip(map(tuple, group.attrs[PLACES]), scores))
        return [by_place.get(place) for place in _places(group)]
    return scores if len(scores) == len(group) else [None] * len(group)  # of somebody else, whose order is unknown


def _places(group: SpanGroup) -> list[tuple[int, int, int]]:
    """The first character, the one behind the last, and the label of each span."""
    unpacked = map(SPAN.unpack, srsly.msgpack_loads(group.to_bytes())["spans"])
    return [(start, end, label) for _, _, label, _, _, start, end in unpacked]


class AlignedSpanGroup(SpanGroup):
    """Finds its spans again by their characters when `merge_entities`, or another component that merges or splits tokens,
    has changed the numbers of the tokens, which spaCy's own groups keep. A span that ends inside a token takes all
    of it, and its score is None then: it was that of another span."""

    def __getitem__(self, i: int) -> Span:
        if not self._fits(i):
            self._find_by_characters()
        return super().__getitem__(i)

    def to_bytes(self) -> bytes:
        """As spaCy's."""
        list(self)
        return super().to_bytes()

    def copy(self, doc: Optional[Doc] = None) -> "AlignedSpanGroup":
        """As spaCy's."""
        plain = super().copy(doc)
        return AlignedSpanGroup(plain.doc, name=plain.name, attrs=plain.attrs, spans=list(plain))

    def _fits(self, i: int) -> bool:
        try:
            span = super().__getitem__(i)
        except IndexError:
            return False
        first, last = span[0], span[-1]
        return bool(first.idx == span.start_char and last.idx + len(last) == span.end_char)

    def _find_by_characters(self) -> None:
        for i, data in enumerate(srsly.msgpack_loads(super().to_bytes())["spans"]):
            span_id, kb_id, label, _, _, start, end = SPAN.unpack(data)
            ids = {"label": label, "kb_id": kb_id, "span_id": span_id}
            span = cast(Span, self.doc.char_span(start, end, **ids, alignment_mode="expand"))
            self[i] = span  # type: ignore[index]
            places = self.attrs.get(PLACES, [])
            if (span.start_char, span.end_char) != (start, end) and [start, end, label] in places:
                scores = list(self.attrs["scores"])  # an array of somebody else takes no None
                scores[places.index([start, end, label])] = None
                self.attrs["scores"] = scores
