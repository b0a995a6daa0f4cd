"""spacy-bilstm annotate: files of any number of texts in, annotations out."""

import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Iterator, Literal, Optional

import rich.progress
import srsly
import typer
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ..errors import DataError
from .check_gpu import check_gpu

if TYPE_CHECKING:
    from ..annotate.run import Job, Progress

INTERRUPTED = 130  # the exit code of a shell's command that Ctrl-C has stopped
_EVERY = 60  # seconds between lines where there is no terminal


def annotate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A pipeline: its folder, or the name of its package.")],
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="IN ... OUT",
            help="Files, folders, patterns or addresses (s3://, gs://, hdfs://) of .jsonl, .csv, .tsv, .parquet or .txt, also "
            "packed as .gz or .zst; - for the standard input. OUT is a folder, or one file that ends in .jsonl, .parquet, .csv, "
            ".conllu or .spacy.",
        ),
    ],
    text_field: Annotated[str, typer.Option(help="The column, or the key of JSON objects, that holds the text.")] = "text",
    id_field: Annotated[
        Optional[str],
        typer.Option(help="That of the ids. By default the number of the record, from 0, over all files.", show_default=False),
    ] = None,
    keep: Annotated[str, typer.Option(help="Further columns to keep, with commas between them.")] = "",
    input_format: Annotated[
        Optional[Literal["jsonl", "csv", "tsv", "parquet", "text"]],
        typer.Option(help="Where the name does not tell it.", show_default=False),
    ] = None,
    encoding: Annotated[str, typer.Option(help="Of the input: UTF-8, or one of single bytes, such as cp1252.")] = "utf-8",
    output_format: Annotated[
        Optional[Literal["jsonl", "parquet", "csv", "conllu", "spacy"]],
        typer.Option(
            "--format",
            help="Of the files in a folder; jsonl by default.",
            show_default=False,
        ),
    ] = None,
    fields: Annotated[
        str, typer.Option(help="What is written, of what the pipeline sets.")
    ] = "tokens,tag,pos,lemma,sents,ents,spans",
    offsets: Annotated[
        Literal["codepoint", "utf16"],
        typer.Option(help="Count characters as Python does, or as JavaScript and Java, where an emoji counts as two."),
    ] = "codepoint",
    disable: Annotated[str, typer.Option(help="Components to leave out, with commas between them: faster.")] = "",
    processes: Annotated[int, typer.Option(min=1, help="Each loads the pipeline.")] = 1,
    batch_size: Annotated[int, typer.Option(min=1, help="Texts that a component reads at once.")] = 256,
    gpu_id: Annotated[int, typer.Option(min=-1, help="As for 'spacy train'; -1 for the CPU.")] = -1,
    limit: Annotated[Optional[int], typer.Option(min=1, help="Read only the first records.", show_default=False)] = None,
    max_chars: Annotated[int, typer.Option(min=1, max=1_000_000, help="Longer texts are rejected, or cut by --cut.")] = 100_000,
    cut: Annotated[bool, typer.Option("--cut", help="Annotate the first --max-chars characters of longer texts.")] = False,
    shard_size: Annotated[int, typer.Option(min=1, help="Records of an output file.")] = 50_000,
    resume: Annotated[
        Literal["auto", "never", "always"],
        typer.Option(
            help="auto: go on with an earlier run, if its pipeline, input and options were these; always: also if not; never: "
            "begin anew."
        ),
    ] = "auto",
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first record that cannot be read.")] = False,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="ray: on a cluster of Ray, --processes actors (the extra ray).")
    ] = "local",
    address: Annotated[
        Optional[str],
        typer.Option(help="Of the Ray cluster; by default the one that runs here, or a new one.", show_default=False),
    ] = None,
) -> None:
    """Annotate texts by the million: JSONL, CSV, TSV, Parquet or text in; JSONL, Parquet, CSV, CoNLL-U or .spacy out.

    A run that was stopped, even by kill -9, goes on when the same command is given again, and writes what it would have
    written. Records that cannot be read stand in rejects.jsonl with the reason. Exit codes: 0 all records are annotated or
    rejected; 1 an error, a rejected record with --strict, or nothing but rejected ones; 2 a command that cannot be read, as
    with an unknown option; 130 stopped by Ctrl-C.
    """
    from ..annotate.annotation import check_fields
    from ..annotate.annotator import Recipe, model_path
    from ..annotate.outputs import FORMATS, Form
    from ..annotate.records import Layout, check_inputs, column_types
    from ..annotate.run import Job
    from ..annotate.sources import find_files

    if len(paths) < 2:
        raise DataError("expected the input and the output: spacy-bilstm annotate MODEL IN ... OUT")
    if address is not None and engine != "ray":
        raise DataError(f"--address {address}: is that of a Ray cluster; give --engine ray too, or leave it out")
    if engine == "local":
        model_path(model)
    *inputs, out = paths
    output = Path(out)
    ending = output.suffix.removeprefix(".").lower()
    _check_output(out, ending, is_local=engine == "local")
    if output_format and ending in FORMATS and ending != output_format:
        raise DataError(f"--format {output_format}: {out} ends in {output.suffix}; give one of them")
    names = tuple(names_of(keep))
    layout = Layout(
        text_field=text_field,
        id_field=id_field,
        keep=names,
        format=input_format,
        encoding=encoding,
        max_chars=max_chars,
        cut=cut,
    )
    sources = find_files(inputs)
    if engine == "local":
        _check_places(output, inputs, sources, is_file=ending in FORMATS)
    check_inputs(sources, layout)
    form = Form(
        format=output_format or (ending if ending in FORMATS else "jsonl"),
        fields=check_fields(names_of(fields)),
        offsets=offsets,
        keep=names,
        has_ids=id_field is not None,
        types=column_types(sources, layout),
    )
    recipe = Recipe(model, form, tuple(names_of(disable)), batch_size, gpu_id)
    job = Job(
        sources=sources, layout=layout, recipe=recipe, output=output, processes=processes, shard_size=shard_size, limit=limit,
        resume=resume, strict=strict,
    )  # fmt: skip
    if gpu_id >= 0:
        check_gpu(gpu_id)
    if engine == "local":
        _run(job)
        return
    from ..annotate.ray import run_on_ray

    run_on_ray(job, out, address)
    typer.secho(f"✔ {out}", fg=typer.colors.GREEN)


