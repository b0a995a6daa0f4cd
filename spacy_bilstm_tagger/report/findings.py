"""What the components of a pipeline find in annotated texts, beside the gold: a row for each label."""

import math
from dataclasses import dataclass, field
from typing import Any, Iterable, Iterator, Optional, Sequence

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import ConfigError
from ..pipeline.base import SequenceComponent
from ..pipeline.ner import BiLSTMNER
from ..pipeline.spans import BiLSTMSpans
from ..pipeline.tagger import TagComponent
from ..types import Ints
from .cases import READERS, Case, Target
from .probabilities import Probabilities, entity_candidates, sweep_threshold

AT_ONCE = 256  # texts
MOST_SWEPT = 5000  # texts of spans that are decoded with each of them


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
    by_label (dict): the same counts for each label, where the cases do not have all of them.
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
    by_label: dict[str, list[int]] = field(default_factory=dict)


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
        raise ConfigError(f"the pipeline has no component {component!r}; expected one of {', '.join(nlp.pipe_names) or 'none'}")
    if not chosen:
        what = f"the component {component!r} sets" if component else f"{', '.join(nlp.pipe_names) or 'no component'}: set"
        raise ConfigError(f"{what} neither tags nor entities nor spans; expected a trained tagger, ner or spans component")
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


def other_labels(nlp: Language, docs: Sequence[Doc]) -> list[str]:
    """A line for each component that cannot find a tenth of what is annotated for it, since its labels are others."""
    lines = []
    for name in nlp.pipe_names:
        pipe = nlp.get_pipe(name)
        if not isinstance(pipe, SequenceComponent):
            continue
        unknown = pipe.unknown_labels(docs)
        if unknown and 10 * unknown.total() > sum(1 for doc in docs for _ in pipe.gold_labels(doc)):
            most = ", ".join(f"{label} ({count:,})" for label, count in unknown.most_common(3))
            lines.append(
                f"{name}: the gold has labels that it does not know and cannot find: {most}; convert can rename them by --map-tags "
                "or --map-ents, and --tags xpos takes the other tags of CoNLL-U"
            )
    return lines


def find(nlp: Language, target: Target, examples: Sequence[Example]) -> Findings:
    """Compare what a component has set with the gold. examples: after `predict`."""
    pipe = nlp.get_pipe(target.component)
    kept = [i for i, example in enumerate(examples) if target.has_gold(example.reference)]
    has_gold = bool(kept)
    labels = {str(label) for label in getattr(pipe, "labels", ())}
    findings = Findings(target, [], has_gold, texts=kept or list(range(len(examples))))
    chosen = [examples[i] for i in findings.texts]
    reader = READERS[target.kind](target, chosen, has_gold)
    own = pipe if isinstance(pipe, SequenceComponent) and hasattr(pipe.model, "predict") else None
    if own is not None and has_gold:
        findings.unknown_labels = sorted(own.unknown_labels(example.reference for example in chosen))
    swept = []
    for first in range(0, len(chosen), AT_ONCE):
        batch = chosen[first : first + AT_ONCE]
        sure = Probabilities(own, batch, has_gold) if own is not None and own.model.layers else None
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
            findings.candidates += entity_candidates(own, batch, sure.scores)
        if sure and has_gold and isinstance(own, BiLSTMSpans) and first < MOST_SWEPT:
            swept.append(sweep_threshold(own, target.attr, batch, sure.scores))
    if swept:
        findings.by_threshold = np.concatenate(swept, axis=1).mean(axis=1)
    if target.kind == "tokens":
        findings.candidates = [(c.probability, c.outcome == "right") for c in findings.cases if c.found]
    findings.by_label = reader.by_label
    seen = {label for case in findings.cases for label in (case.gold, case.found) if label}
    findings.labels = sorted(labels & seen | seen)
    return findings


def find_surfaces(target: Target, docs: Iterable[Doc]) -> set[str]:
    """What a training corpus has shown of words, or of entities and spans, in lower case."""
    if target.kind == "tokens":
        return {token.lower_ for doc in docs for token in doc}
    groups = (doc.ents if target.kind == "entities" else doc.spans.get(target.attr, ()) for doc in docs)
    return {span.text.lower() for group in groups for span in group}
