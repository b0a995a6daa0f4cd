"""What the components of a pipeline find in annotated texts, beside the gold: a row for each label."""

import math
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, Iterable, Iterator, Literal, NamedTuple, Optional, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..crf.inference import ChainScores, marginals
from ..crf.loss import negative_log_likelihood
from ..errors import ConfigError
from ..pipeline.base import SequenceComponent, SpanComponent, span_score
from ..pipeline.entities import FLOOR, find_entities
from ..pipeline.gold import alternatives, known_tags
from ..pipeline.ner import BiLSTMNER
from ..pipeline.spans import BiLSTMSpans
from ..pipeline.tagger import TagComponent
from ..scoring.entities import judge_entities
from ..scoring.spans import character_scores, characters
from ..scoring.tags import TagReader, score_by_label, tag_reader
from ..tokenizer.kinds import tweet_kinds
from ..types import Ints

AT_ONCE = 256  # texts
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
MOST_SWEPT = 5000  # texts of spans that are decoded with each of them
Kind = Literal["tokens", "entities", "spans"]
Outcome = Literal["right", "label", "boundary", "both", "missed", "spurious", ""]


@dataclass(frozen=True)
class Target:
    """What is looked at: what one component sets.

    component (str): its name. kind (str): "tokens", "entities" (`doc.ents`) or "spans".
    attr (str): "tag" or "pos"; "ents"; or the key in `doc.spans`.
    """

    component: str
    kind: Kind
    attr: str

    @property
    def score(self) -> str:
        """The main score, by its name in `spacy evaluate`."""
        if self.kind == "tokens":
            return f"{self.attr}_acc"
        return "ents_f" if self.kind == "entities" else f"spans_{self.attr}_char_f"

    def has_gold(self, doc: Doc) -> bool:
        if self.kind == "tokens":
            return bool(doc.has_annotation(self.attr.upper())) or bool(doc.user_data.get("annotated_pos"))
        return bool(doc.has_annotation("ENT_IOB")) if self.kind == "entities" else self.attr in doc.spans


class Case(NamedTuple):
    """One label: of the gold, of the component, or of both.

    text (int): the number of the text. start, end (int): characters of the text, those of the gold if there is one.
    gold, found (str): labels; "" where there is none.
    found_start, found_end (int): characters of what was found.
    outcome (str): "right"; "label", "boundary" or "both" is wrong; "missed"; "spurious"; "" where there is no gold.
    probability (float): of what was found; gold_probability (float): of the gold; NaN where they are not known.
    surface (str): in lower case. token_kind (str): of the first token.
    """

    text: int
    start: int
    end: int
    gold: str
    found: str
    found_start: int
    found_end: int
    outcome: Outcome
    probability: float
    gold_probability: float
    surface: str
    token_kind: str


@dataclass
class Findings:
    """All that one component has found.

    texts (list of int): the numbers of the texts that have gold for it, or of all, if none has.
    counts (array): (texts, 3), right, wrongly found and missed labels of each, as the scorer counts them.
    values (list of float): of each text, the main score of spans, which is a mean over texts; empty for others.
    gold_log, best_log (list of float): of each text, the logarithm of the probability of the gold and of the most probable
        labels; NaN where they are not known. The gold's is -inf where the component cannot give it.
    unknown_labels (list of str): labels of the gold that the component does not have.
    gold_tokens (list): of each text the probability of each token's gold label, and its number, (predicted tokens, chains);
        -1 where the gold leaves it open.
    candidates (list): the probability of all labels that the component may find, down to a low one, and whether they are right;
        of tags and entities.
    by_threshold (array or None): (THRESHOLDS, 3), precision, recall and F1 of characters, of spans.
    """

    target: Target
    labels: list[str]
    has_gold: bool
    cases: list[Case] = field(default_factory=list)
    texts: list[int] = field(default_factory=list)
    counts: list[tuple[int, int, int]] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    gold_log: list[float] = field(default_factory=list)
    best_log: list[float] = field(default_factory=list)
    unknown_labels: list[str] = field(default_factory=list)
    gold_tokens: list[tuple[NDArray[np.float64], Ints]] = field(default_factory=list)
    candidates: list[tuple[float, bool]] = field(default_factory=list)
    by_threshold: Optional[NDArray[np.float64]] = None


