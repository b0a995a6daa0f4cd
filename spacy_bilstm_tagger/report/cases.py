"""Cases: the labels of a text, gold and found, side by side."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Iterator, Literal, NamedTuple, Optional, Sequence

from spacy.tokens import Doc, Span
from spacy.training import Example

from ..pipeline.base import span_score
from ..pipeline.gold import alternatives
from ..scoring.entities import judge_entities
from ..scoring.spans import character_scores, characters
from ..scoring.tags import TagReader, score_by_label, tag_reader
from ..tokenizer.kinds import tweet_kinds
from .probabilities import Sure

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


class Reader:
    """Reads the cases of a text."""

    def __init__(self, target: Target, examples: list[Example], has_gold: bool) -> None:
        self.target, self.has_gold = target, has_gold
        # Right, wrongly found, missed; where cases are not enough to count them.
        self.by_label: dict[str, list[int]] = {}

    @abstractmethod
    def cases(self, number: int, example: Example, sure: Optional[Sure]) -> Iterator[Case]: ...

    @abstractmethod
    def count(self, example: Example) -> tuple[int, int, int]:
        """Right, wrongly found and missed labels, as the scorer counts them."""

    def value(self, example: Example) -> list[float]:
        """The main score of the text, where that is a mean over texts."""
        return []


class _Tokens(Reader):
    """Cases of tags."""

    def __init__(self, target: Target, examples: list[Example], has_gold: bool) -> None:
        super().__init__(target, examples, has_gold)
        self.tag_of: TagReader = tag_reader(examples, target.attr)

    def count(self, example: Example) -> tuple[int, int, int]:
        total = [0, 0, 0]
        for label, score in score_by_label(example, self.tag_of).items():
            known = self.by_label.setdefault(label, [0, 0, 0])
            for i, count in enumerate((score.tp, score.fp, score.fn)):
                known[i] += count
                total[i] += count
        right, wrong, missed = total
        return right, wrong, missed

    def cases(self, number: int, example: Example, sure: Optional[Sure]) -> Iterator[Case]:
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


class _Entities(Reader):
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

    def cases(self, number: int, example: Example, sure: Optional[Sure]) -> Iterator[Case]:
        doc, kinds = example.x, tweet_kinds(example.x)
        places, x2y = _Places(example), example.alignment.x2y
        gold = self.gold(example) if self.has_gold else []
        judged = list(self.judge(example)) if self.has_gold else [(span, False) for span in self.found(example)]
        extra: Outcome = "spurious" if self.has_gold else ""
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
                yield Case(number, start, end, span.label_, "", start, end, "missed", math.nan, gold_p[i], surface, kind)
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
                yield Case(number, *bounds, "", span.label_, *bounds, extra, p, math.nan, surface, kind)


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


READERS: dict[Kind, type[Reader]] = {"tokens": _Tokens, "entities": _Entities, "spans": _Spans}


def _probability(span: Span) -> float:
    score = span_score(span)
    return math.nan if score is None else score
