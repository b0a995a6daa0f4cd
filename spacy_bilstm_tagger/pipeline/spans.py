"""The `bilstm_spans` component: the stretches of a text that carry a label, such as the words that make it toxic."""

import warnings
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable, Iterator, Literal, Optional, Sequence, Union

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc, Span, Token
from spacy.training import Example

from ..crf.inference import ChainScores, forward_backward, viterbi
from ..crf.spans import SpanProbabilities, SpanTags, constant_log_probability
from ..layers.label_scores import ScoresModel
from ..lexicon.files import use_checksums
from ..types import Ints, Mask
from . import LINEAR_CHAIN_CRF
from .base import Setting, span_group
from .soft_labels import SoftLabels, set_soft_labels, soft_names
from .span_component import SpanComponent, SpanScorer, check_threshold

# Each label is a chain of its own, of two states: outside, and inside.
_INSIDE = np.ones(1, dtype=np.int64)
EXPECTED_F1 = "expected_f1"
_ONLY_OUTSIDE = np.array([[True, False]])
_MORE_SCORES = ("char_p", "char_r", "char_f_gold", "char_f_nogold", "p", "r", "f", "per_type")
_STATES = SpanTags(_INSIDE, _INSIDE, _INSIDE, _INSIDE, _ONLY_OUTSIDE, _ONLY_OUTSIDE)


@dataclass
class Found:
    """The spans of a text: start, end, label number, probability; and for each label the probability that there are any."""

    spans: list[tuple[int, int, int, float]] = field(default_factory=list)
    any: dict[str, float] = field(default_factory=dict)


@Language.factory(
    "bilstm_spans",
    assigns=["doc.spans"],
    default_config={
        "model": LINEAR_CHAIN_CRF,
        "spans_key": "toxic",
        "threshold": 0.5,
        "text_threshold": None,
        "scorer": {"@scorers": "spacy-bilstm-tagger.spans_scorer.v1", "spans_key": "toxic"},
    },
    default_score_weights={"spans_toxic_char_f": 1.0, **dict.fromkeys(f"spans_toxic_{name}" for name in _MORE_SCORES)},
)
def make_bilstm_spans(
    nlp: Language,
    name: str,
    model: ScoresModel,
    spans_key: str,
    threshold: Union[float, Literal["expected_f1"], None],
    text_threshold: Optional[float],
    scorer: Optional[Callable],
) -> "BiLSTMSpans":
    """Make a component that marks spans of tokens by one or more labels; spans of different labels may overlap.

    model (Model): list of docs -> scores of (tokens, 2 * labels), outside and inside of each label: `LinearChainCRF.v1`,
        or `TokenClassifier.v1`, which decides token by token.
    spans_key (str): `doc.spans[spans_key]` gets the spans, and its attrs["scores"] the probability of each, that
        exactly this span has this label.
    threshold (float, "expected_f1" or None): tokens that are inside with at least this probability form the spans; None
        takes the most probable sequence. "expected_f1" takes the tokens whose characters have the highest expected F1 (see
        `best_expected_f1`), for texts that are scored one by one. May be set on a trained pipeline.
    text_threshold (float or None): spans are set only in texts that hold any with at least this probability, which is kept in
        attrs["any"] of the group, by label; threshold is then compared with the probability of a token in a text that holds
        any. None: every text may have some; "expected_f1" leaves out those of which it is more probable that they have none.
    scorer (Callable or None): the scoring method; give it the same spans_key.
    RAISES: ConfigError for a setting out of range.
    """
    use_checksums(nlp)
    settings = {"spans_key": spans_key, "threshold": threshold, "text_threshold": text_threshold}
    return BiLSTMSpans(nlp.vocab, model, name, scorer=scorer, **settings)


