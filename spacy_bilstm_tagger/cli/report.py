"""spacy-bilstm report: what a pipeline does with annotated texts, as a page."""

import sys
from pathlib import Path
from typing import Annotated, Any, Callable, Optional

import srsly
import typer

from ..annotate.annotator import load_pipeline, model_path
from ..errors import DataError
from ..util import check_output, write_beside
from .check_gpu import check_gpu
from .scores import show

LOG = "log.jsonl"  # beside the pipeline's folder


def report(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A trained pipeline: its folder, or the name of its package.")],
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA ...",
            help="Annotated texts that it has not learned from: .spacy, or a corpus as convert reads it. Of texts without "
            "gold (.txt), predictions only.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page.")] = Path("report.html"),
    against: Annotated[
        Optional[str], typer.Option(help="Another pipeline, to compare with on the same texts.", show_default=False)
    ] = None,
    component: Annotated[Optional[str], typer.Option(help="Only what this component sets.", show_default=False)] = None,
    train: Annotated[
        Optional[list[Path]],
        typer.Option(
            help="What it has learned from, to tell seen words from others; by default the file in its config, if that exists.",
            show_default=False,
        ),
    ] = None,
    log: Annotated[
        Optional[Path],
        typer.Option(help=f"The curve file of JsonlLogger.v1; by default {LOG} beside the pipeline.", show_default=False),
    ] = None,
    as_json: Annotated[Optional[Path], typer.Option("--json", help="Also write the numbers, as JSON.", show_default=False)] = None,
    format: Annotated[
        Optional[str], typer.Option(help="Of DATA, as for convert, where it is not guessed.", show_default=False)
    ] = None,
    gpu_id: Annotated[int, typer.Option(min=-1, help="As for 'spacy train'; -1 for the CPU.")] = -1,
) -> None:
    """Show what a pipeline does: scores with intervals, confusions, calibration, worst texts, likely errors in the gold.

    The page is one file that loads nothing, for papers and tickets. Scores are those of `spacy evaluate`.
    """
    from ..annotate.shards import folder_checksum, path_checksum
    from ..report.data import read_examples, training_files
    from ..report.findings import other_labels
    from ..report.page import render_page
    from ..report.report import Material, coverage, describe_model, make_report
    from ..report.training_log import read_log

    read = [*data, *(train or []), *([log] if log else [])]
    check_output(output, read, example="report.html")
    _check_made_here(output, _is_page)
    if output.suffix.lower() not in ("", ".html", ".htm"):
        raise DataError(f"{output}: the page is HTML; expected a name that ends so, such as {output.stem}.html")
    if as_json is not None:
        if as_json.resolve() == output.resolve():
            raise DataError(f"{as_json}: is the name of the page; give the numbers another one, such as report.json")
        check_output(as_json, read, example="report.json")
        _check_made_here(as_json, _is_numbers)
    if len({path.resolve() for path in data}) < len(data):
        raise DataError(f"{', '.join(map(str, data))}: a file is named twice, and would count twice; name it once")
    if gpu_id >= 0:
        check_gpu(gpu_id)
    nlp, folder = load_pipeline(model), model_path(model)
    if log is None and (folder.parent / LOG).is_file():
        log = folder.parent / LOG
    curve = read_log(log) if log is not None else []  # before the work
    of_file = [(path, read_examples(nlp, path, format)) for path in data]
    trained_on = train or training_files(nlp)
    names = [path.name for path, _ in of_file]
    material = Material(
        examples=[example for _, examples in of_file for example in examples],
        sources=[(path.name if names.count(path.name) == 1 else str(path), len(examples)) for path, examples in of_file],
        train=[example.reference for path in trained_on for example in read_examples(nlp, path)],
        log=curve,
    )
    about: dict[str, Any] = describe_model(nlp, model)
    about["model"]["sha256"] = folder_checksum(folder)
    about["model"]["bytes"] = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    about["command"] = " ".join(["spacy-bilstm", *sys.argv[1:]])
    about["data"] = [
        {
            "path": str(path),
            "texts": len(examples),
            "sha256": path_checksum(path),
        }
        for path, examples in of_file
    ]
    about["train"] = [str(path) for path in trained_on]
    about["against"] = against
    about["coverage"] = coverage(nlp, material.examples)
    material.about = about
    made = make_report(nlp, material, against=load_pipeline(against) if against else None, component=component)
    with write_beside(output) as draft:
        draft.write_text(render_page(made), encoding="utf8")
    if as_json is not None:
        with write_beside(as_json) as draft:
            srsly.write_json(draft, made.numbers)
    if made.numbers["scores"]:
        show([model], [made.numbers["scores"]])
    for part in made.numbers["components"]:
        if part["has_gold"]:
            score = part["score"]
            between = "" if score["low"] is None else f" ({100 * score['low']:.1f} to {100 * score['high']:.1f})"
            value = 100 * (score["value"] or 0)
            typer.echo(f"{part['id']}: {score['name']} {value:.1f}{between} on {part['texts']:,} texts")
            if "against" in part:
                other = part["against"]
                by_chance = "" if other["p_value"] is None else f", p {other['p_value']:.3f}"
                value, difference = (100 * (number or 0) for number in (other["score"]["value"], other["difference"]))
                typer.echo(f"  {against}: {value:.1f}; this one is {difference:+.1f} points{by_chance}")
    for line in other_labels(nlp, [example.reference for example in material.examples]):
        typer.secho(f"⚠ {line}", fg=typer.colors.YELLOW, err=True)
    if made.numbers["learned"]:
        message = f"⚠ {made.numbers['learned']:,} of the texts are among those that the pipeline has learned from"
        typer.secho(message, fg=typer.colors.YELLOW, err=True)
    if not made.numbers["has_gold"]:
        typer.secho("⚠ The texts have no gold for this pipeline: predictions only, no scores", fg=typer.colors.YELLOW, err=True)
    typer.secho(f"✔ {output}", fg=typer.colors.GREEN)


def _check_made_here(path: Path, is_ours: Callable[[Path], bool]) -> None:
    if path.exists() and path.stat().st_size and not is_ours(path):
        raise DataError(f"{path}: exists, and was not made by this command; give another name, or remove it")


def _is_page(path: Path) -> bool:
    with path.open("rb") as file:
        return b'content="spacy-bilstm-tagger"' in file.read(400)


def _is_numbers(path: Path) -> bool:
    try:
        found = srsly.read_json(path)
    except ValueError:
        return False
    return isinstance(found, dict) and {"created", "model", "learning_curve", "components"} <= found.keys()
