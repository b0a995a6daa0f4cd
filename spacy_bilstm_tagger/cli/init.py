"""spacy-bilstm init: a recipe of this package as a file of one's own."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..errors import DataError
from ..util import write_beside

PACKAGE = Path(__file__).resolve().parent.parent
# A wheel holds `configs`, the sample corpus and maps of tags inside of the package; in a checkout they lie beside it.
SOURCE = PACKAGE if (PACKAGE / "configs").is_dir() else PACKAGE.parent
# What a recipe reads beside corpora and tables.
MORE_FILES = {
    "lecture": ["configs/labels/ritter.json"],
    "sample": [
        *(f"assets/sample/{name}" for name in ("train.conll", "dev.conll", "ten.txt")),
        "assets/tag_maps/ritter-to-upos.tsv",
    ],
}
DEFAULT = "finetune"


def init(
    name: Annotated[
        Optional[str], typer.Argument(metavar="[NAME]", help="The recipe; by default 'finetune', for your own tweets.")
    ] = None,
    folder: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.")] = Path("."),
    show: Annotated[bool, typer.Option("--list", help="List the recipes.")] = False,
    force: Annotated[bool, typer.Option(help="Overwrite files that are there.")] = False,
) -> None:
    """Copy a recipe, and the files that come with it, into a folder: NAME is then configs/NAME.cfg there."""
    recipes = {path.stem: path for path in sorted((SOURCE / "configs").glob("*.cfg"))}
    if show:
        width = max(map(len, recipes))
        typer.echo("\n".join(f"{recipe:<{width}}  {_first_sentence(path)}" for recipe, path in recipes.items()))
        return
    name = name or DEFAULT
    if name not in recipes:
        raise DataError(f"{name}: found no such recipe; expected one of {', '.join(recipes)}")
    files = [Path("configs") / f"{name}.cfg", *map(Path, MORE_FILES.get(name, []))]
    present = [(folder / path, SOURCE / path) for path in files if (folder / path).exists()]
    changed = [str(path) for path, source in present if not (path.is_file() and path.read_bytes() == source.read_bytes())]
    if changed and not force:
        raise DataError(f"{', '.join(changed)}: there already; --force overwrites, --output names another folder")
    for path in files:
        if (folder / path).exists() and not force:  # and the same
            typer.echo(f"{folder / path}: there already, and the same")
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with write_beside(folder / path) as draft:
            draft.write_bytes((SOURCE / path).read_bytes())
        typer.secho(f"✔ {folder / path}", fg=typer.colors.GREEN)
    typer.echo("Its first lines say how it is trained.")


def _first_sentence(path: Path) -> str:
    """Of the comment that a recipe begins with."""
    lines = path.read_text(encoding="utf8").splitlines()
    comment = " ".join(line.removeprefix("# ") for line in lines[: lines.index("")])
    return comment.split(". ")[0].rstrip(".") + "."
