"""spacy-bilstm convert: annotated text in, DocBin out."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Optional

import typer

from ..corpus import FORMATS, AnnotatedText, CharacterSpans, Columns, EntityTags, exclude, read_corpus, to_docbin
from ..corpus.bio import bio_spans
from ..corpus.exclude import Left
from ..corpus.tag_map import map_ents, map_tags, read_tag_map
from ..errors import DataError
from ..partial_labels import EITHER
from ..util import write_beside

MOST_LISTED = 20  # texts that are left out
MOST_LABELS = 100
MOST_VALUES = 5  # of a column that is not used
_FORMATS_HELP = "; ".join(f"{name}: {what}" for name, what in FORMATS.items())


def convert(
    input: Annotated[Path, typer.Argument(metavar="IN", help="The annotated file.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The .spacy file to write.")],
    format: Annotated[Optional[str], typer.Option(help=f"Guessed by default. {_FORMATS_HELP}.")] = None,
    first: Annotated[Optional[int], typer.Option(help="Convert only this many texts.")] = None,
    skip: Annotated[int, typer.Option(help="Leave out this many texts at the beginning.")] = 0,
    others: Annotated[
        Optional[list[Path]],
        typer.Option(
            "--exclude",
            help="Leave out texts that are also in this file, such as dev, and list them; case and white space do not "
            "count. Any format that convert reads, or .spacy.",
        ),
    ] = None,
    map_tags_file: Annotated[
        Optional[Path],
        typer.Option(
            "--map-tags", help="A file of 'tag TAB new tag' lines; 'a|b' is one of two tags, '-' makes it missing."
        ),
    ] = None,
    map_ents_file: Annotated[
        Optional[Path],
        typer.Option("--map-ents", help="The same for entity types."),
    ] = None,
    annotated: Annotated[
        Optional[str],
        typer.Option(
            help="The entity types that the annotators looked for, such as person,location. A token outside of their "
            "entities may be of another type, which bilstm_ner then neither learns nor unlearns. All by default."
        ),
    ] = None,
    tags: Annotated[str, typer.Option(help="The column of CoNLL-U tags: upos or xpos.")] = "upos",
    roles: Annotated[
        Optional[str],
        typer.Option("--columns", help="What the columns hold, such as token,tag,-,ent. Guessed by default."),
    ] = None,
    encoding: Annotated[Optional[str], typer.Option(help="utf-8 by default; latin-1 for gmb.")] = None,
    repair_bio: Annotated[
        bool,
        typer.Option(help="Let an entity tag that cannot follow begin an entity, instead of refusing it."),
    ] = False,
    spans_key: Annotated[
        str, typer.Option(help="For toxic_spans: the key in doc.spans, and the label of the spans.")
    ] = "toxic",
) -> None:
    """Convert a corpus to spaCy's DocBin.

    Gold tokens are kept: where the raw text is known, with their spaces; where it is not, as a Doc whose spaces are
    unknown, which spaCy does not tokenize again. A text whose spans are given by characters is tokenized by
    TweetTokenizer; a span that cuts a token is widened to the whole token.
    """
    if output.suffix != ".spacy" or output.is_dir():
        raise DataError(f"{output}: expected the name of a file that ends in .spacy")
    columns = Columns(roles.split(",") if roles else [])
    entities, spans = EntityTags(repair=repair_bio), CharacterSpans(spans_key)
    name, texts = read_corpus(
        input,
        format=format,
        encoding=encoding,
        columns=columns,
        conllu_tags=tags,
        entities=entities,
    )
    if not 0 <= skip < len(texts):
        raise DataError(
            f"--skip {skip}: expected a number from 0 to {len(texts) - 1}; {input} holds {len(texts)} texts"
        )
    texts = texts[skip:]
    if first is not None:
        if not 1 <= first <= len(texts):
            raise DataError(
                f"--first {first}: expected a number from 1 to {len(texts)}, the number of texts in {input}"
            )
        texts = texts[:first]
    texts, left = exclude(input, texts, others or [])
    if map_tags_file is not None:
        map_tags(map_tags_file, read_tag_map(map_tags_file), input, texts)
    if map_ents_file is not None:
        map_ents(map_ents_file, read_tag_map(map_ents_file), input, texts)
    docbin = to_docbin(input, texts, spans=spans, annotated=_annotated_types(input, annotated, texts))
    with write_beside(output) as draft:
        docbin.to_disk(draft)
    typer.echo(f"Format: {name} ({FORMATS[name]}){'' if format else ', guessed'}")
    for line in _columns_summary(columns):
        typer.echo(line)
    if others:
        typer.echo("\n".join(_left_out(others, left)))
    for line in _summary(texts, n_tokens=sum(map(len, docbin.tokens))):
        typer.echo(line)
    if any(text.spans is not None for text in texts):
        typer.echo(_spans_summary(texts, spans))
    if annotated is not None:
        typer.echo(f"Annotated entity types: {annotated}; a token outside of their entities may be of any other")
    if entities.repaired:
        typer.echo(f"Repaired entity tags: {entities.repaired}")
    typer.secho(f"✔ {output}", fg=typer.colors.GREEN)


def _left_out(others: list[Path], left: Left) -> list[str]:
    """Which texts of the corpus are in the other files."""
    lines = [f"Left out, as they are in {', '.join(map(str, others))}: {len(left):,} texts"]
    for text, place in left[:MOST_LISTED]:
        start = " ".join((text.raw or " ".join(text.words)).split())[:60]
        lines.append(f"  line {text.lines[0]}: {start!r} ({place})")
    if len(left) > MOST_LISTED:
        lines.append(f"  and {len(left) - MOST_LISTED:,} more")
    return lines


def _annotated_types(path: Path, names: Optional[str], texts: list[AnnotatedText]) -> Optional[list[str]]:
    """RAISES: DataError where an entity of the corpus is of none of these types."""
    if names is None:
        return None
    types = [name.strip() for name in names.split(",") if name.strip()]
    found = {label for text in texts for _, _, label in bio_spans(text.ents or [])}
    others = sorted({part for label in found for part in label.split(EITHER)} - set(types))
    if others or not types:
        raise DataError(
            f"--annotated {names}: expected every entity type of {path}, such as person,location; left out: "
            f"{', '.join(others) or 'none'}"
        )
    return types


def _columns_summary(columns: Columns) -> list[str]:
    if not columns.guessed:
        return []
    lines = [f"Columns: {', '.join(columns.roles)}, guessed"]
    for number, values in columns.unused.items():
        listed = _counts(values, MOST_VALUES)
        lines.append(f"Column {number} is not used: {listed}; --columns says what it holds (token, tag, ent)")
    return lines


def _spans_summary(texts: list[AnnotatedText], spans: CharacterSpans) -> str:
    without = sum(text.spans == [] for text in texts)
    blank = f"; of white space alone, left out: {spans.blank:,}" if spans.blank else ""
    return (
        f"Spans ({spans.key}): {spans.found:,}; widened to whole tokens: {spans.widened:,}{blank}; "
        f"texts without spans: {without:,}"
    )


def _summary(texts: list[AnnotatedText], *, n_tokens: int) -> list[str]:
    with_raw = sum(text.raw is not None for text in texts)
    lines = [f"{len(texts):,} texts, {n_tokens:,} tokens, raw text known for {with_raw:,}"]
    tags = Counter(tag for text in texts for tag in text.tags or [])
    if tags:
        missing = tags.pop("", 0)
        lines.append(f"{len(tags):,} tags: {_counts(tags)}; tokens without a tag: {missing:,}")
    ents = Counter(label for text in texts for _, _, label in bio_spans(text.ents or []))
    if ents:
        lines.append(f"Entities: {_counts(ents)}")
    elif any(text.ents is not None for text in texts):
        lines.append("Entities: none")
    return lines


def _counts(labels: "Counter[str]", most: int = MOST_LABELS) -> str:
    """The most frequent first."""
    listed = ", ".join(f"{label} {n:,}" for label, n in labels.most_common(most))
    return f"{listed}, and {len(labels) - most:,} more" if len(labels) > most else listed
