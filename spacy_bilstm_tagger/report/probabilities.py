"""How sure a component of ours is: of the gold, and of what it may find."""

import math
from dataclasses import dataclass
from typing import Iterator, Optional

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.tokens import Span
from spacy.training import Example

from ..crf.inference import ChainScores, marginals, viterbi
from ..crf.loss import negative_log_likelihood
from ..pipeline.base import SequenceComponent
from ..pipeline.entities import FLOOR, find_entities
from ..pipeline.gold import alternatives, known_tags
from ..pipeline.ner import BiLSTMNER
from ..pipeline.span_component import SpanComponent
from ..pipeline.spans import BiLSTMSpans
from ..pipeline.tagger import TagComponent
from ..scoring.entities import judge_entities
from ..scoring.spans import character_scores, characters

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))


def log_best(pipe: SequenceComponent, scores: ChainScores) -> NDArray[np.float64]:
    """The logarithm of the probability of each text's most probable labels; (texts,). scores: as `chain_scores` gives them."""
    found = np.zeros(len(scores.lengths))
    for part in pipe.chains() if len(scores.emissions) else []:
        some = scores.labels(part) if len(pipe.chains()) > 1 else scores
        best = torch.zeros_like(some.emissions, dtype=torch.bool)
        best[torch.arange(len(best)), viterbi(some)] = True
        found -= negative_log_likelihood(some, best)[0].numpy()
    return found


class Probabilities:
    """What a component of ours knows of a batch beyond what it sets."""

    def __init__(self, pipe: SequenceComponent, examples: list[Example], has_gold: bool) -> None:
        self.pipe, self.examples = pipe, examples
        docs = [example.predicted for example in examples]
        scores = pipe.chain_scores(docs)
        self.offsets = np.cumsum([0, *map(len, docs)])
        self.gold_log, self.best_log = np.full(len(docs), np.nan), log_best(pipe, scores)
        self.gold_p, self.gold_label = np.zeros((0, 1)), np.zeros((0, 1), dtype=np.int64)
        if has_gold:
            self._compare(scores)
        self.scores = pipe.adjust(scores)
        self.rows: Optional[NDArray] = None
        if isinstance(pipe, TagComponent):
            self.rows = marginals(scores).float().numpy()
        self.score = pipe.span_scorer(self.scores) if isinstance(pipe, SpanComponent) else None

    def _compare(self, scores: ChainScores) -> None:
        """The probabilities of the gold."""
        pipe = self.pipe
        masks, is_known = [], []
        for example in self.examples:
            try:
                masks.append(pipe.allowed([example]))
                is_known.append(True)
            except KeyError:  # a label that the component does not have
                masks.append(np.ones((len(example.predicted), pipe.n_outputs), dtype=bool))
                is_known.append(False)
        if not sum(map(len, masks)):
            return
        allowed = torch.from_numpy(np.concatenate(masks))
        gold = np.zeros(len(masks))
        columns = []
        for part in pipe.chains():
            some = scores.labels(part) if len(pipe.chains()) > 1 else scores
            gold -= negative_log_likelihood(some, allowed[:, part])[0].numpy()
            mask = allowed[:, part]
            label = torch.where(mask.sum(dim=1) == 1, mask.int().argmax(dim=1) + part.start, -1)
            columns.append(((marginals(some) * mask).sum(dim=1).double(), label))
        self.gold_p = torch.stack([p for p, _ in columns], dim=1).numpy()
        self.gold_label = torch.stack([label for _, label in columns], dim=1).numpy()
        self.gold_log = np.where(is_known, gold, np.nan)

    def of_text(self, at: int) -> "Sure":
        return Sure(self, at)


@dataclass(frozen=True)
class Sure:
    """The same for one text."""

    batch: Probabilities
    at: int

    def tag(self, token: int, label: str) -> float:
        """The probability of a tag of a predicted token, or of one of several, "a|b"."""
        names = list(self.batch.pipe.labels)
        try:
            tags = known_tags(label, set(names))
        except KeyError:
            return 0.0
        assert self.batch.rows is not None
        row = self.batch.rows[self.batch.offsets[self.at] + token]
        return float(sum(row[names.index(tag)] for tag in tags)) if tags else math.nan

    def spans(self, spans: list[tuple[int, int, str]]) -> list[float]:
        """The probability of each (start, end, label), by tokens of the predicted doc."""
        offset = int(self.batch.offsets[self.at])
        known = set(self.batch.pipe.labels)
        asked = [
            (offset + start, offset + end, part)
            for start, end, label in spans
            for part in alternatives(label)
            if part in known and start < end
        ]
        assert self.batch.score is not None
        found = iter(self.batch.score(asked).tolist() if asked else ())
        return [
            sum((next(found) for part in alternatives(label) if part in known and start < end), 0.0) for start, end, label in spans
        ]


def entity_candidates(pipe: BiLSTMNER, batch: list[Example], scores: ChainScores) -> Iterator[tuple[float, bool]]:
    """The spans of at least FLOOR that do not overlap more probable ones: those above any threshold are what it would give."""
    found = find_entities(scores, pipe.scheme, threshold=FLOOR, top_k=0, with_scores=True)
    for example, scored in zip(batch, found):
        gold = {(ent.start, ent.end): ent.label_ for ent in example.y.ents}
        spans = [Span(example.x, start, end, label=pipe.labels[number]) for (start, end, number), _ in scored.entities]
        probability = {(start, end): p for (start, end, _), p in scored.entities}
        for span, is_right in judge_entities(example, gold, spans):
            yield probability[span.start, span.end], is_right


def sweep_threshold(pipe: BiLSTMSpans, key: str, batch: list[Example], scores: ChainScores) -> NDArray[np.float64]:
    """Precision, recall and F1 of each text's characters at each of THRESHOLDS; (thresholds, texts, 3)."""
    rows, threshold = [], pipe.threshold
    docs = [example.predicted.copy() for example in batch]
    examples = [Example(doc, example.reference) for doc, example in zip(docs, batch)]
    try:
        for each in THRESHOLDS:
            pipe.threshold = each
            pipe.set_annotations(docs, pipe.decode(docs, scores))
            found = (character_scores(*characters(example, key)) for example in examples)
            rows.append([[score["p"], score["r"], score["f"]] for score in found])
    finally:
        pipe.threshold = threshold
    return np.array(rows)
