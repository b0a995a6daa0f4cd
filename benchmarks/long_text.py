"""How much memory and time one very long text takes at prediction.

Each case runs in a process of its own and counts what its largest memory grows by while the text is tagged.

    python benchmarks/long_text.py --tokens 200000
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import spacy
import torch
import typer
from spacy.tokens import Doc
from spacy.training import Example

WORDS = ["so", "good", "@mara", "do", "n't", "GO", "there", "!!", "😂", "#now", "http://x.org", "soooo"]
CASES = {
    "12 word types": (False, []),
    "12 word types, characters": (False, [3]),
    "all words distinct": (True, []),
    "all words distinct, characters": (True, [3]),
}


def main(
    tokens: Annotated[int, typer.Option(help="Length of the text.")] = 200_000,
    case: Annotated[str, typer.Option(help="Measure only this, and print it as JSON.")] = "",
) -> None:
    if case:
        typer.echo(json.dumps(measure(tokens, *CASES[case])))
        return
    typer.echo("| text | peak memory beyond the text, MB | bytes a token | seconds |\n|---|---|---|---|")
    for name in CASES:
        command = [sys.executable, __file__, "--tokens", str(tokens), "--case", name]
        grown, seconds = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        typer.echo(f"| {name} | {grown / 1e6:,.0f} | {grown / tokens:,.0f} | {seconds:.1f} |")


def measure(tokens: int, distinct: bool, kernels: list[int]) -> tuple[int, float]:
    """Growth of the process's largest memory, in bytes, and seconds, for tagging one text."""
    torch.set_num_threads(1)
    nlp = spacy.blank("en")
    embed = {
        "@architectures": "spacy-bilstm-tagger.TweetEmbed.v1",
        "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
        "rows": [5000, 1000, 2500, 1000],
        "feature_width": 48,
        "char_kernels": kernels,
        "include_static_vectors": False,
    }
    encode = {"@architectures": "spacy-bilstm-tagger.BiLSTMEncoder.v1", "width": 200, "depth": 1}
    tok2vec = {"@architectures": "spacy.Tok2Vec.v2", "embed": embed, "encode": encode}
    head = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": tok2vec}
    tagger = nlp.add_pipe("bilstm_tagger", config={"model": head})
    tags = [f"T{i}" for i in range(len(WORDS))]
    nlp.initialize(lambda: [Example(Doc(nlp.vocab, words=WORDS), Doc(nlp.vocab, words=WORDS, tags=tags))])
    numbers = np.arange(tokens)
    words = [f"w{n}xyz{n * 7}word" for n in numbers] if distinct else [WORDS[n % len(WORDS)] for n in numbers]
    doc = Doc(nlp.vocab, words=words)
    tagger(Doc(nlp.vocab, words=words[:1000]))
    before, start = largest_memory(), time.perf_counter()
    tagger(doc)
    return largest_memory() - before, time.perf_counter() - start


def largest_memory() -> int:
    """Bytes. Linux lets a process inherit its parent's `ru_maxrss`, which would hide all that stays below that."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


if __name__ == "__main__":
    typer.run(main)
