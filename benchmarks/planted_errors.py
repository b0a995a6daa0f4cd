"""How well errors in the gold are found: wrong labels are planted, and looked for among the first fifty.

    pip install cleanlab
    python -m benchmarks.planted_errors en_tweet_sm corpus/wnut17/dev.spacy
    python -m benchmarks.planted_errors en_tweet_sm corpus/ritter/dev.spacy

Of tags, 5% of the tokens get another tag by lot. Of entities either 5% of the tokens get another BIO label, or, harder, 5% of the
texts get one error such as annotators make: another type, another boundary, an entity left out, or one too many. A ranking of texts
takes the lowest score of their tokens. The errors that are in the gold already count as wrong finds, so all numbers are too low.
"""

import random
from pathlib import Path
from statistics import mean
from typing import Annotated, Callable

import numpy as np
import spacy
import torch
import typer
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_bilstm_tagger.crf.inference import marginals
from spacy_bilstm_tagger.pipeline.base import SequenceComponent
from spacy_bilstm_tagger.report.cases import Target
from spacy_bilstm_tagger.report.data import read_examples
from spacy_bilstm_tagger.report.findings import AT_ONCE, Findings, find, find_targets, predict
from spacy_bilstm_tagger.report.measures import suspects

FIRST = 50
SHARE = 0.05
Planted = tuple[list[Example], set]


def main(
    model: Annotated[str, typer.Argument(help="A pipeline.")],
    data: Annotated[Path, typer.Argument(help="Annotated texts.")],
    seeds: Annotated[int, typer.Option(help="Repetitions, each with errors of its own.")] = 5,
) -> None:
    torch.set_num_threads(1)
    nlp = spacy.load(model)
    examples = list(predict(nlp, read_examples(nlp, data)))
    typer.echo("| planted | errors | ours | gold path | cleanlab: self-confidence | normalized margin | adjusted |")
    typer.echo("|---|---|---|---|---|---|---|")
    for target in find_targets(nlp):
        if not any(target.has_gold(example.reference) for example in examples):
            continue
        for name, plant in PLANTINGS[target.kind].items():
            rows = [precisions(nlp, target, *plant(examples, target, random.Random(seed))) for seed in range(seeds)]
            cells = [f"{mean(row[key] for row in rows):.2f}" for key in rows[0] if key != "errors"]
            typer.echo(f"| {target.attr}: {name} | {mean(row['errors'] for row in rows):.0f} | {' | '.join(cells)} |")


def precisions(nlp: spacy.Language, target: Target, examples: list[Example], planted: set) -> dict[str, float]:
    """The share of planted errors among the first fifty, by each ranking."""
    findings = find(nlp, target, examples)
    by_token = target.kind == "tokens"
    ours = suspects(findings, FIRST)
    found = {(each.text, each.token) if by_token else each.text for each in ours}
    shares: dict[str, float] = {"errors": len(planted), "ours": len(found & planted) / FIRST}
    path = np.array(findings.gold_log)
    first = [findings.texts[i] for i in np.argsort(path, kind="stable")[:FIRST]]
    hit = {text for text, _ in planted} if by_token else planted
    shares["gold path"] = len(set(first) & hit) / FIRST
    return {**shares, **of_cleanlab(nlp, target, findings, examples, planted)}


def of_cleanlab(nlp: spacy.Language, target: Target, findings: Findings, examples: list[Example], planted: set) -> dict[str, float]:
    from cleanlab.rank import get_label_quality_scores

    pipe = nlp.get_pipe(target.component)
    assert isinstance(pipe, SequenceComponent)
    chosen = [examples[i] for i in findings.texts]
    rows = []
    for first in range(0, len(chosen), AT_ONCE):
        docs = [example.predicted for example in chosen[first : first + AT_ONCE]]
        rows.append(marginals(pipe.chain_scores(docs)).double().numpy())
    p = np.concatenate(rows).clip(0, 1)
    p /= p.sum(axis=1, keepdims=True)
    label = np.concatenate([labels[:, 0] for _, labels in findings.gold_tokens])
    lengths = [len(labels) for _, labels in findings.gold_tokens]
    text = np.repeat(findings.texts, lengths)
    token = np.concatenate([np.arange(length) for length in lengths])
    known = label >= 0
    shares = {}
    for name, options in {
        "self-confidence": {"method": "self_confidence"},
        "normalized margin": {"method": "normalized_margin"},
        "adjusted": {"method": "self_confidence", "adjust_pred_probs": True},
    }.items():
        scores = np.full(len(label), np.inf)
        scores[known] = get_label_quality_scores(label[known], p[known], **options)
        found: dict = {}
        for i in np.argsort(scores, kind="stable").tolist():
            key = (int(text[i]), int(token[i])) if target.kind == "tokens" else int(text[i])
            found.setdefault(key)
            if len(found) == FIRST:
                break
        shares[name] = len(set(found) & planted) / FIRST
    return shares