def _check_output(out: str, ending: str, *, is_local: bool) -> None:
    if is_local and "://" in out:
        raise DataError(f"{out}: is an address; give a folder or file of this machine, and copy it there (or --engine ray)")
    if out == "-":
        raise DataError("-: the standard output is not written to; expected a folder, or .jsonl, .parquet, .csv, .conllu or .spacy")
    if ending in ("tsv", "txt", "json", "ndjson", "xlsx", "gz", "zst", "xml"):
        raise DataError(f"{out}: .{ending} is not written; expected a folder, or .jsonl, .parquet, .csv, .conllu or .spacy")


def _check_places(output: Path, inputs: list[str], sources: list[str], *, is_file: bool) -> None:
    """RAISES: DataError for an output that would be read, or replace what is read."""
    from ..annotate.run import REJECTS, beside
    from ..annotate.shards import MANIFEST

    place = output.resolve()
    written = {place, *(beside(place, name) for name in (REJECTS, MANIFEST))} if is_file else {place}
    read = [Path(source).resolve() for source in [*inputs, *sources] if source != "-" and "://" not in source]
    if any(place.is_relative_to(path) or path in written or (not is_file and path.is_relative_to(place)) for path in read):
        raise DataError(f"{output}: is an input too, or lies in one, or holds one; give another output")


def _run(job: "Job") -> None:
    from ..annotate.run import REJECTS, beside, run_job
    from ..annotate.sources import size

    begin = time.monotonic()
    try:
        with _shown(sum(map(size, job.sources))) as progress:
            total = run_job(job, progress)
    except KeyboardInterrupt:
        typer.secho("⚠ Stopped. What is complete stays; the same command goes on.", fg=typer.colors.YELLOW, err=True)
        raise typer.Exit(INTERRUPTED) from None
    seconds = time.monotonic() - begin
    if total["kept"]:
        typer.echo(f"Files of an earlier run, kept: {total['kept']:,}")
    typer.echo(f"{total['texts']:,} texts; this run took {seconds:,.0f} s")
    rejects = beside(job.output, REJECTS) if job.is_one_file else job.output / REJECTS
    if total["rejects"] and not total["texts"]:
        first = next(iter(srsly.read_jsonl(rejects)))
        raise DataError(
            f"{first['source']}, line {first['line']}: {first['reason']}; all {total['rejects']:,} records were rejected, see "
            f"{rejects}"
        )
    if not total["rejects"] and not total["texts"]:
        typer.secho("⚠ The input holds no text", fg=typer.colors.YELLOW, err=True)
    if total["repeated"]:
        message = f"⚠ {total['repeated']:,} records have the id of an earlier one, so ids do not tell them apart"
        typer.secho(message, fg=typer.colors.YELLOW, err=True)
    if total["rejects"]:
        typer.secho(f"⚠ {total['rejects']:,} records were rejected, see {rejects}", fg=typer.colors.YELLOW, err=True)
    typer.secho(f"✔ {job.output}", fg=typer.colors.GREEN)


def names_of(given: str) -> list[str]:
    return [name.strip() for name in given.split(",") if name.strip()]


@contextmanager
def _shown(length: int) -> Iterator["Progress"]:
    """How far the run is: a bar in a terminal, else a line a minute. length (int): bytes of the input."""
    begin = last = time.monotonic()

    def text(total: Counter[str]) -> str:
        rate = total["texts"] / max(time.monotonic() - begin, 1e-9)
        return f"{total['texts']:,} texts, {rate:,.0f} a second, {total['rejects']:,} rejected"

    if not sys.stderr.isatty():

        def tell(total: Counter[str], place: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _EVERY:
                last = time.monotonic()
                share = f"{place / length:.1%} read, " if length else ""
                typer.echo(f"{share}{text(total)}", err=True)

        yield tell
        return
    columns = (BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with rich.progress.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("loading", total=length or None)
        yield lambda total, place: bar.update(task, completed=place, description=text(total))
        bar.update(task, completed=length)
