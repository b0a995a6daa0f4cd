"""How fast a recipe of tags learns beside a plain PyTorch loop over the same network: tokens a second of processor time.

    OMP_NUM_THREADS=1 python -m benchmarks.training_speed corpus/ritter/train.spacy vectors/glove

Both learn from the same batches of tweets of about one length, in another order each time: two bidirectional LSTM layers of 100
units over frozen vectors, as in configs/lecture.cfg. The plain loop has the rows of its words ready. `nlp.update` also copies
each text, as spaCy does, finds the rows of its words, compares its tokens with those of the gold, and keeps an average of the
weights. The third row reads packed sequences alone, as torch's own modules do.
"""

import random
from pathlib import Path
from typing import Annotated

import torch
import typer
from spacy.training import Corpus
from spacy.training.initialize import init_nlp
from spacy.util import load_config, registry

from spacy_bilstm_tagger.layers import bilstm

from .lecture import BATCH, RATE, Network, as_tensors, pad, read_table, summed_loss
from .timing import in_turn, speed_ratio

CONFIG = Path(__file__).parent.parent / "configs" / "lecture.cfg"
PADDING = bilstm.PADDING


def main(
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS.spacy", help="Tagged texts.")],
    vectors: Annotated[str, typer.Argument(help="Word vectors of width 100, as load_vectors.v1 takes them.")],
    rounds: Annotated[int, typer.Option(min=1)] = 5,
) -> None:
    torch.set_num_threads(1)
    paths = {"paths.train": str(corpus), "paths.dev": str(corpus), "paths.vectors": vectors, "paths.labels": None}
    config = load_config(CONFIG, overrides={**paths, "initialize.components": {}})
    nlp = init_nlp(config)
    optimizer = registry.resolve({"it": nlp.config.interpolate()["training"]["optimizer"]})["it"]
    examples = sorted(Corpus(corpus)(nlp), key=lambda example: len(example.x))
    tweets = [[(token.text, token.tag_) for token in example.y] for example in examples]
    tags = sorted({tag for tweet in tweets for _, tag in tweet})
    embedding, rows = read_table(vectors)
    tensors = as_tensors(tweets, rows, tags)
    network = Network(embedding, len(tags)).train()
    adam = torch.optim.Adam((each for each in network.parameters() if each.requires_grad), lr=RATE)
    starts = list(range(0, len(examples), BATCH))

    def plain() -> None:
        random.shuffle(starts)
        for start in starts:
            words, gold = pad(tensors[start : start + BATCH], embedding.num_embeddings - 1)
            adam.zero_grad()
            (summed_loss(network(words), gold) / gold.numel()).backward()
            adam.step()

    def ours(padding: int = PADDING) -> None:
        bilstm.PADDING = padding
        random.shuffle(starts)
        for start in starts:
            nlp.update(examples[start : start + BATCH], drop=0.1, sgd=optimizer, losses={})

    times = in_turn({"plain loop": plain, "nlp.update, packed": lambda: ours(-1), "nlp.update": ours}, rounds)
    n_tokens = sum(len(tweet) for tweet in tweets)
    typer.echo("| | tokens/s | plain loop = 1 |\n|---|---|---|")
    for name, seconds in times.items():
        typer.echo(f"| {name} | {n_tokens / min(seconds):,.0f} | {speed_ratio(seconds, times['plain loop']):.2f} |")


if __name__ == "__main__":
    typer.run(main)
