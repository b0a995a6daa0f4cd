"""Whether our components have become slower beside spaCy's CNN: ratios that a slow machine does not change.

    OMP_NUM_THREADS=1 python -m benchmarks.regress            compare with benchmarks/regress.json, and warn
    OMP_NUM_THREADS=1 python -m benchmarks.regress --store    keep what is measured

A tagger and a recognizer of ours and of spaCy (`HashEmbedCNN`, as in its small pipelines), both untrained, read the sample corpus
in batches and one by one, and learn from it; processor time, in turns.
"""

from pathlib import Path
from typing import Annotated, Callable

import spacy
import srsly
import torch
import typer
from spacy.language import Language
from spacy.training import Example

from spacy_bilstm_tagger.corpus import read_corpus, to_docbin

from .timing import in_turn, speed_ratio

PROJECT = Path(__file__).parent.parent
STORED = Path(__file__).with_suffix(".json")
MOST_LOST = 0.2  # of a ratio
TOKENIZER = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
OURS = {"tagger": "bilstm_tagger", "ner": "bilstm_ner"}
NAMES = {"batch": "in batches of 256", "single": "one by one", "update": "training"}


def main(
    store: Annotated[bool, typer.Option("--store", help="Keep the ratios.")] = False,
    rounds: Annotated[int, typer.Option(min=1)] = 7,
) -> None:
    torch.set_num_threads(1)
    measured = {f"{task}, {NAMES[way]}": ratio for task in OURS for way, ratio in ratios(task, rounds).items()}
    before: dict[str, float] = srsly.read_json(STORED) if STORED.is_file() else {}
    if store:
        srsly.write_json(STORED, {name: round(ratio, 2) for name, ratio in measured.items()})
    typer.echo("| | times spaCy's CNN | before | |\n|---|---|---|---|")
    for name, ratio in measured.items():
        known = before.get(name)
        is_slower = known is not None and ratio < (1 - MOST_LOST) * known
        typer.echo(f"| {name} | {ratio:.2f} | {'–' if known is None else f'{known:.2f}'} | {'slower!' if is_slower else ''} |")


def ratios(task: str, rounds: int) -> dict[str, float]:
    """How many times as fast as spaCy's ours is, in each way."""
    source = PROJECT / "assets" / "sample" / "train.conll"
    _, texts = read_corpus(source)
    gold = to_docbin(source, texts)
    pipelines = {name: build(factory, gold) for name, factory in (("theirs", task), ("ours", OURS[task]))}
    raw = [text.text for text in texts]
    times: dict[str, dict[str, list[float]]] = {}
    for way, call in {"batch": in_batches, "single": one_by_one, "update": learn}.items():
        calls: dict[str, Callable[[], object]] = {
            name: (lambda nlp=nlp, examples=examples, call=call: call(nlp, raw, examples))
            for name, (nlp, examples) in pipelines.items()
        }
        times[way] = in_turn(calls, rounds)
    return {way: speed_ratio(each["ours"], each["theirs"]) for way, each in times.items()}


def build(factory: str, gold: spacy.tokens.DocBin) -> tuple[Language, list[Example]]:
    nlp = spacy.blank("en", config=TOKENIZER)
    nlp.add_pipe(factory)
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in gold.get_docs(nlp.vocab)]
    nlp.initialize(lambda: examples)
    return nlp, examples


def in_batches(nlp: Language, texts: list[str], examples: list[Example]) -> None:
    for _ in nlp.pipe(texts, batch_size=256):
        pass


def one_by_one(nlp: Language, texts: list[str], examples: list[Example]) -> None:
    for text in texts[:100]:
        nlp(text)


def learn(nlp: Language, texts: list[str], examples: list[Example]) -> None:
    optimizer = nlp.resume_training()
    for first in range(0, 256, 64):
        nlp.update(examples[first : first + 64], sgd=optimizer)


if __name__ == "__main__":
    typer.run(main)
