"""The `bilstm_spans` component: the stretches of a text that carry a label, such as the words that make it toxic."""

from typing import Any, Callable, Iterable, Iterator, Optional, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d
from torch import Tensor

from ..errors import ConfigError, Errors
from ..layers.chain import Chain, Layout
from ..layers.crf import Gradient, divergence, negative_log_likelihood, viterbi
from ..layers.lattice import forward_backward
from ..layers.span_probabilities import SpanProbabilities, SpanTags
from .chains import chain_of, flat_emissions, is_crf, on_host
from .default_models import LINEAR_CHAIN_CRF
from .emissions import check_finite
from .examples import check_examples
from .span_groups import span_group
from .span_pipe import SpanPipe
from .step import Step

# Each label is a chain of its own, of two states: outside, and inside.
_INSIDE = np.ones(1, dtype=np.int64)
_ONLY_OUTSIDE = np.array([[True, False]])
_STATES = SpanTags(_INSIDE, _INSIDE, _INSIDE, _INSIDE, _ONLY_OUTSIDE, _ONLY_OUTSIDE)

Found = list[tuple[int, int, int, float]]  # start, end, label number, probability


@Language.factory(
    "bilstm_spans",
    assigns=["doc.spans"],
    default_config={
        "model": LINEAR_CHAIN_CRF,
        "spans_key": "toxic",
        "threshold": 0.5,
        "scorer": {"@scorers": "spacy-bilstm-tagger.spans_scorer.v1", "spans_key": "toxic"},
    },
    default_score_weights={
        "spans_toxic_char_f": 1.0,
        "spans_toxic_char_p": None,
        "spans_toxic_char_r": None,
        "spans_toxic_char_f_gold": None,
        "spans_toxic_char_f_nogold": None,
        "spans_toxic_p": None,
        "spans_toxic_r": None,
        "spans_toxic_f": None,
        "spans_toxic_per_type": None,
    },
)
def make_bilstm_spans(
    nlp: Language,
    name: str,
    model: Model[list[Doc], list[Floats2d]],
    spans_key: str,
    threshold: Optional[float],
    scorer: Optional[Callable],
) -> "BiLSTMSpans":
    """Make a component that marks spans of tokens by one or more labels; spans of different labels may overlap.

    model (Model): list of docs -> list of (tokens, 2 * labels) emissions, outside and inside of each label:
        `LinearChainCRF.v1`, or `TokenClassifier.v1`, which decides token by token.
    spans_key (str): `doc.spans[spans_key]` gets the spans, and its attrs["scores"] the probability of each, that
        exactly this span has this label.
    threshold (float or None): tokens that are inside with at least this probability form the spans; None takes the most
        probable sequence. May be set on a trained pipeline.
    scorer (Callable or None): the scoring method; give it the same spans_key.
    RAISES: ConfigError for a setting out of range.
    """
    return BiLSTMSpans(nlp.vocab, model, name, spans_key=spans_key, threshold=threshold, scorer=scorer)


