"""What the CRF costs in a whole pipeline: time of a softmax head, of Viterbi, and of entities with their probabilities,
over the same network; in rounds that take turns, as a Markdown table.

The pipelines are trained first, for a minute or two: untrained ones find entities everywhere, and setting them would be
most of the cost. On one thread the processor's time is taken, in which other programs do not count; on more, the
clock's.

    python benchmarks/head_cost.py TWEETS.txt corpus/wnut17/train.spacy
"""

import random
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import spacy
import torch
import typer
from spacy.language import Language
from spacy.training import Corpus, Example
from spacy.util import fix_random_seed, minibatch

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
    "BIO tags, softmax": ("bilstm_tagger", "TokenClassifier.v1", {}),
    "BIO tags, Viterbi": ("bilstm_tagger", "LinearChainCRF.v1", {}),
    "entities, Viterbi": ("bilstm_ner", "LinearChainCRF.v1", {"spans_key": None, "threshold": None}),
    "entities with probabilities": ("bilstm_ner", "LinearChainCRF.v1", {"spans_key": "ents", "threshold": None}),
    "entities by threshold": ("bilstm_ner", "LinearChainCRF.v1", {"spans_key": "ents", "threshold": 0.3}),
}


def main(
    texts: Annotated[Path, typer.Argument(help="One text a line.")],
    train: Annotated[Path, typer.Argument(help="A .spacy file with entities.")],
    tweets: Annotated[int, typer.Option(help="Use only this many.")] = 2000,
    epochs: Annotated[int, typer.Option(help="Of training.", min=1)] = 2,
    rounds: Annotated[int, typer.Option(min=3)] = 15,
    threads: int = 1,
) -> None:
    torch.set_num_threads(threads)
    lines = [line for line in texts.read_text(encoding="utf8").splitlines() if line.strip()][:tweets]
    networks = {(factory, head) for factory, head, _ in HEADS.values()}
    pipelines = {network: trained(*network, train, epochs) for network in sorted(networks)}
    clock = time.process_time if threads == 1 else time.perf_counter
    times: dict[str, list[float]] = {name: [] for name in HEADS}
    entities: dict[str, int] = {}
    for turn in range(rounds + 1):
        for name, (factory, head, settings) in HEADS.items():
            nlp = pipelines[factory, head]
            nlp.get_pipe(factory).cfg.update(settings)
            start = clock()
            docs = list(nlp.pipe(lines, batch_size=256))
            if turn:  # the first round fills the tokenizer's cache
                times[name].append(clock() - start)
            else:
                entities[name] = sum(len(doc.ents) or sum(token.tag_[:2] == "B-" for token in doc) for doc in docs)
    base = times[next(iter(HEADS))]
    typer.echo("| head | entities found | tweets/s, median | time of the first = 1, median of the rounds |")
    typer.echo("|---|---|---|---|")
    for name, found in times.items():
        ratio = median(own / other for own, other in zip(found, base))
        typer.echo(f"| {name} | {entities[name]:,} | {len(lines) / median(found):,.0f} | {ratio:.3f} |")


def trained(factory: str, head: str, train: Path, epochs: int) -> Language:
    fix_random_seed(0)
    tokenizer = {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": tokenizer}})
    model = {"@architectures": f"spacy-bilstm-tagger.{head}", "tok2vec": TOK2VEC}
    nlp.add_pipe(factory, config={"model": model})
    examples = list(Corpus(train)(nlp))
    for example in examples:
        with_bio_tags(example)
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(epochs):
        random.shuffle(examples)
        for batch in minibatch(examples, 16):
            nlp.update(batch, sgd=optimizer, drop=0.3)
    return nlp


def with_bio_tags(example: Example) -> None:
    for token in example.reference:
        token.tag_ = f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O"


if __name__ == "__main__":
    typer.run(main)
