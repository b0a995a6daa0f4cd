"""Copies .spacy files, or those of folders, into one new folder, numbered; a file that is given twice counts twice."""

from pathlib import Path
from shutil import copy
from typing import Annotated

import typer

from spacy_bilstm_tagger.util import write_beside


def main(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write.")],
    sources: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files, or folders of them.")],
) -> None:
    files = [path for source in sources for path in (sorted(source.rglob("*.spacy")) or [source])]
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise typer.BadParameter(f"{', '.join(missing)}: no such file, nor a folder with .spacy files")
    with write_beside(output) as draft:
        draft.mkdir(parents=True)
        for number, path in enumerate(files):
            copy(path, draft / f"{number:03}-{path.name}")
    typer.echo(f"✔ {output}: {len(files)} files")


if __name__ == "__main__":
    typer.run(main)