class BiLSTMSpans(SpanComponent):
    """Learns from `doc.spans[spans_key]`; texts without that group are not annotated and teach nothing."""

    text_threshold = Setting()

    @classmethod
    def check_settings(cls, name: str, **settings: Any) -> None:
        plain = 0.5 if settings["threshold"] == EXPECTED_F1 else settings["threshold"]
        super().check_settings(name, **{**settings, "threshold": plain})
        check_threshold(name, "text_threshold", settings["text_threshold"])

    @property
    def n_outputs(self) -> int:
        return 2 * len(self.labels)

    def has_gold(self, doc: Doc) -> bool:
        return self._gold(doc) is not None

    @property
    def soft_key(self) -> str:
        return str(self.cfg["spans_key"])

    @property
    def output_names(self) -> list[str]:
        return [f"{state}-{label}" for label in self.labels for state in "OI"]

    def soft_label_names(self, doc: Doc) -> Iterator[str]:
        return (name[2:] for name in soft_names(doc, self.soft_key))

    def write_soft_labels(self, doc: Doc, soft: SoftLabels) -> None:
        set_soft_labels(doc, self.soft_key, soft, is_exclusive=False)

    def chains(self) -> list[slice]:
        """The two states of each label."""
        return [slice(2 * i, 2 * i + 2) for i in range(len(self.labels))]

    def gold_labels(self, doc: Doc) -> Iterator[str]:
        return (span.label_ for span in self._gold(doc) or [])

    def no_labels(self) -> str:
        return (
            f"{self.name}: found no spans under doc.spans[{self.cfg['spans_key']!r}] in the training data; "
            f"expected some, or [initialize.components.{self.name}.labels]"
        )

    def check_gold(self, examples: Iterable[Example]) -> None:
        """Warn of spans that are one to the component: of one label, with no token between them."""
        total = joined = 0
        for eg in examples:
            last: dict[str, int] = {}  # label -> where its last span ends
            for span in sorted(self._gold(eg.reference) or [], key=lambda span: span.start):
                joined += span.start <= last.get(span.label_, -1)
                last[span.label_] = max(span.end, last.get(span.label_, -1))
                total += 1
        if joined:
            warnings.warn(
                f"{self.name}: {joined:,} of {total:,} gold spans touch or overlap one of the same label; they are learned, and "
                "will be found, as one span",
                stacklevel=2,
            )

    def allowed(self, examples: list[Example]) -> Mask:
        """For each label, outside or inside; both in a text that is not annotated. A token that a gold span only
        touches is inside."""
        masks = []
        for eg in examples:
            spans, align = self._gold(eg.reference), eg.alignment.y2x
            allowed = np.ones((len(eg.predicted), len(self.labels), 2), dtype=bool)
            if spans is not None:
                allowed[:, :, 1] = False
                for span in spans:
                    if span.label_ not in self.labels:
                        raise KeyError(span.label_)
                    allowed[align[span.start : span.end], self.labels.index(span.label_)] = (False, True)
            masks.append(allowed.reshape(len(eg.predicted), self.n_outputs))
        return np.concatenate(masks)

    def decode(self, docs: list[Doc], scores: ChainScores) -> list[Found]:
        """The spans of each doc, in text order."""
        found = [Found() for _ in docs]
        lengths = [len(doc) for doc in docs]
        text_ends = np.cumsum(lengths)
        sizes = np.array([len(token) for doc in docs for token in doc], dtype=np.int64)
        for number, part in enumerate(self.chains()):
            any_span, starts, ends, probabilities = self._spans(scores.labels(part), sizes)
            for each, p in zip(found, any_span.tolist()):
                each.any[self.labels[number]] = p
            texts = np.searchsorted(text_ends, starts, side="right")
            for i, start, end, p in zip(texts.tolist(), starts.tolist(), ends.tolist(), probabilities.tolist()):
                offset = int(text_ends[i]) - lengths[i]
                found[i].spans.append((start - offset, end - offset, number, p))
        for each in found:
            each.spans.sort()
        return found

    def span_scorer(self, scores: ChainScores) -> SpanScorer:
        labels = self.labels
        chains = [SpanProbabilities(forward_backward(scores.labels(part)), _STATES) for part in self.chains()]

        def score(spans: Sequence[tuple[int, int, str]]) -> NDArray[np.float32]:
            found = np.zeros(len(spans), dtype=np.float32)
            for label, chain in zip(labels, chains):
                at = [i for i, span in enumerate(spans) if span[2] == label]
                starts, ends = (np.array([spans[i][side] for i in at], dtype=np.int64) for side in (0, 1))
                found[at] = chain.score_spans((starts, ends, np.zeros_like(starts)))
            return found

        return score

    def set_annotations(self, docs: Iterable[Doc], found: Iterable[Found]) -> None:
        """Set `doc.spans[spans_key]`, in place of a group that was there. Users, links and signs of hashtags at the ends of a
        span are left out."""
        key = self.cfg["spans_key"]
        for doc, each in zip(docs, found):
            found_spans = [(*_without_addresses(doc, start, end), n, score) for start, end, n, score in each.spans]
            kept = [span for span in found_spans if span[0] < span[1]]
            spans = [Span(doc, start, end, label=self.labels[number]) for start, end, number, _ in kept]
            doc.spans[key] = span_group(doc, key, spans, [score for *_, score in kept])
            if self.text_threshold is not None:
                doc.spans[key].attrs["any"] = each.any

    def _gold(self, doc: Doc) -> Optional[list[Span]]:
        return list(doc.spans[self.cfg["spans_key"]]) if self.cfg["spans_key"] in doc.spans else None

    def _spans(self, scores: ChainScores, sizes: Ints) -> tuple[NDArray, Ints, Ints, NDArray[np.float32]]:
        """Of one label: the probability that each text holds any span; start, end and probability of each span, in flat
        token rows. sizes: (tokens,), characters of each token."""
        lattice = forward_backward(scores)
        text = np.repeat(np.arange(len(scores.lengths)), scores.lengths)
        any_span = -np.expm1(constant_log_probability(scores, lattice, 0).numpy().clip(max=0.0))
        if self.threshold is None:
            is_inside = (viterbi(scores) == 1).numpy()
        elif self.threshold == EXPECTED_F1:
            p = lattice.marginals.index_select(0, lattice.layout.scatter)[:, 1].double().numpy()
            given_any = p / any_span.clip(min=1e-9)[text]
            parts = zip(*(np.split(rows, np.cumsum(scores.lengths)[:-1]) for rows in (given_any, sizes)))
            found = [best_expected_f1(*part) for part in parts]
            is_inside = np.concatenate([inside for inside, _ in found])
            if self.text_threshold is None:
                is_worth_it = [any_p * f1 > 1 - any_p for any_p, (_, f1) in zip(any_span.tolist(), found)]
                is_inside &= np.array(is_worth_it, dtype=bool)[text]
        else:
            p = lattice.marginals.index_select(0, lattice.layout.scatter)[:, 1].numpy()
            is_inside = p >= (self.threshold if self.text_threshold is None else self.threshold * any_span[text])
        if self.text_threshold is not None:
            is_inside = is_inside & (any_span >= self.text_threshold)[text]
        goes_on = is_inside[1:] & is_inside[:-1] & (text[1:] == text[:-1])
        starts = np.flatnonzero(is_inside & ~np.append(False, goes_on))
        ends = np.flatnonzero(is_inside & ~np.append(goes_on, False)) + 1
        probabilities = SpanProbabilities(lattice, _STATES).score_spans((starts, ends, np.zeros_like(starts)))
        return any_span, starts, ends, probabilities


