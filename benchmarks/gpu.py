"""All that is to be known of a machine with a GPU, in one call of some minutes: the tests, then rates and memory.

    python -m benchmarks.gpu > gpu.md

A tagger (TweetEmbed of hashed features and characters, BiLSTM, CRF) in single and in mixed precision, spaCy's CNN
(`HashEmbedCNN` and its tagger), and as a limit torch's own LSTM of the same size on padded rows, which has no words to look up and
no docs to make. All are untrained and read the sample corpus again and again. Wall-clock time; every measurement lasts some
seconds, after one round that is not counted. `--device cpu` tries the script on any machine.
"""

import platform
import subprocess
import sys
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, Callable, Optional

import spacy
import thinc
import torch
import typer
from spacy.tokens import Doc
from spacy.training import Example
from torch import nn

from spacy_bilstm_tagger.corpus import read_corpus, to_docbin

PROJECT = Path(__file__).parent.parent
TOKENIZER = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
EMBED_WIDTH = 288  # about that of the tagger's embedding


@dataclass
class Reader:
    """name: in the table; read, learn: of so many docs at once."""

    name: str
    read: Callable[[int], object]
    learn: Callable[[int], object]


def main(
    device: Annotated[str, typer.Option(help="cuda or cpu.")] = "cuda",
    width: Annotated[int, typer.Option(help="Of the BiLSTM, both directions.")] = 400,
    sizes: Annotated[str, typer.Option(help="Texts of a batch at prediction.")] = "256,1024,4096",
    learned: Annotated[str, typer.Option(help="Texts of a batch in training.")] = "32,128",
    seconds: Annotated[float, typer.Option(help="Of each measurement, at least.")] = 4.0,
    limit: Annotated[int, typer.Option(help="Tweets of the sample corpus.")] = 354,
    tests: Annotated[bool, typer.Option(help="Run tests/gpu first.")] = True,
) -> None:
    say(f"Python {platform.python_version()}, torch {torch.__version__}, spaCy {spacy.__version__}, thinc {thinc.__version__}")
    if device == "cuda":
        if not torch.cuda.is_available():
            say("torch finds no CUDA device: 'spacy-bilstm check-gpu --gpu-id 0' says what is missing")
            raise typer.Exit(1)
        say(f"{torch.cuda.get_device_name()}, {torch.cuda.get_device_properties(0).total_memory / 2**30:.0f} GiB")
        if tests:
            command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", "tests/gpu"]
            found = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
            say(found.stdout[-3000:] if found.returncode else found.stdout.strip().rpartition("\n")[2])
        spacy.require_gpu()
    source = PROJECT / "assets" / "sample" / "train.conll"
    docs = list(to_docbin(source, read_corpus(source)[1][:limit]).get_docs(spacy.blank("en").vocab))
    readers = [
        pipeline("bilstm_tagger", docs, our_model(width)),
        pipeline("bilstm_tagger, mixed precision", docs, our_model(width, mixed_precision=True)),
        pipeline("spaCy's CNN", docs, None),
        lstm(f"torch.nn.LSTM, 2 x {width // 2}", docs, width, device),
    ]
    mean = sum(map(len, docs)) / len(docs)
    for head, choose, given in (("prediction", "read", sizes), ("training", "learn", learned)):
        batch_sizes = list(map(int, given.split(",")))
        say(f"\n| tokens/s, {head} | {' | '.join(f'batch {size}' for size in batch_sizes)} | most memory, MB |")
        say("|---|" + "---|" * (len(batch_sizes) + 1))
        for reader in readers:
            forget_memory(device)
            call = getattr(reader, choose)
            rates = [f"{size * mean / seconds_of(call, size, seconds, device):,.0f}" for size in batch_sizes]
            say(f"| {reader.name} | {' | '.join(rates)} | {most_memory(device)} |")


def say(line: str) -> None:
    print(line, flush=True)  # what is measured is there even if the time runs out


def our_model(width: int, *, mixed_precision: bool = False) -> dict[str, Any]:
    return {
        "@architectures": "spacy-bilstm-tagger.LinearChainCRF.v1",
        "tok2vec": {
            "@architectures": "spacy.Tok2Vec.v2",
            "embed": {
                "@architectures": "spacy-bilstm-tagger.TweetEmbed.v1",
                "feature_width": 48,
                "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
                "rows": [5000, 1000, 2500, 2500],
                "include_static_vectors": False,
                "char_kernels": [2, 3, 4],
                "char_filters": 32,
            },
            "encode": {
                "@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1",
                "width": width,
                "depth": 1,
                "mixed_precision": mixed_precision,
            },
        },
    }


def pipeline(name: str, docs: list[Doc], model: Optional[dict[str, Any]]) -> Reader:
    nlp = spacy.blank("en", config=TOKENIZER)
    tagger = nlp.add_pipe("bilstm_tagger", "tagger", config={"model": model}) if model else nlp.add_pipe("tagger")
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
    optimizer = nlp.initialize(lambda: examples)

    def read(size: int) -> None:
        texts = [doc.text for doc in islice(cycle(docs), size)]
        for _ in tagger.pipe(map(nlp.make_doc, texts), batch_size=size):
            pass

    def learn(size: int) -> None:
        nlp.update(list(islice(cycle(examples), size)), sgd=optimizer)

    return Reader(name, read, learn)


def lstm(name: str, docs: list[Doc], width: int, device: str) -> Reader:
    module = nn.LSTM(EMBED_WIDTH, width // 2, bidirectional=True, batch_first=True).to(device)
    longest = max(map(len, docs))

    def rows(size: int) -> torch.Tensor:
        return torch.zeros(size, longest, EMBED_WIDTH, device=device)

    @torch.no_grad()
    def read(size: int) -> None:
        module(rows(size))

    def learn(size: int) -> None:
        module(rows(size))[0].sum().backward()

    return Reader(name, read, learn)


def seconds_of(call: Callable[[int], object], size: int, least: float, device: str) -> float:
    """Of one call, the mean over as many as take the time."""
    call(size)
    wait(device)
    start, count = perf_counter(), 0
    while (took := perf_counter() - start) < least:
        call(size)
        wait(device)
        count += 1
    return took / count


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def forget_memory(device: str) -> None:
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def most_memory(device: str) -> str:
    """Of torch's allocator, from which cupy takes its memory too once spaCy has been told to use the GPU."""
    return f"{torch.cuda.max_memory_allocated() / 1e6:,.0f}" if device == "cuda" else "–"


if __name__ == "__main__":
    typer.run(main)
