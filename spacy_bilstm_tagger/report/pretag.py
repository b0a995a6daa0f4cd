"""Raw texts with the labels that a pipeline gives them, for people to correct; `convert` reads what they make of it."""

import heapq
import json
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any, Iterable, Iterator, Literal, Optional

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.annotated_text import text_fingerprints
from ..errors import ConfigError
from ..pipeline.base import SequenceComponent
from .probabilities import log_best

Rank = Literal["order", "uncertain"]
AT_ONCE = 256  # texts
_LINES = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029\t]")


@dataclass(frozen=True)
class Pretagged:
    """A text with what a pipeline sets.

    number (int): of the text in its file, from 1. sureness (float): of all components, the mean over the tokens of the logarithm
        of the probability of the most probable labels (Shen et al. 2018, "Deep active learning for named entity recognition",
        section 4, maximum normalized log-probability).
    """

    number: int
    doc: Doc
    sureness: float


def pretag(
    nlp: Language,
    texts: Iterable[str],
    *,
    rank: Rank = "order",
    limit: Optional[int] = None,
    known: Iterable[str] = (),
    counts: Optional[Counter[str]] = None,
) -> Iterator[Pretagged]:
    """Annotate texts for people. A text that came before, or is among those that are known, is left out: case, white space,
    users and links do not count.

    rank (str): "order", or "uncertain": the least sure first, so that people see what teaches most.
    limit (int or None): how many; memory grows with it, and with all texts for "uncertain" without it.
    counts (Counter or None): gets "read", "repeated" and "written".
    RAISES: ConfigError for a pipeline without tags and entities, and for "uncertain" if none of its components is of ours.
    """
    counts = Counter() if counts is None else counts
    check_pipeline(nlp, rank)
    pipes = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, SequenceComponent) and pipe.model.layers]
    found = _annotate(nlp, _new(texts, set().union(*map(text_fingerprints, known)), counts), pipes)
    if rank == "order":
        chosen: Iterable[Pretagged] = islice(found, limit)
    elif limit is None:
        chosen = sorted(found, key=attrgetter("sureness"))
    else:
        chosen = heapq.nsmallest(limit, found, key=attrgetter("sureness"))
    for each in chosen:
        counts["written"] += 1
        yield each


def check_pipeline(nlp: Language, rank: Rank = "order") -> None:
    """RAISES: ConfigError, see `pretag`."""
    if not sets(nlp, "token.tag") and not sets(nlp, "doc.ents"):
        raise ConfigError(
            f"{', '.join(nlp.pipe_names) or 'no component'}: set neither tags nor entities; expected a pipeline that does"
        )
    if rank == "uncertain" and not any(isinstance(pipe, SequenceComponent) for _, pipe in nlp.pipeline):
        raise ConfigError("--rank uncertain: none of the pipeline's components gives probabilities; leave it out")


def sets(nlp: Language, attribute: str) -> bool:
    return any(attribute in nlp.get_pipe_meta(name).assigns for name in nlp.pipe_names)


def _new(texts: Iterable[str], seen: set[str], counts: Counter[str]) -> Iterator[tuple[str, int]]:
    for number, text in enumerate(texts, 1):
        counts["read"] += 1
        fingerprints = text_fingerprints(text)
        if not seen.isdisjoint(fingerprints):
            counts["repeated"] += 1
        elif text.strip():
            seen.update(fingerprints)
            yield text, number


def _annotate(nlp: Language, texts: Iterable[tuple[str, int]], pipes: list[SequenceComponent]) -> Iterator[Pretagged]:
    docs = nlp.pipe(texts, as_tuples=True, batch_size=AT_ONCE)
    while batch := list(islice(docs, AT_ONCE)):
        some = [doc for doc, _ in batch]
        logs = [log_best(pipe, pipe.chain_scores(some)) for pipe in pipes]
        total = np.sum(logs, axis=0) if logs else np.zeros(len(some))
        for (doc, number), log in zip(batch, total.tolist()):
            yield Pretagged(number, doc, log / max(len(doc), 1))


def to_columns(each: Pretagged, separator: str, *, tags: bool, ents: bool) -> str:
    """A token a line with its columns, and a blank line; the number and the raw text in comments."""
    lines = [f"# number = {each.number}", f"# text = {_LINES.sub(' ', each.doc.text).strip()}"]
    for token in each.doc:
        if not token.text.isspace():
            entity = f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O"
            lines.append(separator.join([token.text, *([token.tag_ or "-"] if tags else []), *([entity] if ents else [])]))
    return "\n".join(lines) + "\n\n"


def to_doccano(each: Pretagged) -> dict[str, Any]:
    """https://doccano.github.io/doccano/tutorial/ (sequence labelling, JSONL)."""
    labels = [[ent.start_char, ent.end_char, ent.label_] for ent in each.doc.ents]
    return {"text": each.doc.text, "label": labels, "number": each.number}


def to_prodigy(each: Pretagged) -> dict[str, Any]:
    """https://prodi.gy/docs/api-interfaces (ner_manual)."""
    tokens, spans = [], []
    for token in each.doc:
        place = {"start": token.idx, "end": token.idx + len(token)}
        tokens.append({"text": token.text, **place, "id": token.i, "ws": bool(token.whitespace_)})
    for ent in each.doc.ents:
        place = {"start": ent.start_char, "end": ent.end_char, "token_start": ent.start, "token_end": ent.end - 1}
        spans.append({**place, "label": ent.label_})
    return {"text": each.doc.text, "tokens": tokens, "spans": spans, "meta": {"number": each.number}}


def to_label_studio(each: Pretagged) -> dict[str, Any]:
    """https://labelstud.io/guide/predictions, for a project whose labels are named "label" and whose text is named "text". Places
    count an emoji as two, as its browser does."""
    text = each.doc.text

    def place(character: int) -> int:
        return len(text[:character].encode("utf-16-le", "surrogatepass")) // 2

    results = []
    for ent in each.doc.ents:
        start, end = place(ent.start_char), place(ent.end_char)
        value = {"start": start, "end": end, "text": ent.text, "labels": [ent.label_]}
        results.append({"from_name": "label", "to_name": "text", "type": "labels", "value": value})
    predictions = [{"model_version": "pretag", "result": results}]
    return {"data": {"text": text, "number": each.number}, "predictions": predictions}


def write(format: str, pretagged: Iterable[Pretagged], *, tags: bool, ents: bool) -> Iterator[str]:
    """The pieces of a file of a format of the command."""
    if format in ("tsv", "conll"):
        for each in pretagged:
            yield to_columns(each, "\t" if format == "tsv" else " ", tags=tags, ents=ents)
    elif format == "label-studio":
        yield "["
        between = "\n"
        for each in pretagged:
            yield between + json.dumps(to_label_studio(each), ensure_ascii=False)
            between = ",\n"
        yield "\n]\n"
    else:
        make = to_doccano if format == "doccano" else to_prodigy
        for each in pretagged:
            yield json.dumps(make(each), ensure_ascii=False) + "\n"
