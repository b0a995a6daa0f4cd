"""What the CRF costs in a whole pipeline: time of a softmax head, of Viterbi, and of entities with their probabilities,
over the same network; in rounds that take turns, as a Markdown table.

    python benchmarks/head_cost.py TWEETS.txt --tweets 4000
"""

import time
from pathlib import Path
from statistics import median
from typing import Annotated

import spacy
import torch
import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

TOK2VEC = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {
        "@architectures": "spacy-bilstm-tagger.TweetEmbed.v1",
        "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
        "rows": [5000, 1000, 2500, 1000],
        "feature_width": 48,
        "include_static_vectors": False,
        "char_kernels": [2, 3, 4],
    },
    "encode": {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 200, "depth": 1},
}
HEADS = {
    "softmax": ("bilstm_tagger", "TokenClassifier.v1", {}),
    "Viterbi": ("bilstm_tagger", "LinearChainCRF.v1", {}),
    "entities, Viterbi": ("bilstm_ner", "LinearChainCRF.v1", {"spans_key": None}),
    "entities with probabilities": ("bilstm_ner", "LinearChainCRF.v1", {}),
}


def main(
    texts: Annotated[Path, typer.Argument(help="One text a line.")],
    tweets: Annotated[int, typer.Option(help="Use only this many.")] = 4000,
    labels: Annotated[int, typer.Option(help="Tags, or BIO tags of entity types; an odd number.")] = 21,
    rounds: Annotated[int, typer.Option(min=3)] = 7,
    threads: int = 1,
) -> None:
    torch.set_num_threads(threads)
    lines = [line for line in texts.read_text(encoding="utf8").splitlines() if line.strip()][:tweets]
    pipelines = {name: build(*head, labels) for name, head in HEADS.items()}
    times: dict[str, list[float]] = {name: [] for name in HEADS}
    for turn in range(rounds + 1):
        for name, nlp in pipelines.items():
            start = time.perf_counter()
            for _ in nlp.pipe(lines, batch_size=256):
                pass
            if turn:  # the first round fills the tokenizer's cache
                times[name].append(time.perf_counter() - start)
    base = times["softmax"]
    typer.echo("| head | tweets/s, median | time of softmax = 1, median of the rounds |\n|---|---|---|")
    for name, found in times.items():
        ratio = median(own / other for own, other in zip(found, base))
        typer.echo(f"| {name} | {len(lines) / median(found):,.0f} | {ratio:.3f} |")


def build(factory: str, head: str, settings: dict, labels: int) -> Language:
    tokenizer = {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": tokenizer}})
    model = {"@architectures": f"spacy-bilstm-tagger.{head}", "tok2vec": TOK2VEC}
    nlp.add_pipe(factory, config={"model": model, **settings})
    if factory == "bilstm_tagger":
        words = [f"w{i}" for i in range(labels)]
        doc = Doc(nlp.vocab, words=words, tags=[f"T{i}" for i in range(labels)])
    else:
        words = [f"w{i}" for i in range(labels // 2)]
        doc = Doc(nlp.vocab, words=words, ents=[f"B-T{i}" for i in range(labels // 2)])
    nlp.initialize(lambda: [Example(nlp.make_doc(" ".join(words)), doc)])
    return nlp


if __name__ == "__main__":
    typer.run(main)