def find_targets(nlp: Language, component: Optional[str] = None) -> list[Target]:
    """What the components of a pipeline set, of tags, parts of speech, entities and spans.

    component (str or None): only that of this component. RAISES: ConfigError if there is none.
    """
    targets = [target for name, pipe in nlp.pipeline for target in _targets(nlp, name, pipe)]
    of_attr = {(target.kind, target.attr): target for target in targets}
    for target in targets:  # a component that learns goes before rules that change what it has set
        if isinstance(nlp.get_pipe(target.component), SequenceComponent):
            of_attr[target.kind, target.attr] = target
    chosen = [target for target in of_attr.values() if component in (None, target.component)]
    if component is not None and component not in nlp.pipe_names:
        raise ConfigError(
            f"the pipeline has no component {component!r}; expected one of {', '.join(nlp.pipe_names) or 'none'}"
        )
    if not chosen:
        what = (
            f"the component {component!r} sets" if component else f"{', '.join(nlp.pipe_names) or 'no component'}: set"
        )
        raise ConfigError(
            f"{what} neither tags nor entities nor spans; expected a trained tagger, ner or spans component"
        )
    return chosen


def _targets(nlp: Language, name: str, pipe: Any) -> Iterator[Target]:
    if isinstance(pipe, TagComponent):
        yield Target(name, "tokens", pipe.attr)
        return
    assigns = nlp.get_pipe_meta(name).assigns
    if nlp.get_pipe_meta(name).factory not in ("attribute_ruler", "lemmatizer"):
        yield from (Target(name, "tokens", attr) for attr in ("tag", "pos") if f"token.{attr}" in assigns)
    if "doc.ents" in assigns:
        yield Target(name, "entities", "ents")
    elif "doc.spans" in assigns:
        key = getattr(pipe, "cfg", {}).get("spans_key") or getattr(pipe, "key", None)
        if isinstance(key, str):
            yield Target(name, "spans", key)


def predict(nlp: Language, examples: Iterable[Example]) -> Iterator[Example]:
    """The examples with what the pipeline sets in the place of their predicted docs."""
    examples = list(examples)
    docs = nlp.pipe([example.predicted for example in examples], batch_size=AT_ONCE)
    return (Example(doc, example.reference) for doc, example in zip(docs, examples))


def find(nlp: Language, target: Target, examples: Sequence[Example]) -> Findings:
    """Compare what a component has set with the gold. examples: after `predict`."""
    pipe = nlp.get_pipe(target.component)
    kept = [i for i, example in enumerate(examples) if target.has_gold(example.reference)]
    has_gold = bool(kept)
    labels = {str(label) for label in getattr(pipe, "labels", ())}
    findings = Findings(target, [], has_gold, texts=kept or list(range(len(examples))))
    chosen = [examples[i] for i in findings.texts]
    reader = _READERS[target.kind](target, chosen, has_gold)
    own = pipe if isinstance(pipe, SequenceComponent) and hasattr(pipe.model, "predict") else None
    if own is not None and has_gold:
        findings.unknown_labels = sorted(own.unknown_labels(example.reference for example in chosen))
    swept = []
    for first in range(0, len(chosen), AT_ONCE):
        batch = chosen[first : first + AT_ONCE]
        sure = _Probabilities(own, batch, has_gold) if own is not None and own.model.layers else None
        for at, example in enumerate(batch):
            number = findings.texts[first + at]
            findings.cases += reader.cases(number, example, sure.of_text(at) if sure else None)
            if has_gold:
                findings.counts.append(reader.count(example))
                findings.values += reader.value(example)
            findings.gold_log.append(float(sure.gold_log[at]) if sure else math.nan)
            findings.best_log.append(float(sure.best_log[at]) if sure else math.nan)
            if sure and has_gold:
                rows = slice(sure.offsets[at], sure.offsets[at + 1])
                findings.gold_tokens.append((sure.gold_p[rows], sure.gold_label[rows]))
        if sure and has_gold and isinstance(own, BiLSTMNER):
            findings.candidates += _entity_candidates(own, batch, sure.scores)
        if sure and has_gold and isinstance(own, BiLSTMSpans) and first < MOST_SWEPT:
            swept.append(_sweep(own, target.attr, batch, sure.scores))
    if swept:
        findings.by_threshold = np.concatenate(swept, axis=1).mean(axis=1)
    if target.kind == "tokens":
        findings.candidates = [(c.probability, c.outcome == "right") for c in findings.cases if c.found]
    seen = {label for case in findings.cases for label in (case.gold, case.found) if label}
    findings.labels = sorted(labels & seen | seen)
    return findings


class _Probabilities:
    """What a component of ours knows of a batch beyond what it sets."""

    def __init__(self, pipe: SequenceComponent, examples: list[Example], has_gold: bool) -> None:
        self.pipe, self.examples = pipe, examples
        docs = [example.predicted for example in examples]
        scores = pipe.chain_scores(docs)
        self.offsets = np.cumsum([0, *map(len, docs)])
        self.gold_log, self.best_log = np.full(len(docs), np.nan), pipe.log_best(scores)
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

    def of_text(self, at: int) -> "_Sure":
        return _Sure(self, at)


