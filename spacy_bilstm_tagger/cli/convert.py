"""spacy-bilstm convert: annotated text in, DocBin out."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Optional

import typer

from ..corpus import FORMATS, AnnotatedText, EntityTags, read_corpus, to_docbin
from ..corpus.bio import bio_spans
from ..corpus.tag_map import map_tags, read_tag_map
from ..errors import DataError, Errors
from ..files import write_beside

_FORMATS_HELP = "; ".join(f"{name}: {what}" for name, what in FORMATS.items())


def convert(
    input: Annotated[Path, typer.Argument(metavar="IN", help="The annotated file.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The .spacy file to write.")],
    format: Annotated[Optional[str], typer.Option(help=f"Guessed by default. {_FORMATS_HELP}.")] = None,
    first: Annotated[Optional[int], typer.Option(help="Convert only this many texts.")] = None,
    map_tags_file: Annotated[
        Optional[Path],
        typer.Option("--map-tags", help="A file of 'tag TAB new tag' lines; '-' makes it missing."),
    ] = None,
    tags: Annotated[str, typer.Option(help="The column of CoNLL-U tags: upos or xpos.")] = "upos",
    columns: Annotated[
        Optional[str],
        typer.Option(help="What the columns hold, such as token,tag,-,ent. Guessed by default."),
    ] = None,
    encoding: Annotated[Optional[str], typer.Option(help="utf-8 by default; latin-1 for gmb.")] = None,
    repair_bio: Annotated[
        bool,
        typer.Option(help="Let an entity tag that cannot follow begin an entity, instead of refusing it."),
    ] = False,
) -> None:
    """Convert a corpus to spaCy's DocBin.

    Gold tokens are kept: where the raw text is known, with their spaces; where it is not, as a Doc whose spaces are
    unknown, which spaCy does not tokenize again.
    """
    if output.suffix != ".spacy" or output.is_dir():
        raise DataError(Errors.OUTPUT_SUFFIX.format(path=output))
    entities = EntityTags(repair=repair_bio)
    name, texts = read_corpus(
        input,
        format=format,
        encoding=encoding,
        columns=columns.split(",") if columns else None,
        conllu_tags=tags,
        entities=entities,
    )
    if first is not None:
        if not 1 <= first <= len(texts):
            raise DataError(Errors.CORPUS_FIRST.format(found=first, count=len(texts), path=input))
        texts = texts[:first]
    if map_tags_file is not None:
        map_tags(map_tags_file, read_tag_map(map_tags_file), input, texts)
    docbin = to_docbin(input, texts)
    with write_beside(output) as draft:
        docbin.to_disk(draft)
    typer.echo(f"Format: {name} ({FORMATS[name]}){'' if format else ', guessed'}")
    for line in _summary(texts):
        typer.echo(line)
    if entities.repaired:
        typer.echo(f"Repaired entity tags: {entities.repaired}")
    typer.secho(f"✔ {output}", fg=typer.colors.GREEN)


def _summary(texts: list[AnnotatedText]) -> list[str]:
    n_tokens = sum(len(text.words) for text in texts)
    with_raw = sum(text.raw is not None for text in texts)
    lines = [f"{len(texts):,} texts, {n_tokens:,} tokens, raw text known for {with_raw:,}"]
    tags = Counter(tag for text in texts for tag in text.tags or [])
    if tags:
        missing = tags.pop("", 0)
        lines.append(f"{len(tags)} tags; tokens without a tag: {missing:,}")
    ents = Counter(label for text in texts for _, _, label in bio_spans(text.ents or []))
    if ents:
        lines.append("Entities: " + ", ".join(f"{label} {n:,}" for label, n in ents.most_common()))
    return lines
