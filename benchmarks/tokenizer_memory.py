"""Memory of TweetTokenizer.v1 over many distinct chunks, in memory zones of spaCy and without them.

    python benchmarks/tokenizer_memory.py --chunks 1000000

Prints the resident memory after every tenth of the chunks. Inside zones it stays where it is; outside, spaCy's
vocabulary keeps every word type for good, whatever the tokenizer.
"""

import os
from itertools import islice
from pathlib import Path
from typing import Annotated

import spacy
import typer

from spacy_bilstm_tagger.tokenizer import create_tweet_tokenizer

WORDS = 20


def main(
    chunks: Annotated[int, typer.Option(min=200, help="Distinct chunks.")] = 1_000_000,
    zone_texts: Annotated[int, typer.Option(min=1, help="Texts in one memory zone.")] = 500,
    tokenizer: Annotated[str, typer.Option(help="ud, ptb, or en for spaCy's own.")] = "ud",
    zones: Annotated[bool, typer.Option(help="Use nlp.memory_zone().")] = True,
) -> None:
    nlp = spacy.blank("en")
    if tokenizer != "en":
        nlp.tokenizer = create_tweet_tokenizer(scheme=tokenizer)(nlp)
    texts = (" ".join(chunk(i) for i in range(first, first + WORDS)) for first in range(0, chunks, WORDS))
    done = 0
    for tenth in range(11):
        while done * 10 < chunks * tenth:
            batch = list(islice(texts, zone_texts))
            if not batch:
                break
            if zones:
                with nlp.memory_zone():
                    for text in batch:
                        nlp.make_doc(text)
            else:
                for text in batch:
                    nlp.make_doc(text)
            done += len(batch) * WORDS
        typer.echo(f"{done:>9,} chunks: {resident_mib():6.1f} MiB")


def chunk(number: int) -> str:
    """A chunk of two tokens that no other number has."""
    return f"#w{number}." if number % 2 else f"word{number:x}!"


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    typer.run(main)
