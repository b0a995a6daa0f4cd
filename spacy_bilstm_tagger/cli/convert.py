"""spacy-bilstm convert: annotated text in, DocBin out."""

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from ..corpus import (
    FORMATS,
    AnnotatedText,
    CharacterSpans,
    Columns,
    EntityRanges,
    EntityTags,
    Notes,
    read_corpus,
    to_docbin,
)
from ..corpus.annotated_text import join_handles
from ..corpus.labels import check_annotated, label_summary, label_warnings, map_ents, map_tags, read_tag_map, set_pos
from ..corpus.raw import exclude, in_fold
from ..corpus.votes import majority
from ..errors import DataError
from ..util import check_output, write_beside

MOST_LISTED = 20  # excluded texts
_FORMATS_HELP = "; ".join(f"{name}: {format.help}" for name, format in FORMATS.items())


def convert(
    input: Annotated[Path, typer.Argument(metavar="IN", help="The annotated file; - for the standard input.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The .spacy file to write.")],
    format: Annotated[Optional[str], typer.Option(help=f"Guessed by default. {_FORMATS_HELP}.")] = None,
    first: Annotated[Optional[int], typer.Option(help="Convert only this many texts.")] = None,
    skip: Annotated[int, typer.Option(help="Leave out this many texts at the beginning.")] = 0,
    fold: Annotated[
        Optional[str],
        typer.Option(
            metavar="K/N",
            help="Convert only one of N parts, such as 0/5: a text's part is drawn by lot, from its text alone.",
        ),
    ] = None,
    other_folds: Annotated[
        Optional[str], typer.Option("--except-fold", metavar="K/N", help="Convert all parts but this one.")
    ] = None,
    others: Annotated[
        Optional[list[Path]],
        typer.Option(
            "--exclude",
            help="Leave out texts that are also in this file, such as dev, and list them; case, white space, users and links do "
            "not count. Any format that convert reads, .spacy, or a folder with .spacy files.",
        ),
    ] = None,
    map_tags_file: Annotated[
        Optional[Path],
        typer.Option("--map-tags", help="Lines of 'tag TAB new tag'; 'a|b' is one of two tags, '-' makes it missing."),
    ] = None,
    map_pos_file: Annotated[
        Optional[Path],
        typer.Option(
            "--map-pos",
            help="Universal parts of speech by the tags in the file, where it has none: lines of 'tag TAB part of speech'; "
            "'ADP|SCONJ' is one of two.",
        ),
    ] = None,
    map_ents_file: Annotated[Optional[Path], typer.Option("--map-ents", help="The same for entity types.")] = None,
    annotated: Annotated[
        Optional[str],
        typer.Option(
            help="The entity types that the annotators looked for, such as person,location. A token outside of their "
            "entities may be of another type, which bilstm_ner then neither learns nor unlearns. All by default."
        ),
    ] = None,
    tags: Annotated[str, typer.Option(help="The column of CoNLL-U tags: upos, xpos or none.")] = "upos",
    roles: Annotated[
        Optional[str],
        typer.Option("--columns", help="Roles of the columns, such as token,tag,-,ent; guessed by default."),
    ] = None,
    encoding: Annotated[Optional[str], typer.Option(help="utf-8 by default; for gmb cp1252 where it is none.")] = None,
    repair_bio: Annotated[bool, typer.Option(help="Let a tag that cannot follow begin an entity.")] = False,
    skip_blank_tokens: Annotated[
        bool, typer.Option(help="Leave out tokens of nothing or white space. By default they are an error.")
    ] = False,
    join_at: Annotated[
        bool,
        typer.Option(
            "--join-handles",
            help="Join '@' and the name after it to one token, whose entity is missing, where both are entities of their own: "
            "so the Broad Twitter Corpus cuts handles. Where the name alone is marked, '@' is left out.",
        ),
    ] = False,
    votes: Annotated[
        Literal["shares", "majority"],
        typer.Option(
            help="For toxic_votes: shares, how large a part of the raters marked each token, to learn from; or majority, the "
            "spans that half of those who marked any have marked, to score with."
        ),
    ] = "shares",
    spans_key: Annotated[str, typer.Option(help="For toxic_spans: key in doc.spans and label of spans.")] = "toxic",
) -> None:
    """Convert a corpus to spaCy's DocBin.

    Gold tokens are kept, with their spaces if the raw text is known. If it is not, the spaces of the Doc are unknown,
    and spaCy does not tokenize it again. A text whose spans are given by characters is tokenized by TweetTokenizer. A
    span of toxic_spans that cuts a token is widened to the whole token; an entity of jsonl that cuts a token counts as
    missing.
    """
    if output.suffix != ".spacy" or output.is_dir():
        raise DataError(f"{output}: expected the name of a file that ends in .spacy")
    maps = [map_pos_file, map_tags_file, map_ents_file]
    inputs = [input] * input.is_file() + (others or [])
    check_output(output, [*inputs, *filter(None, maps)], example="train.spacy")
    columns, entities = Columns(roles.split(",") if roles else [], skip_blank_tokens), EntityTags(repair=repair_bio)
    spans, ranges, notes = CharacterSpans(spans_key), EntityRanges(), Notes()
    name, texts = read_corpus(
        input, format=format, encoding=encoding, columns=columns, conllu_tags=tags, entities=entities, notes=notes
    )
    if skip_blank_tokens and "columns" not in FORMATS[name].options:
        raise DataError(f"{input}: --skip-blank-tokens is only for columns, found {name}; remove these tokens from the file")
    if tags != "upos" and "tags" not in FORMATS[name].options:
        raise DataError(f"{input}: --tags {tags} is only for CoNLL-U, found {name}; name the columns with --columns")
    if spans_key != "toxic" and all(text.spans is None and text.votes is None for text in texts):
        raise DataError(f"{input}: --spans-key {spans_key} is only for toxic spans, found {name}; leave it out")
    if votes == "majority" and all(text.votes is None for text in texts):
        raise DataError(f"{input}: --votes majority is only for toxic_votes, found {name}; leave it out")
    texts = _select(input, texts, skip, first)
    if fold is not None:
        texts = in_fold(texts, fold)
    if other_folds is not None:
        texts = in_fold(texts, other_folds, inverted=True)
    texts, excluded = exclude(input, texts, others or [])
    if map_pos_file is not None:
        set_pos(map_pos_file, read_tag_map(map_pos_file), input, texts)
    if map_tags_file is not None:
        map_tags(map_tags_file, read_tag_map(map_tags_file), input, texts)
    if map_ents_file is not None:
        map_ents(map_ents_file, read_tag_map(map_ents_file), input, texts)
    joined = join_handles(texts) if join_at else (0, 0)
    if votes == "majority":
        for text in texts:
            if text.votes is not None:
                text.spans = majority(text.votes)
    types = None
    if annotated is not None:
        types = [part.strip() for part in annotated.split(",") if part.strip()]
        check_annotated(input, types, texts)
    docbin = to_docbin(input, texts, spans=spans, ranges=ranges, annotated=types)
    with write_beside(output) as draft:
        docbin.to_disk(draft)
    lines = [f"Format: {name} ({FORMATS[name].help}){'' if format else ', guessed'}", *columns.summary(), *notes.lines]
    if others:
        lines += _excluded_summary(others, excluded)
    n_tokens, n_raw = sum(map(len, docbin.tokens)), sum(text.raw is not None for text in texts)
    lines += [
        f"{len(texts):,} texts, {n_tokens:,} tokens, raw text known for {n_raw:,}",
        *label_summary(texts, ranges.types),
    ]
    if any(text.spans is not None or text.votes is not None for text in texts):
        lines.append(spans.summary())
    if join_at:
        lines.append(f"Handles joined: {joined[0]:,}; '@' left out before names: {joined[1]:,}")
    if types is not None:
        lines.append(f"Annotated entity types: {annotated}; a token outside of their entities may be of any other")
    if entities.repaired:
        lines.append(f"Repaired entity tags: {entities.repaired}")
    typer.echo("\n".join(lines))
    for warning in [*notes.warnings, *label_warnings(texts), *filter(None, [spans.warning(), ranges.summary()])]:
        typer.secho(f"⚠ {warning}", fg=typer.colors.YELLOW)
    typer.secho(f"✔ {output}", fg=typer.colors.GREEN)


def _select(path: Path, texts: list[AnnotatedText], skip: int, first: Optional[int]) -> list[AnnotatedText]:
    """RAISES: DataError for a number out of range."""
    if not 0 <= skip < len(texts):
        raise DataError(f"--skip {skip}: expected a number from 0 to {len(texts) - 1}; {path} holds {len(texts)} texts")
    texts = texts[skip:]
    if first is not None and not 1 <= first <= len(texts):
        left = f"that are left after --skip {skip}" if skip else f"in {path}"
        raise DataError(f"--first {first}: expected a number from 1 to {len(texts)}, the number of texts {left}")
    return texts[:first]


def _excluded_summary(others: list[Path], excluded: list[tuple[AnnotatedText, str]]) -> list[str]:
    lines = [f"Left out, as they are in {', '.join(map(str, others))}: {len(excluded):,} texts"]
    for text, place in excluded[:MOST_LISTED]:
        lines.append(f"  line {text.lines[0]}: {' '.join(text.text.split())[:60]!r} ({place})")
    if len(excluded) > MOST_LISTED:
        lines.append(f"  and {len(excluded) - MOST_LISTED:,} more")
    return lines