def best_expected_f1(probabilities: NDArray, sizes: Ints) -> tuple[Mask, float]:
    """The tokens of a text whose characters have the highest expected F1, (tokens,), and that F1.

    It is estimated as 2 * (expected right characters) / (chosen + expected gold characters), which treats tokens as
    independent; the best set holds the most probable tokens (Lewis 1995, "Evaluating and optimizing autonomous text
    classification systems").

    probabilities: (tokens,), of being inside; sizes: (tokens,), characters.
    """
    if not len(probabilities):
        return np.zeros(0, dtype=bool), 0.0
    order = np.argsort(-probabilities, kind="stable")
    right, chosen = np.cumsum((probabilities * sizes)[order]), np.cumsum(sizes[order])
    f1 = 2 * right / (chosen + right[-1])
    best = int(f1.argmax())
    inside = np.zeros(len(probabilities), dtype=bool)
    inside[order[: best + 1]] = True
    return inside, float(f1[best])


def _without_addresses(doc: Doc, start: int, end: int) -> tuple[int, int]:
    """The span without users, links, signs of hashtags and white space at its ends: none is anything by itself."""
    while start < end and _is_address(doc[start]):
        start += 1
    while start < end and _is_address(doc[end - 1]):
        end -= 1
    return start, end


def _is_address(token: Token) -> bool:
    return token.is_space or token.like_url or token.text in "#＃" or (len(token) > 1 and token.text[0] in "@＠")
