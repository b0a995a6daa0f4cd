"""The report of a pipeline: all its numbers, and the texts that a page shows."""

import math
import random
import warnings
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Iterable, Optional

import numpy as np
import srsly
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Corpus, Example
from thinc.api import Model

from ..errors import DataError
from ..layers.word_features import find_ways
from ..lexicon.claim import tables_read
from ..lexicon.table import WordTypes
from . import measures
from .cases import Case, Target
from .data import count_learned
from .findings import Findings, find, find_surfaces, find_targets, predict

SHOWN = 50  # texts of a list
SIZE_ON_PAGE = 3_500_000  # bytes of texts
LEAST = 1000  # bytes that are left, below which no further text is tried
LENGTHS = ((5, "1 to 5"), (10, "6 to 10"), (20, "11 to 20"), (40, "21 to 40"), (math.inf, "41 and more"))
SEEN, UNSEEN = "seen in training", "not seen"
LENGTH_NAMES = [name for _, name in LENGTHS]


@dataclass
class Report:
    """numbers (dict): all that `--json` writes; "listed" tells the file of each text of its lists, and its number there, from 1.
    texts (dict): of each component the texts of the page, by their numbers."""

    numbers: dict[str, Any]
    texts: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)


@dataclass
class Material:
    """What a report is made of.

    sources (list): name of a file, each another one, and how many texts it has. train (list of Doc): what the pipeline has learned
        from, if known. log (list of dict): lines of JsonlLogger.v1. about (dict): the card of the model and the data.
    """

    examples: list[Example]
    sources: list[tuple[str, int]]
    train: list[Doc] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)


def make_report(
    nlp: Language, material: Material, *, against: Optional[Language] = None, component: Optional[str] = None
) -> Report:
    """Score a pipeline, or only what one component sets. against (Language or None): a pipeline to compare it with.

    RAISES: ConfigError for a pipeline without such a component; DataError if the other pipeline sets nothing that has gold.
    """
    targets = find_targets(nlp, component)
    examples = list(predict(nlp, material.examples))
    findings = [find(nlp, target, examples) for target in targets]
    if any(each.has_gold for each in findings):
        findings = [each for each in findings if each.has_gold]
    elif component is None:
        findings = [each for each in findings if each.cases] or findings[:1]
    others = _of_other(against, material.examples, findings) if against is not None else {}
    has_gold = any(each.has_gold for each in findings)
    if against is not None and not has_gold:
        raise DataError("--against: the texts have no gold for this pipeline, so there is nothing to compare by")
    if against is not None and not others:
        raise DataError("--against: the other pipeline sets nothing that has gold here; expected one of the same kind")
    numbers: dict[str, Any] = {
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **material.about,
        "texts": len(examples),
        "tokens": sum(len(example.predicted) for example in examples),
        "has_gold": has_gold,
        "scores": _scores(nlp, examples) if has_gold else {},
        "sources": [name for name, _ in material.sources],
        "knows_training": bool(material.train),
        "learned": count_learned((doc.text for doc in material.train), material.examples),
        "learning_curve": material.log,
        "components": [],
    }
    report = Report(numbers)
    source_of = [number for number, (_, count) in enumerate(material.sources) for _ in range(count)]
    names = [each.target.component for each in findings]
    for each in findings:
        other = others.get((each.target.kind, each.target.attr))
        part = _component(each, other, examples, material, source_of)
        if names.count(part["name"]) > 1:
            part["id"] = f"{part['name']} ({part['attr']})"
        numbers["components"].append(part)
        size = SIZE_ON_PAGE // len(findings)
        report.texts[part["id"]] = _texts(each, other, part, examples, source_of, size)
    places = [(name, number) for name, count in material.sources for number in range(1, count + 1)]
    numbers["listed"] = {
        text: {"file": places[text][0], "number": places[text][1], "text": examples[text].predicted.text}
        for text in sorted({text for part in numbers["components"] for text in _listed(part)})
    }
    return report