def other_tags(examples: list[Example], target: Target, lot: random.Random) -> Planted:
    """Keys are (text, predicted token)."""
    name = f"{target.attr}_"
    labels = sorted({getattr(token, name) for example in examples for token in example.y} - {""})
    made, planted = [], set()
    for number, example in enumerate(examples):
        gold = example.y.copy()
        for token in gold:
            at = example.alignment.y2x[token.i]
            if getattr(token, name) and len(at) == 1 and lot.random() < SHARE:
                setattr(token, name, lot.choice([label for label in labels if label != getattr(token, name)]))
                planted.add((number, int(at[0])))
        made.append(Example(example.x, gold))
    return made, planted


def other_bio(examples: list[Example], target: Target, lot: random.Random) -> Planted:
    """Keys are texts, as below."""
    types = entity_types(examples)
    made, planted = [], set()
    for number, example in enumerate(examples):
        bio = [f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O" for token in example.y]
        for i, tag in enumerate(bio):
            if lot.random() < SHARE:
                bio[i] = lot.choice([other for other in ["O", *(f"B-{each}" for each in types)] if other != tag])
                planted.add(number)
        for i, tag in enumerate(bio):
            if tag[0] == "I" and (not i or bio[i - 1][2:] != tag[2:]):
                bio[i] = f"B{tag[1:]}"
        words, spaces = [token.text for token in example.y], [bool(token.whitespace_) for token in example.y]
        made.append(Example(example.x, Doc(example.y.vocab, words=words, spaces=spaces, ents=bio)))
    return made, planted


def as_annotators(examples: list[Example], target: Target, lot: random.Random) -> Planted:
    types = entity_types(examples)
    made, planted = list(examples), set()
    for number in lot.sample(range(len(examples)), round(SHARE * len(examples))):
        gold = examples[number].y.copy()
        ents = list(gold.ents)
        change: Callable = lot.choice([other_type, other_boundary, left_out, one_too_many] if ents else [one_too_many])
        if change(gold, ents, types, lot):
            gold.set_ents(ents)
            made[number] = Example(examples[number].x, gold)
            planted.add(number)
    return made, planted


def entity_types(examples: list[Example]) -> list[str]:
    return sorted({ent.label_ for example in examples for ent in example.y.ents})


def other_type(gold: Doc, ents: list[Span], types: list[str], lot: random.Random) -> bool:
    i = lot.randrange(len(ents))
    others = [each for each in types if each != ents[i].label_]
    ents[i] = Span(gold, ents[i].start, ents[i].end, label=lot.choice(others))
    return True


def other_boundary(gold: Doc, ents: list[Span], types: list[str], lot: random.Random) -> bool:
    i = lot.randrange(len(ents))
    start, end = ents[i].start, ents[i].end
    taken = {token for ent in ents for token in range(ent.start, ent.end)} - set(range(start, end))
    bounds = [(start - 1, end), (start, end + 1), (start + 1, end), (start, end - 1)]
    fits = [(a, b) for a, b in bounds if 0 <= a < b <= len(gold) and not taken & set(range(a, b))]
    if fits:
        ents[i] = Span(gold, *lot.choice(fits), label=ents[i].label_)
    return bool(fits)


def left_out(gold: Doc, ents: list[Span], types: list[str], lot: random.Random) -> bool:
    del ents[lot.randrange(len(ents))]
    return True


def one_too_many(gold: Doc, ents: list[Span], types: list[str], lot: random.Random) -> bool:
    taken = {token for ent in ents for token in range(ent.start, ent.end)}
    free = [token.i for token in gold if token.is_alpha and token.i not in taken]
    if free:
        start = lot.choice(free)
        ents.append(Span(gold, start, start + 1, label=lot.choice(types)))
    return bool(free)


PLANTINGS: dict[str, dict[str, Callable[..., Planted]]] = {
    "tokens": {"5% of the tokens": other_tags},
    "entities": {"5% of the tokens": other_bio, "one error in 5% of the texts": as_annotators},
    "spans": {},
}


if __name__ == "__main__":
    typer.run(main)
