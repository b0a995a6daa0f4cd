"""A table of word vectors kept as codes of a byte each: a fifth of the size of float16. Recipes train on it as on any other.

python scripts/code_vectors.py vectors/distilled vectors/coded
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import spacy
import typer
from scipy.cluster.vq import kmeans2, vq

from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.lexicon.table import BOOK, PARTS, VECTORS_PREFIX, WordTable
from spacy_bilstm_tagger.lexicon.vectors import load_further_table
from spacy_bilstm_tagger.util import write_beside

SAMPLE = 40_000  # words from which the centroids are learned
N_CENTROIDS = 256  # of a part, as many as a byte can tell apart


def main(
    source: Annotated[str, typer.Argument(metavar="VECTORS", help="A folder that 'spacy-bilstm vectors' has made.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write.")],
    name: Annotated[str, typer.Option(help="Of the table, as TweetEmbed.v1 and load_vectors.v1 have it.")] = "distilled",
) -> None:
    try:
        table = load_further_table(source, name, dtype="float16")
        if len(table.hashes) < N_CENTROIDS:
            raise DataError(
                f"{source}: found {len(table.hashes)} rows, expected at least {N_CENTROIDS}; a table that small needs no codes"
            )
    except DataError as error:
        typer.secho(f"✘ {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
    coded = quantize(table)
    nlp = spacy.blank("en", meta={"name": "vectors"})
    coded.to_lookups(nlp.vocab.lookups, VECTORS_PREFIX + name)
    with write_beside(output) as draft:
        nlp.to_disk(draft)
    at = np.arange(len(coded.hashes))
    rows = table.rows(at)
    lost = np.square(coded.rows(at) - rows).sum() / np.square(rows).sum()
    typer.echo(f"✔ {output}: {len(at):,} rows, {coded.arrays['codes'].shape[1]} bytes each; {lost:.1%} of their squares are lost")


def quantize(table: WordTable) -> WordTable:
    """See `WordTable.rows`. The first columns, those of principal components, vary most and are coded in pairs, the others in
    threes."""
    rows = table.rows(np.arange(len(table.hashes)))
    width = rows.shape[1]
    sizes = [2] * (width // 8)
    sizes += [3] * ((width - sum(sizes)) // 3)
    parts = np.repeat(np.arange(len(sizes)), sizes)
    parts = np.concatenate([parts, np.full(width - len(parts), len(sizes))])  # columns that are left are one part more
    sample = rows[np.random.default_rng(0).permutation(len(rows))[:SAMPLE]]
    book = np.zeros((N_CENTROIDS, width), dtype=np.float16)
    codes = np.zeros((len(rows), parts.max() + 1), dtype=np.uint8)
    for part in range(codes.shape[1]):
        columns = parts == part
        book[:, columns], _ = kmeans2(sample[:, columns], N_CENTROIDS, iter=20, minit="points", rng=0)
        codes[:, part], _ = vq(rows[:, columns], book[:, columns].astype(np.float32))
    return WordTable(table.hashes, {"codes": codes}, {**table.info, BOOK: book, PARTS: parts})


if __name__ == "__main__":
    typer.run(main)