def _of_other(nlp: Language, examples: Iterable[Example], ours: list[Findings]) -> dict[tuple[str, str], Findings]:
    wanted = {(each.target.kind, each.target.attr): each for each in ours if each.has_gold}
    gold = (Doc(nlp.vocab).from_bytes(example.reference.to_bytes()) for example in examples)
    # Gold tokens stay, where the raw text is unknown.
    predicted = list(predict(nlp, Corpus("").make_examples(nlp, gold)))
    targets = [target for target in find_targets(nlp) if (target.kind, target.attr) in wanted]
    return {(target.kind, target.attr): find(nlp, target, predicted) for target in targets}


def _scores(nlp: Language, examples: list[Example]) -> dict[str, Any]:
    """Those of `spacy evaluate`, as far as the gold has what they need."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        scores = Scorer(nlp).score(examples)
    return {name: value for name, value in scores.items() if value is not None}


def _component(
    findings: Findings, other: Optional[Findings], examples: list[Example], material: Material, source_of: list[int]
) -> dict[str, Any]:
    target = findings.target
    part: dict[str, Any] = {
        "id": target.component,
        "name": target.component,
        "kind": target.kind,
        "attr": target.attr,
        "labels": findings.labels,
        "has_gold": findings.has_gold,
        "texts": len(findings.texts),
        "found": dict(Counter(case.found for case in findings.cases if case.found)),
        "calibration": None,
        "least_sure": measures.least_sure(findings, SHOWN),
    }
    if not findings.has_gold:
        return part
    counts = [sum(column) for column in zip(*findings.counts)]
    part.update(
        score=measures.main_score(findings),
        pooled=measures.prf(counts),
        unknown_labels=findings.unknown_labels,
        outcomes=dict(Counter(case.outcome for case in findings.cases)),
        per_label=measures.per_label(findings),
        confusion=measures.confusion(findings),
        calibration=measures.calibration(findings),
        thresholds=measures.threshold_curve(findings),
        groups=_groups(findings, examples, material, source_of),
        worst=measures.worst(findings, SHOWN),
        suspects=[_placed(suspect, examples) for suspect in measures.suspects(findings, SHOWN)],
    )
    if target.kind != "tokens" and find_spec("nervaluate"):  # which Python 3.10 lacks
        part["nervaluate"] = measures.nervaluate_classes(findings)
    if other is not None:
        part["against"] = measures.compare(findings, other)
    return part


def _placed(suspect: measures.Suspect, examples: list[Example]) -> dict[str, Any]:
    """With the characters of its token."""
    token = examples[suspect.text].predicted[suspect.token]
    return {**suspect._asdict(), "start": token.idx, "end": token.idx + len(token)}


def _groups(
    findings: Findings, examples: list[Example], material: Material, source_of: list[int]
) -> dict[str, list[dict[str, Any]]]:
    cases, found = findings.cases, {}
    if material.train:
        seen = find_surfaces(findings.target, material.train)
        name = "word" if findings.target.kind == "tokens" else "surface"
        found[name] = measures.group_by(cases, lambda case: SEEN if case.surface in seen else UNSEEN, [SEEN, UNSEEN])
    found["kind of token"] = measures.group_by(cases, lambda case: case.token_kind or "other")
    lengths = {text: len(examples[text].predicted) for text in findings.texts}
    found["tokens of the text"] = measures.group_by(
        cases, lambda case: next(name for most, name in LENGTHS if lengths[case.text] <= most), LENGTH_NAMES
    )
    if len(material.sources) > 1:
        names = [name for name, _ in material.sources]
        found["file"] = measures.group_by(cases, lambda case: names[source_of[case.text]], names)
    return found


def _texts(
    findings: Findings,
    other: Optional[Findings],
    part: dict[str, Any],
    examples: list[Example],
    source_of: list[int],
    most: int,
) -> dict[int, dict[str, Any]]:
    """The texts that are shown: those of the lists, then others by lot. most (int): bytes."""
    cases = _by_text(findings)
    theirs = _by_text(other) if other is not None else {}
    others = list(findings.texts)
    random.Random(measures.SEED).shuffle(others)
    shown: dict[int, dict[str, Any]] = {}
    size = 0
    log = dict(zip(findings.texts, findings.gold_log))
    for text in dict.fromkeys([*_listed(part), *others]):
        entry: dict[str, Any] = {
            "text": examples[text].predicted.text,
            "cases": [_short(case, findings.target) for case in cases.get(text, ())],
            "source": source_of[text],
        }
        if math.isfinite(log.get(text, math.nan)):
            entry["log"] = round(log[text], 2)
        if other is not None:
            entry["theirs"] = [_short(case, findings.target) for case in theirs.get(text, ())]
        length = len(srsly.json_dumps(entry))
        if size + length <= most:  # a smaller one may still fit
            shown[text], size = entry, size + length
        elif most - size < LEAST:
            break
    return {text: shown[text] for text in sorted(shown)}


def _listed(part: dict[str, Any]) -> list[int]:
    """The texts of the lists of a component."""
    against = part.get("against", {"better": [], "worse": []})
    suspects = [suspect["text"] for suspect in part.get("suspects", ())]
    best = [*against["better"][:SHOWN], *against["worse"][:SHOWN]]
    return [*part.get("worst", ()), *suspects, *part["least_sure"], *best]


def _by_text(findings: Findings) -> dict[int, list[Case]]:
    found: dict[int, list[Case]] = {}
    for case in findings.cases:
        found.setdefault(case.text, []).append(case)
    return found


def _short(case: Case, target: Target) -> list[Any]:
    """[start, end, gold, found, probability], and the start and end of what was found if they are others."""
    p = None if math.isnan(case.probability) else round(case.probability, 3)
    entry: list[Any] = [case.start, case.end, case.gold, case.found, p]
    if case.found and (case.found_start, case.found_end) != (case.start, case.end):
        entry += [case.found_start, case.found_end]
    return entry


def describe_model(nlp: Language, name: str) -> dict[str, Any]:
    """The card of a pipeline: its components, labels, size and versions."""
    meta = nlp.meta
    components = []
    for pipe_name, pipe in nlp.pipeline:
        model = getattr(pipe, "model", None)
        entry: dict[str, Any] = {"name": pipe_name, "labels": list(getattr(pipe, "labels", ()) or ())}
        if isinstance(model, Model):
            entry["parameters"] = count_parameters(model)
            entry["tables"] = sorted(tables_read(model))
        components.append(entry)
    return {
        "model": {
            "pipeline": name,
            "name": f"{meta['lang']}_{meta['name']}",
            "version": meta["version"],
            "description": meta.get("description", ""),
            "license": meta.get("license", ""),
            "components": components,
        },
        "versions": {package: version(package) for package in ("spacy", "thinc", "torch", "spacy-bilstm-tagger")},
    }


def coverage(nlp: Language, examples: Iterable[Example]) -> dict[str, float]:
    """The share of the words, each as often as it occurs, that each table of the pipeline has."""
    docs = [example.predicted for example in examples]
    types = WordTypes.of(docs)
    weights = np.bincount(types.index, minlength=len(types)).astype(float)
    weights *= [not text.isspace() for text in types.texts(types.orth)]
    found: dict[str, float] = {}
    for _, pipe in nlp.pipeline:
        model = getattr(pipe, "model", None)
        if isinstance(model, Model):
            for name, ways in find_ways(model, types).items():
                found[name] = float((weights * [bool(way) for way in ways]).sum() / max(weights.sum(), 1))
    return found


def count_parameters(model: Model) -> int:
    """The numbers that a model has learned, those of torch included."""
    own = sum(node.get_param(name).size for node in model.walk() for name in node.param_names if node.has_param(name))
    modules = {id(shim.module): shim.module for node in model.walk() for shim in node.shims if hasattr(shim, "module")}
    of_torch = sum(p.numel() for module in modules.values() if module is not None for p in module.parameters())
    return int(own + of_torch)
