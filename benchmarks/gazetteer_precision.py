"""How often the names of gazetteers are entities, list by list, and kind by kind of those that are never looked for.

    python benchmarks/gazetteer_precision.py corpus/wnut17/train.spacy assets/gazetteers

Of the names found in a corpus with gold entities (all of them, but those within others of their list), the share whose
tokens all are in entities. What `spacy-bilstm vectors gazetteers` leaves out is counted on lists of its own.
"""

from collections import defaultdict
from pathlib import Path
from typing import Annotated

import numpy as np
import spacy
import typer
from spacy.tokens import Doc, DocBin

from spacy_bilstm_tagger.lexicon.gazetteers import find_names, gazetteer_table, list_files, read_lines, why_useless
from spacy_bilstm_tagger.lexicon.table import WordTable, WordTypes


def main(
    corpus: Annotated[Path, typer.Argument(help="A .spacy file with gold entities.")],
    gazetteers: Annotated[Path, typer.Argument(help="A folder of lists, or one list: a name in each line.")],
) -> None:
    nlp = spacy.blank("en")
    lists: dict[str, list[str]] = defaultdict(list)
    for name, path in list_files(gazetteers).items():
        for line in read_lines(path):
            why = why_useless(line)
            lists[f"left out: {why}" if why else name].append(line)
    table = gazetteer_table(lists)
    docs = list(DocBin().from_disk(corpus).get_docs(nlp.vocab))
    found, right = count(docs, table)
    entity_tokens = np.mean([token.ent_type_ != "" for doc in docs for token in doc])
    typer.echo(f"{100 * entity_tokens:.1f}% of the tokens are in entities\n")
    typer.echo("| list | names found | in entities |\n|---|---|---|")
    for name, total, good in sorted(zip(lists, found, right)):
        typer.echo(f"| {name} | {total:,} | {f'{100 * good / total:.1f}%' if total else ''} |")


def count(docs: list[Doc], table: WordTable) -> tuple[np.ndarray, np.ndarray]:
    """How many names of each list are found, and in how many of them every token is in an entity; (lists,) each."""
    begins, inside = find_names(table, WordTypes.of(docs))
    in_entity = np.array([token.ent_type_ != "" for doc in docs for token in doc])
    found, right = begins.sum(axis=0), np.zeros(begins.shape[1], dtype=int)
    for column in range(begins.shape[1]):
        for start in np.flatnonzero(begins[:, column]):
            end = start + 1
            while end < len(inside) and inside[end, column] and not begins[end, column]:
                end += 1
            right[column] += in_entity[start:end].all()
    return found, right


if __name__ == "__main__":
    typer.run(main)
