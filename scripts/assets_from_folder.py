"""Fill assets/ from a local folder instead of downloading.

Every file below the folder is compared by md5 with the assets that project.yml names, whatever it is called there. For
machines without network, and for corpora that somebody handed over on a disk.
"""

import hashlib
import shutil
from pathlib import Path
from typing import Annotated

import srsly
import typer

from spacy_bilstm_tagger.errors import DataError

PROJECT = Path(__file__).resolve().parent.parent


def main(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to look in, with all folders below it.")],
    project: Annotated[Path, typer.Option(help="The project whose assets/ to fill.")] = PROJECT,
) -> None:
    try:
        copied, missing = fill_assets(folder, project)
    except DataError as error:
        typer.secho(f"✘ {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
    for dest, source in copied.items():
        typer.secho(f"✔ {dest}  <-  {source}", fg=typer.colors.GREEN)
    for dest in missing:
        typer.echo(f"  {dest}: not there")


def fill_assets(folder: Path, project: Path) -> tuple[dict[str, Path], list[str]]:
    """Copy what is found. Returns the source of each asset, and the assets that were not found.

    RAISES: DataError where the folder does not exist or holds none of the assets.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    listed = srsly.read_yaml(project / "project.yml")["assets"]
    assets = {asset["checksum"]: asset["dest"] for asset in listed if "checksum" in asset}
    copied: dict[str, Path] = {}
    seen = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        seen += 1
        dest = assets.get(md5(path))
        if dest is not None and dest not in copied:
            target = project / dest
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            copied[dest] = path
    if not copied:
        raise DataError(f"{folder}: holds none of the {len(assets)} assets that project.yml names (looked at {seen} files by md5)")
    return copied, [dest for dest in assets.values() if dest not in copied]


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    typer.run(main)
