"""The `bilstm_spans` component: the stretches of a text that carry a label, such as the words that make it toxic."""

from typing import Callable, Iterable, Iterator, Optional

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc, Span, Token
from spacy.training import Example

from ..crf.inference import ChainScores, forward_backward, viterbi
from ..crf.spans import SpanProbabilities, SpanTags
from ..layers.label_scores import ScoresModel
from ..lexicon.files import use_checksums
from ..types import Ints, Mask
from . import LINEAR_CHAIN_CRF
from .soft_labels import SoftLabels, set_soft_labels, soft_names
from .span_groups import SpanComponent, span_group

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
    nlp: Language, name: str, model: ScoresModel, spans_key: str, threshold: Optional[float], scorer: Optional[Callable]
) -> "BiLSTMSpans":
    """Make a component that marks spans of tokens by one or more labels; spans of different labels may overlap.

    model (Model): list of docs -> scores of (tokens, 2 * labels), outside and inside of each label: `LinearChainCRF.v1`,
        or `TokenClassifier.v1`, which decides token by token.
    spans_key (str): `doc.spans[spans_key]` gets the spans, and its attrs["scores"] the probability of each, that
        exactly this span has this label.
    threshold (float or None): tokens that are inside with at least this probability form the spans; None takes the most
        probable sequence. May be set on a trained pipeline.
    scorer (Callable or None): the scoring method; give it the same spans_key.
    RAISES: ConfigError for a setting out of range.
    """
    use_checksums(nlp)
    return BiLSTMSpans(nlp.vocab, model, name, scorer=scorer, spans_key=spans_key, threshold=threshold)


class BiLSTMSpans(SpanComponent):
    """Learns from `doc.spans[spans_key]`; texts without that group are not annotated and teach nothing."""

    @property
    def n_outputs(self) -> int:
        return 2 * len(self.labels)

    def has_gold(self, doc: Doc) -> bool:
        return self._gold(doc) is not None

    @property
    def soft_key(self) -> str:
        key: str = self.cfg["spans_key"]
        return key

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
            masks.append(allowed.reshape(len(eg.predicted), -1))
        return np.concatenate(masks)

    def decode(self, docs: list[Doc], scores: ChainScores) -> list[Found]:
        """The spans of each doc, in text order."""
        found: list[Found] = [[] for _ in docs]
        lengths = [len(doc) for doc in docs]
        text_ends = np.cumsum(lengths)
        for number, part in enumerate(self.chains()):
            starts, ends, probabilities = self._spans(scores.labels(part))
            texts = np.searchsorted(text_ends, starts, side="right")
            for i, start, end, p in zip(texts.tolist(), starts.tolist(), ends.tolist(), probabilities.tolist()):
                offset = int(text_ends[i]) - lengths[i]
                found[i].append((start - offset, end - offset, number, p))
        return [sorted(spans) for spans in found]

    def set_annotations(self, docs: Iterable[Doc], found: Iterable[Found]) -> None:
        """Set `doc.spans[spans_key]`, in place of a group that was there. Users, links and signs of hashtags at the ends of a
        span are left out."""
        key = self.cfg["spans_key"]
        for doc, each in zip(docs, found):
            found_spans = [(_without_addresses(doc, start, end), number, score) for start, end, number, score in each]
            kept = [(*bounds, number, score) for bounds, number, score in found_spans if bounds[0] < bounds[1]]
            spans = [Span(doc, start, end, label=self.labels[number]) for start, end, number, _ in kept]
            doc.spans[key] = span_group(doc, key, spans, [score for *_, score in kept])

    def _gold(self, doc: Doc) -> Optional[list[Span]]:
        return list(doc.spans[self.cfg["spans_key"]]) if self.cfg["spans_key"] in doc.spans else None

    def _spans(self, scores: ChainScores) -> tuple[Ints, Ints, NDArray[np.float32]]:
        """Start, end and probability of each span of one label, in flat token rows."""
        lattice = forward_backward(scores)
        if self.threshold is None:
            inside = viterbi(scores) == 1
        else:
            inside = lattice.marginals.index_select(0, lattice.layout.scatter)[:, 1] >= self.threshold
        is_inside = inside.numpy()
        text = np.repeat(np.arange(len(scores.lengths)), scores.lengths)
        goes_on = is_inside[1:] & is_inside[:-1] & (text[1:] == text[:-1])
        starts = np.flatnonzero(is_inside & ~np.append(False, goes_on))
        ends = np.flatnonzero(is_inside & ~np.append(goes_on, False)) + 1
        return starts, ends, SpanProbabilities(lattice, _STATES).score_spans((starts, ends, np.zeros_like(starts)))


def _without_addresses(doc: Doc, start: int, end: int) -> tuple[int, int]:
    """The span without users, links, signs of hashtags and white space at its ends: none is anything by itself."""
    while start < end and _is_address(doc[start]):
        start += 1
    while start < end and _is_address(doc[end - 1]):
        end -= 1
    return start, end


def _is_address(token: Token) -> bool:
    return token.is_space or token.like_url or token.text in "#＃" or (len(token) > 1 and token.text[0] in "@＠")
