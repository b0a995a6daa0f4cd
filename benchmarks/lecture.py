"""What the lecture's way of reading and counting does to its figures, in plain PyTorch: padded batches, nothing of ours.

    python -m benchmarks.lecture assets/ritter/train assets/ritter/dev vectors/glove.twitter.27B.100d.txt

One network is trained for each way of reading, and its dev figures are counted in two ways:

- reading: a new tweet begins at every token that starts with "@", as the lecture's code has it, since pandas drops the blank
  lines of `pos.txt`; or at blank lines, where the file has them;
- counting: the sum of the losses and the number of right tags are divided by all positions of the padded batches, as in the
  lecture; or by the number of tokens.

The settings are those of `configs/lecture.cfg`: frozen vectors, two bidirectional LSTM layers of 100 units, dropout of 0.1
between them, a linear layer, Adam at 1e-3, batches of 10, 10 epochs. The last line is the same network as a spaCy pipeline,
from results.jsonl. Tweets of train that are in dev too are left out, as the project does.
"""

import random
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Annotated, Literal

import torch
import typer
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from spacy_bilstm_tagger.lexicon.sources import read_vectors
from spacy_bilstm_tagger.tokenizer import glove_key

from .store import Store

Tweet = list[tuple[str, str]]  # token and tag
Split = Literal["at", "blank"]
SPLITS: dict[Split, str] = {"at": '"@"', "blank": "blank lines"}
NO_TAG = -100
BATCH, EPOCHS, WIDTH, DROPOUT, RATE = 10, 10, 100, 0.1, 1e-3


@dataclass
class Counts:
    """Sums over the batches of a corpus."""

    loss: float = 0.0
    right: int = 0
    tokens: int = 0
    positions: int = 0

    @property
    def share(self) -> float:
        """Of the positions that are tokens."""
        return self.tokens / self.positions

    def loss_of(self, padding: bool) -> float:
        return self.loss / (self.positions if padding else self.tokens)

    def accuracy(self, padding: bool) -> float:
        return self.right / (self.positions if padding else self.tokens)


@dataclass
class Training:
    """dev: of the last weights; epochs: dev after each epoch; texts: of dev; longest: the tokens of its longest."""

    dev: Counts
    epochs: list[Counts]
    texts: int
    longest: int


def main(
    train: Annotated[Path, typer.Argument(help="T-POS, train: `token tag` lines, a blank line after each tweet.")],
    dev: Annotated[Path, typer.Argument(help="T-POS, dev.")],
    vectors: Annotated[str, typer.Argument(help="Word vectors: a file, or a name that gensim downloads.")],
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    epochs: Annotated[int, typer.Option(min=1)] = EPOCHS,
    first: Annotated[int, typer.Option(help="The tweets of train that count: the published file repeats some.")] = 551,
) -> None:
    dev_tweets = read_tweets(dev)
    train_tweets = [tweet for tweet in read_tweets(train)[:first] if tweet not in dev_tweets]
    embedding, rows = read_table(vectors)
    tags = sorted({tag for tweet in train_tweets + dev_tweets for _, tag in tweet})
    found: dict[Split, list[Training]] = {}
    for split in SPLITS:
        parts = [as_tensors(divide(tweets, split), rows, tags) for tweets in (train_tweets, dev_tweets)]
        print(f"split at {SPLITS[split]}: {len(parts[0])} texts of train, {len(parts[1])} of dev")
        found[split] = [train_network(*parts, embedding, len(tags), epochs, seed) for seed in range(seeds)]
    print("\n| tweets begin at | divided by | longest in dev | tokens / positions | dev loss | dev accuracy |")
    print("|---|---|---|---|---|---|")
    for split, padding in (("at", True), ("at", False), ("blank", True), ("blank", False)):
        print(row(split, padding, found[split]))
    print(f"| `lecture.cfg` | tokens | | | | {pipeline_score()} |")
    for padding in (True, False):
        curve = (mean(each.epochs[i].accuracy(padding) for each in found["at"]) for i in range(epochs))
        name = "positions" if padding else "tokens"
        print(f'\nsplit at "@", accuracy by {name}, epoch by epoch: {" ".join(f"{value:.3f}" for value in curve)}')


def read_tweets(path: Path) -> list[Tweet]:
    """The tweets of a file with a token and its tag a line, a space or TAB between, and blank lines between tweets."""
    tweets: list[Tweet] = [[]]
    for line in path.read_text(encoding="utf8").splitlines():
        if line.strip():
            word, tag = line.split()
            tweets[-1].append((word, tag))
        elif tweets[-1]:
            tweets.append([])
    return [tweet for tweet in tweets if tweet]


def divide(tweets: list[Tweet], split: Split) -> list[Tweet]:
    """The tweets as they are, or as the lecture finds them in their tokens: one from each token that starts with @."""
    if split == "blank":
        return tweets
    texts: list[Tweet] = []
    for pair in (pair for tweet in tweets for pair in tweet):
        if not texts or pair[0].startswith("@"):
            texts.append([])
        texts[-1].append(pair)
    return texts