@dataclass(frozen=True)
class _Sure:
    """The same for one text."""

    batch: _Probabilities
    at: int

    def tag(self, token: int, label: str) -> float:
        """The probability of a tag of a predicted token, or of one of several, "a|b"."""
        names = list(self.batch.pipe.labels)
        try:
            tags = known_tags(label, set(names))
        except KeyError:
            return 0.0
        row = self.batch.rows[self.batch.offsets[self.at] + token]  # type: ignore[index]
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
            sum((next(found) for part in alternatives(label) if part in known and start < end), 0.0)
            for start, end, label in spans
        ]


class _Places:
    """Characters of the predicted text for tokens of the gold."""

    def __init__(self, example: Example) -> None:
        self.example = example
        self.is_same = example.x.text == example.y.text

    def of(self, start: int, end: int) -> tuple[int, int]:
        """start, end: gold tokens."""
        example = self.example
        if self.is_same:
            return example.y[start].idx, example.y[end - 1].idx + len(example.y[end - 1])
        first, last = self.tokens(start, end)
        if first == last:
            return 0, 0
        return example.x[first].idx, example.x[last - 1].idx + len(example.x[last - 1])

    def tokens(self, start: int, end: int) -> tuple[int, int]:
        """The predicted tokens that gold ones touch."""
        touched = self.example.alignment.y2x[start:end]
        return (int(touched[0]), int(touched[-1]) + 1) if len(touched) else (0, 0)


class _Reader:
    """Reads the cases of a text."""

    def __init__(self, target: Target, examples: list[Example], has_gold: bool) -> None:
        self.target, self.has_gold = target, has_gold

    @abstractmethod
    def cases(self, number: int, example: Example, sure: Optional[_Sure]) -> Iterator[Case]: ...

    @abstractmethod
    def count(self, example: Example) -> tuple[int, int, int]:
        """Right, wrongly found and missed labels, as the scorer counts them."""

    def value(self, example: Example) -> list[float]:
        """The main score of the text, where that is a mean over texts."""
        return []


class _Tokens(_Reader):
    """Cases of tags."""

    def __init__(self, target: Target, examples: list[Example], has_gold: bool) -> None:
        super().__init__(target, examples, has_gold)
        self.tag_of: TagReader = tag_reader(examples, target.attr)

    def count(self, example: Example) -> tuple[int, int, int]:
        scores = score_by_label(example, self.tag_of).values()
        return sum(each.tp for each in scores), sum(each.fp for each in scores), sum(each.fn for each in scores)

    def cases(self, number: int, example: Example, sure: Optional[_Sure]) -> Iterator[Case]:
        kinds = tweet_kinds(example.x)
        if not self.has_gold:
            for token in example.x:
                tag, end = self.tag_of(token), token.idx + len(token)
                if tag and not token.is_space:
                    p = sure.tag(token.i, tag) if sure else math.nan
                    place = token.idx, end
                    yield Case(number, *place, "", tag, *place, "", p, math.nan, token.lower_, kinds[token.i])
            return
        places = _Places(example)
        y2x, x2y = example.alignment.y2x, example.alignment.x2y
        for token in example.y:
            tag = self.tag_of(token)
            if not tag:
                continue
            pieces = [int(i) for i in y2x[token.i] if len(x2y[int(i)]) == 1]
            best = next((i for i in pieces if self.tag_of(example.x[i]) == tag), pieces[0] if pieces else None)
            found = "" if best is None else self.tag_of(example.x[best])
            outcome: Outcome = "right" if found == tag else "label" if found else "missed"
            p = sure.tag(best, found) if sure and best is not None and found else math.nan
            gold_p = sure.tag(best, tag) if sure and best is not None else math.nan
            start, end = places.of(token.i, token.i + 1)
            at = best if best is not None else places.tokens(token.i, token.i + 1)[0]
            kind = kinds[at] if at < len(kinds) else ""
            yield Case(number, start, end, tag, found, start, end, outcome, p, gold_p, token.lower_, kind)