class BiLSTMSpans(SpanPipe):
    """Learns from `doc.spans[spans_key]`; texts without that group are not annotated and teach nothing."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "bilstm_spans",
        *,
        spans_key: str = "toxic",
        threshold: Optional[float] = 0.5,
        scorer: Optional[Callable] = None,
    ) -> None:
        if not spans_key:
            raise ConfigError(Errors.SPANS_NO_KEY.format(name=name))
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.cfg: dict[str, Any] = {"labels": [], "spans_key": spans_key, "threshold": None}
        self.threshold = threshold
        self.cfg["as_made"] = {"threshold": threshold}  # see `loading`
        self._rehearsal_model: Optional[Model] = None

    @property
    def n_outputs(self) -> int:
        return 2 * len(self.labels)

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Optional[Language] = None,
        labels: Optional[Sequence[str]] = None,
    ) -> None:
        """Collect the labels (from `labels`, else from all examples, sorted) and build the network.

        RAISES: ConfigError where there is no label.
        """
        check_examples(get_examples, "BiLSTMSpans.initialize")
        if labels is None:
            labels = sorted({label for eg in get_examples() for label in self.gold_labels(eg.y)})
        for label in labels:
            self.add_label(label)
        if not self.labels:
            raise ConfigError(
                f"{self.name}: found no spans under doc.spans[{self.cfg['spans_key']!r}] in the training data; "
                f"expected some, or [initialize.components.{self.name}.labels]"
            )
        self.build(get_examples)

    def predict(self, docs: Iterable[Doc]) -> list[Found]:
        """The spans of each doc, in text order."""
        docs = list(docs)
        lengths = [len(doc) for doc in docs]
        found: list[Found] = [[] for _ in docs]
        if not sum(lengths):
            return found
        flat = flat_emissions(self.model, self.model.predict(docs))
        whole, emissions = on_host(self._chain(self.model, flat), flat)
        check_finite(self.name, emissions)
        text_ends = np.cumsum(lengths)
        for number, chain in enumerate(self._by_label(whole)):
            starts, ends, scores = self._spans(chain, _states(emissions, number), lengths)
            texts = np.searchsorted(text_ends, starts, side="right")
            for i, start, end, score in zip(texts.tolist(), starts.tolist(), ends.tolist(), scores.tolist()):
                offset = int(text_ends[i]) - lengths[i]
                found[i].append((start - offset, end - offset, number, score))
        return [sorted(spans) for spans in found]

    def set_annotations(self, docs: Iterable[Doc], found: Iterable[Found]) -> None:
        """Set `doc.spans[spans_key]`, in place of what was there."""
        key = self.cfg["spans_key"]
        for doc, each in zip(docs, found):
            spans = [Span(doc, start, end, label=self.labels[number]) for start, end, number, _ in each]
            doc.spans[key] = span_group(doc, key, spans, [score for *_, score in each])

    def gold_labels(self, doc: Doc) -> Iterator[str]:
        return (span.label_ for span in self._gold(doc) or [])

    def _gold_step(self, examples: list[Example], emissions: list[Floats2d]) -> Step:
        flat, lengths = flat_emissions(self.model, emissions), [len(array) for array in emissions]
        inside = [self._inside(eg) for eg in examples]
        known = np.repeat([mask is not None for mask in inside], lengths)
        blank = (np.zeros((n, len(self.labels)), dtype=bool) for n in lengths)
        marked = np.concatenate([other if mask is None else mask for mask, other in zip(inside, blank)])
        parts = []
        for number, chain in enumerate(self._by_label(self._chain(self.model, flat))):
            column = marked[:, number]
            gold = torch.from_numpy(np.stack([~column | ~known, column | ~known], axis=1)).to(flat.device)
            parts.append(negative_log_likelihood(chain, _states(flat, number), lengths, gold))
        return self._joined(flat, parts)

    def _rehearsal_step(self, examples: list[Example], emissions: list[Floats2d], teacher: Model) -> Step:
        wanted = flat_emissions(teacher, teacher.predict([eg.predicted for eg in examples]))
        flat, lengths = flat_emissions(self.model, emissions), [len(array) for array in emissions]
        chains = zip(self._by_label(self._chain(self.model, flat)), self._by_label(self._chain(teacher, wanted)))
        parts = [
            divergence(chain, _states(flat, number), aim, _states(wanted, number), lengths)
            for number, (chain, aim) in enumerate(chains)
        ]
        return self._joined(flat, parts)

    def _joined(self, flat: Tensor, parts: list[tuple[Tensor, Gradient]]) -> Step:
        """One step from the loss and the gradient of each label's chain."""
        rows = torch.zeros_like(flat)
        n_states = 2 * len(self.labels)
        whole = [torch.zeros((n_states,) * n, dtype=torch.float64, device=flat.device) for n in (2, 1, 1)]
        for number, (_, gradient) in enumerate(parts):
            states = slice(2 * number, 2 * number + 2)
            rows[:, states] = gradient.emissions
            whole[0][states, states] = gradient.transitions.double()
            whole[1][states] = gradient.start.double()
            whole[2][states] = gradient.end.double()
        step = Step.of_chain(sum(float(loss.sum()) for loss, _ in parts), Gradient(rows, *whole))
        return step if is_crf(self.model) else Step(step.loss, step.emissions)

    def _inside(self, example: Example) -> Optional[NDArray[np.bool_]]:
        """Which predicted tokens are in a gold span, (tokens, labels); None where the text is not annotated. A token
        that a gold span only touches is inside."""
        spans = self._gold(example.reference)
        if spans is None:
            return None
        mask = np.zeros((len(example.predicted), len(self.labels)), dtype=bool)
        align = example.alignment.y2x
        for span in spans:
            if span.label_ not in self.labels:
                message = Errors.LABEL_UNKNOWN.format(name=self.name, label=span.label_, count=len(self.labels))
                raise ValueError(message)
            mask[align[span.start : span.end], self.labels.index(span.label_)] = True
        return mask

    def _gold(self, doc: Doc) -> Optional[list[Span]]:
        return list(doc.spans[self.cfg["spans_key"]]) if self.cfg["spans_key"] in doc.spans else None

    def _chain(self, model: Model, emissions: Tensor) -> Chain:
        """The model's scores between states, or zeros on the device of the emissions."""
        if is_crf(model):
            return chain_of(model)
        n_states = emissions.shape[1]
        return Chain(emissions.new_zeros((n_states, n_states)), *emissions.new_zeros((2, n_states)))

    def _by_label(self, chain: Chain) -> list[Chain]:
        """The two-state chain of each label."""
        parts = [slice(2 * i, 2 * i + 2) for i in range(len(self.labels))]
        return [Chain(chain.transitions[part, part], chain.start[part], chain.end[part]) for part in parts]

    def _spans(self, chain: Chain, emissions: Tensor, lengths: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Start, end and probability of each span of one label, in flat token rows."""
        layout = Layout(lengths, emissions)
        lattice = forward_backward(chain, emissions, layout)
        if self.threshold is None:
            inside = viterbi(chain, emissions, lengths) == 1
        else:
            inside = lattice.marginals.index_select(0, layout.scatter)[:, 1] >= self.threshold
        is_inside = inside.cpu().numpy()
        text = np.repeat(np.arange(len(lengths)), lengths)
        goes_on = is_inside[1:] & is_inside[:-1] & (text[1:] == text[:-1])
        starts = np.flatnonzero(is_inside & ~np.append(False, goes_on))
        ends = np.flatnonzero(is_inside & ~np.append(goes_on, False)) + 1
        scores = SpanProbabilities(lattice, layout, _STATES).of((starts, ends, np.zeros_like(starts)))
        return starts, ends, scores


def _states(emissions: Tensor, label: int) -> Tensor:
    """(tokens, 2): outside and inside of one label."""
    return emissions[:, 2 * label : 2 * label + 2]