def read_table(vectors: str) -> tuple[nn.Embedding, dict[str, int]]:
    """The vectors, frozen; then <unk>, their mean, if they have none, and <pad>, zeros. And the row of each word."""
    table = read_vectors(vectors)
    rows = dict(table.key_to_index)
    data = torch.from_numpy(table.vectors.copy())
    if "<unk>" not in rows:
        rows["<unk>"] = len(data)
        data = torch.cat([data, data.mean(dim=0, keepdim=True)])
    rows["<pad>"] = len(data)
    return nn.Embedding.from_pretrained(torch.cat([data, data.new_zeros(1, data.shape[1])])), rows


def as_tensors(tweets: list[Tweet], rows: dict[str, int], tags: list[str]) -> list[tuple[Tensor, Tensor]]:
    """The rows of a tweet's words, and the numbers of its tags; (tokens,) each."""
    numbers = {tag: number for number, tag in enumerate(tags)}
    return [
        (
            torch.tensor([rows.get(glove_key(word), rows["<unk>"]) for word, _ in tweet]),
            torch.tensor([numbers[tag] for _, tag in tweet]),
        )
        for tweet in tweets
    ]


class Network(nn.Module):
    """Rows of words -> scores of tags. The layers read the padding too, as in the lecture."""

    def __init__(self, embedding: nn.Embedding, n_tags: int) -> None:
        super().__init__()
        self.embedding = embedding
        width = embedding.embedding_dim
        self.lstm = nn.LSTM(width, WIDTH, num_layers=2, bidirectional=True, batch_first=True, dropout=DROPOUT)
        self.linear = nn.Linear(2 * WIDTH, n_tags)

    def forward(self, words: Tensor) -> Tensor:
        """(batch, longest) -> (batch, longest, tags)"""
        return self.linear(self.lstm(self.embedding(words))[0])


def pad(texts: list[tuple[Tensor, Tensor]], pad_row: int) -> tuple[Tensor, Tensor]:
    """Words and tags of a batch; (batch, longest) each."""
    words = pad_sequence([words for words, _ in texts], batch_first=True, padding_value=pad_row)
    return words, pad_sequence([tags for _, tags in texts], batch_first=True, padding_value=NO_TAG)


def summed_loss(scores: Tensor, tags: Tensor) -> Tensor:
    """Over the tokens; padding adds nothing to the sum."""
    return cross_entropy(scores.transpose(1, 2), tags, ignore_index=NO_TAG, reduction="sum")


def train_network(
    train: list[tuple[Tensor, Tensor]],
    dev: list[tuple[Tensor, Tensor]],
    embedding: nn.Embedding,
    n_tags: int,
    epochs: int,
    seed: int,
) -> Training:
    torch.manual_seed(seed)
    order, pad_row = random.Random(seed), embedding.num_embeddings - 1
    network = Network(embedding, n_tags)
    optimizer = torch.optim.Adam((each for each in network.parameters() if each.requires_grad), lr=RATE)
    train, counted = list(train), []
    for _ in range(epochs):
        network.train()
        order.shuffle(train)
        for start in range(0, len(train), BATCH):
            words, tags = pad(train[start : start + BATCH], pad_row)
            optimizer.zero_grad()
            (summed_loss(network(words), tags) / tags.numel()).backward()  # by all positions, as the lecture does
            optimizer.step()
        counted.append(count(network, dev, pad_row))
    return Training(counted[-1], counted, len(dev), max(len(words) for words, _ in dev))


@torch.no_grad()
def count(network: nn.Module, texts: list[tuple[Tensor, Tensor]], pad_row: int) -> Counts:
    network.eval()
    counts = Counts()
    for start in range(0, len(texts), BATCH):
        words, tags = pad(texts[start : start + BATCH], pad_row)
        scores = network(words)
        counts.loss += summed_loss(scores, tags).item()
        counts.right += int((scores.argmax(dim=2) == tags).sum())  # padding has no tag, and is never right
        counts.tokens += int((tags != NO_TAG).sum())
        counts.positions += tags.numel()
    return counts


def row(split: Split, padding: bool, trainings: list[Training]) -> str:
    counts = [training.dev for training in trainings]
    loss, accuracy = mean(each.loss_of(padding) for each in counts), mean(each.accuracy(padding) for each in counts)
    shape = f"{trainings[0].longest} | {counts[0].tokens:,} / {counts[0].positions:,} = {counts[0].share:.3f}"
    return f"| {SPLITS[split]} | {'positions' if padding else 'tokens'} | {shape} | {loss:.3f} | {accuracy:.3f} |"


def pipeline_score() -> str:
    """The mean of the seeds that results.jsonl has."""
    records = [each for each in Store().records.values() if each.get("table") == "ritter" and each.get("row") == "lecture"]
    scores = [each["scores"]["gold"]["tag_acc"] for each in records if not each["overrides"]]
    return f"{mean(scores):.3f}" if scores else "not measured"


if __name__ == "__main__":
    typer.run(main)