class _Entities(_Reader):
    """Cases of entities."""

    def gold(self, example: Example) -> list[Span]:
        return list(example.y.ents)

    def judge(self, example: Example) -> Iterator[tuple[Span, bool]]:
        """The spans that were found and count, and whether each is right."""
        return judge_entities(example, {(ent.start, ent.end): ent.label_ for ent in self.gold(example)})

    def found(self, example: Example) -> Sequence[Span]:
        return list(example.x.ents)

    def count(self, example: Example) -> tuple[int, int, int]:
        rights = [is_right for _, is_right in self.judge(example)]
        return sum(rights), len(rights) - sum(rights), len(self.gold(example)) - sum(rights)

    def cases(self, number: int, example: Example, sure: Optional[_Sure]) -> Iterator[Case]:
        doc, kinds = example.x, tweet_kinds(example.x)
        if not self.has_gold:
            for span in self.found(example):
                place = span.start_char, span.end_char
                p, kind = _probability(span), kinds[span.start]
                yield Case(number, *place, "", span.label_, *place, "", p, math.nan, span.text.lower(), kind)
            return
        places, x2y = _Places(example), example.alignment.x2y
        gold = self.gold(example)
        judged = list(self.judge(example))
        # Pairs that share a token of the gold, the right ones and those that share most first.
        shared = []
        for j, (span, is_right) in enumerate(judged):
            touched = {int(i) for i in x2y[span.start : span.end]}
            bounds = (min(touched), max(touched) + 1) if touched else (0, 0)
            for i, other in enumerate(gold):
                common = len(touched & set(range(other.start, other.end)))
                is_same = bounds == (other.start, other.end)
                if common:
                    exact = is_right and is_same and span.label_ in alternatives(other.label_)
                    shared.append((not exact, -is_same, -common, i, j, is_same))
        partner: dict[int, tuple[int, bool]] = {}
        taken: set[int] = set()
        for _, _, _, i, j, is_same in sorted(shared):
            if i not in partner and j not in taken:
                partner[i] = j, is_same
                taken.add(j)
        tokens = [(*places.tokens(span.start, span.end), span.label_) for span in gold]
        gold_p = sure.spans(tokens) if sure else [math.nan] * len(gold)
        for i, span in enumerate(gold):
            start, end = places.of(span.start, span.end)
            kind = kinds[tokens[i][0]] if tokens[i][0] < len(kinds) else ""
            surface = doc.text[start:end].lower()
            if i not in partner:
                yield Case(
                    number, start, end, span.label_, "", start, end, "missed", math.nan, gold_p[i], surface, kind
                )
                continue
            j, is_same = partner[i]
            other, _ = judged[j]
            is_label = other.label_ in alternatives(span.label_)
            outcome: Outcome = ("right" if is_label else "label") if is_same else "boundary" if is_label else "both"
            bounds = other.start_char, other.end_char
            p = _probability(other)
            yield Case(number, start, end, span.label_, other.label_, *bounds, outcome, p, gold_p[i], surface, kind)
        for j, (span, _) in enumerate(judged):
            if j not in taken:
                bounds = span.start_char, span.end_char
                p, kind = _probability(span), kinds[span.start]
                surface = span.text.lower()
                yield Case(number, *bounds, "", span.label_, *bounds, "spurious", p, math.nan, surface, kind)


class _Spans(_Entities):
    """Cases of `doc.spans[key]`."""

    def gold(self, example: Example) -> list[Span]:
        return list(example.y.spans[self.target.attr])

    def found(self, example: Example) -> Sequence[Span]:
        return list(example.x.spans[self.target.attr]) if self.target.attr in example.x.spans else []

    def judge(self, example: Example) -> Iterator[tuple[Span, bool]]:
        gold = {(span.start, span.end, span.label_) for span in self.gold(example)}
        for span in self.found(example):
            touched = example.alignment.x2y[span.start : span.end]
            if len(touched):
                yield span, (int(touched[0]), int(touched[-1]) + 1, span.label_) in gold

    def value(self, example: Example) -> list[float]:
        return [character_scores(*characters(example, self.target.attr))["f"]]


_READERS: dict[Kind, type[_Reader]] = {"tokens": _Tokens, "entities": _Entities, "spans": _Spans}


def _entity_candidates(pipe: BiLSTMNER, batch: list[Example], scores: ChainScores) -> Iterator[tuple[float, bool]]:
    """The spans of at least FLOOR that do not overlap more probable ones: those above any threshold are what it would give."""
    found = find_entities(scores, pipe.scheme, threshold=FLOOR, top_k=0, with_scores=True)
    for example, scored in zip(batch, found):
        gold = {(ent.start, ent.end): ent.label_ for ent in example.y.ents}
        spans = [Span(example.x, start, end, label=pipe.labels[number]) for start, end, number in scored.entities]
        probability = {(span.start, span.end): p for span, p in zip(spans, scored.scores)}
        for span, is_right in judge_entities(example, gold, spans):
            yield probability[span.start, span.end], is_right


def _sweep(pipe: BiLSTMSpans, key: str, batch: list[Example], scores: ChainScores) -> NDArray[np.float64]:
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


def _probability(span: Span) -> float:
    score = span_score(span)
    return math.nan if score is None else score


def find_surfaces(target: Target, docs: Iterable[Doc]) -> set[str]:
    """What a training corpus has shown of words, or of entities and spans, in lower case."""
    if target.kind == "tokens":
        return {token.lower_ for doc in docs for token in doc}
    groups = (doc.ents if target.kind == "entities" else doc.spans.get(target.attr, ()) for doc in docs)
    return {span.text.lower() for group in groups for span in group}
