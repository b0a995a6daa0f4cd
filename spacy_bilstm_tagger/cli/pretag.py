"""spacy-bilstm pretag: raw texts with the labels of a pipeline, for people to correct."""

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from ..annotate.annotator import load_pipeline
from ..corpus.raw import iter_raw_texts
from ..errors import DataError
from ..util import check_output, write_beside

_BY_SUFFIX = {".tsv": "tsv", ".conll": "conll", ".json": "label-studio", ".jsonl": "doccano"}


def pretag(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A pipeline: its folder, or the name of its package.")],
    texts: Annotated[
        Path,
        typer.Argument(metavar="IN", help="Raw texts: one a line, or what convert reads; - for the standard input."),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help=".tsv, .conll, .jsonl (doccano) or .json (Label Studio).")],
    format: Annotated[
        Optional[Literal["tsv", "conll", "doccano", "label-studio", "prodigy"]],
        typer.Option(help="Where the name of the file does not tell it.", show_default=False),
    ] = None,
    rank: Annotated[Literal["order", "uncertain"], typer.Option(help="As the texts stand, or the least sure first.")] = "order",
    limit: Annotated[Optional[int], typer.Option(min=1, help="How many texts.", show_default=False)] = None,
    exclude: Annotated[
        Optional[list[Path]],
        typer.Option(help="Leave out texts that are in this file too, such as those that are annotated.", show_default=False),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT, with all corrections in it.")] = False,
) -> None:
    """Write texts with the tags and entities that a pipeline finds, for people to correct; 'spacy-bilstm convert' reads what they
    make of it. Columns have tags and entities; for doccano, Prodigy and Label Studio, entities alone."""
    from ..report.pretag import check_pipeline, sets, write
    from ..report.pretag import pretag as annotate

    chosen = format or _BY_SUFFIX.get(output.suffix.lower())
    if chosen is None:
        raise DataError(f"{output}: found {output.suffix or 'no ending'}, expected {', '.join(_BY_SUFFIX)}, or --format")
    check_output(output, [texts, *(exclude or [])], example="tweets.tsv")
    if output.exists() and not overwrite:
        raise DataError(f"{output}: exists, and may hold corrections; give another name, or --overwrite")
    nlp = load_pipeline(model)
    check_pipeline(nlp, rank)
    tags, ents = sets(nlp, "token.tag"), sets(nlp, "doc.ents")
    if chosen not in ("tsv", "conll") and not ents:
        raise DataError(f"--format {chosen}: has places for entities alone, and {model} finds none; expected .tsv or .conll")
    known = chain.from_iterable(map(iter_raw_texts, exclude or []))
    counts: Counter[str] = Counter()
    found = annotate(nlp, iter_raw_texts(texts), rank=rank, limit=limit, known=known, counts=counts)
    with write_beside(output) as draft, draft.open("w", encoding="utf8") as file:
        for piece in write(chosen, found, tags=tags, ents=ents):
            file.write(piece)
        if not counts["written"]:
            raise DataError(f"{texts}: nothing is left to label, all {counts['read']:,} texts came before or are in --exclude")
    left_out = f"; left out, as they came before or were excluded: {counts['repeated']:,}" if counts["repeated"] else ""
    typer.echo(f"{counts['written']:,} texts{left_out}")
    into = output.with_suffix(".spacy")
    if chosen in ("tsv", "conll"):
        columns = ",".join(["token", *(["tag"] if tags else []), *(["ent"] if ents else [])])
        typer.echo(f"When it is corrected: spacy-bilstm convert {output} {into} --columns {columns}")
    else:
        typer.echo(f"When it is corrected and exported: spacy-bilstm convert EXPORT {into}")
    typer.secho(f"✔ {output}", fg=typer.colors.GREEN)
