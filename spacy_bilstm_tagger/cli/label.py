"""spacy-bilstm label: raw texts labelled by teachers, for a pipeline to learn from."""

import shutil
from collections import Counter
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Annotated, Optional

import spacy
import typer
from spacy.tokens import Doc, DocBin
from spacy.util import minibatch

from ..corpus.annotated_text import text_fingerprints
from ..corpus.labels import read_tag_map
from ..corpus.raw import docbin_files, iter_raw_texts, read_raw_texts
from ..errors import DataError
from ..pipeline.soft_labels import confidence
from ..util import check_file
from .check_gpu import check_gpu


def label(
    texts: Annotated[
        Path,
        typer.Argument(
            metavar="TEXTS",
            help="Raw texts, one a line (.txt, .gz), .jsonl, .csv, .spacy or a folder of them, or what convert reads.",
        ),
    ],
    teachers: Annotated[
        list[str],
        typer.Argument(
            metavar="TEACHER...",
            help="Trained pipelines: folders, or installed ones; FOLDER:pos,ner for some of their components alone. Several "
            "count as their mean.",
        ),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write .spacy files to.")],
    map_tags_file: Annotated[
        Optional[Path],
        typer.Option("--map-tags", help="Lines of 'tag of the teacher TAB tag'; 'a|b' is one of two tags, '-' any."),
    ] = None,
    map_ents_file: Annotated[Optional[Path], typer.Option("--map-ents", help="The same for entity types.")] = None,
    min_confidence: Annotated[
        float,
        typer.Option(min=0, max=1, help="Leave out texts whose labels are less probable than this, on the mean of their tokens."),
    ] = 0.0,
    others: Annotated[
        Optional[list[Path]],
        typer.Option("--exclude", help="Leave out texts that are also in this file, such as dev; as for convert."),
    ] = None,
    limit: Annotated[Optional[int], typer.Option(min=1, help="Label only the first texts.")] = None,
    shard_size: Annotated[int, typer.Option(min=1, help="Texts of a file.")] = 5000,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts that a teacher reads at once.")] = 256,
    gpu_id: Annotated[int, typer.Option(min=-1, help="As for 'spacy train'; -1 for the CPU.")] = -1,
) -> None:
    """Label raw texts by trained pipelines, and keep the probabilities, for another pipeline to learn from.

    Name the folder, or one that holds it beside gold .spacy files, as paths.train of 'spacy train'. A component learns
    from soft labels where a text has no gold ones. A run that was stopped goes on when it is given again.
    """
    from ..annotate.shards import Shards, folder_checksum, path_checksum
    from ..annotate.teachers import Teachers, load_teachers, path_of

    if not (texts.is_dir() and docbin_files(texts)):
        check_file(texts)
    for path in others or []:
        if not path.exists():
            raise DataError(f"--exclude {path}: no such file")
    if gpu_id >= 0:
        check_gpu(gpu_id)
        spacy.require_gpu(gpu_id)
    tag_map, type_map = (read_tag_map(path) if path else None for path in (map_tags_file, map_ents_file))
    pipelines = load_teachers(teachers)
    teacher = Teachers(pipelines, tag_map=tag_map, type_map=type_map)
    run = {
        "file of texts": path_checksum(texts),
        "teacher": [[folder_checksum(path_of(nlp, name)), *nlp.pipe_names] for name, nlp in pipelines.items()],
        "--map-tags": tag_map,
        "--map-ents": type_map,
        "--min-confidence": min_confidence,
        "--exclude": [path_checksum(path) for path in others or []],
        "--limit": limit,
        "--shard-size": shard_size,
        "version": version("spacy-bilstm-tagger"),
    }
    excluded = {each for path in others or [] for text in read_raw_texts(path) for each in text_fingerprints(text)}
    n_texts = sum(1 for _ in islice(iter_raw_texts(texts), limit))
    is_new = not output.exists()
    shards = Shards(output, run, suffix=".spacy")
    stream = islice(iter_raw_texts(texts), limit)
    total, n_before = Counter[str](), 0
    with typer.progressbar(length=n_texts, label="Labelling", width=30, show_pos=True) as bar:
        for number in range(-(-n_texts // shard_size)):
            given = list(islice(stream, shard_size))
            found = shards.done(number)
            n_before += found is not None
            if found is None:
                kept = [text for text in given if excluded.isdisjoint(text_fingerprints(text))]
                docs: list[Doc] = []
                for batch in minibatch(kept, batch_size):
                    docs += teacher.label(batch)
                    bar.update(len(batch))
                sure = [doc for doc in docs if confidence(doc) >= min_confidence]
                found = {"texts": len(sure), "excluded": len(given) - len(kept), "unsure": len(docs) - len(sure)}
                with shards.new(number) as (draft, counts):
                    DocBin(docs=sure, store_user_data=True).to_disk(draft)
                    counts.update(found)
                given = given[len(kept) :]
            bar.update(len(given))
            total.update(found)
    lines = [f"Files of an earlier run, kept: {n_before:,}"] if n_before else []
    if others:
        lines.append(f"Left out, as they are in {', '.join(map(str, others))}: {total['excluded']:,} texts")
    if min_confidence:
        lines.append(f"Left out, as their labels are less probable than {min_confidence}: {total['unsure']:,} texts")
    keys = "; ".join(f"{key}: {', '.join(teacher.labels(pipe))}" for key, pipe in teacher.components.items())
    lines.append(f"{total['texts']:,} texts with soft labels, the mean of {len(pipelines)} teacher(s): {keys}")
    typer.echo("\n".join(lines))
    if not total["texts"]:
        if is_new:
            shutil.rmtree(output)
        raise DataError(f"{texts}: no text is left to learn from")
    typer.secho(f"✔ {output}", fg=typer.colors.GREEN)
