"""Convert texts of any format that `spacy-bilstm` reads to JSON lines, for `spacy pretrain` and `spacy apply`."""

from pathlib import Path
from typing import Annotated

import srsly
import typer

from spacy_bilstm_tagger.corpus.raw import read_raw_texts
from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.util import write_beside


def main(
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="One text a line, or a corpus.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The .jsonl file to write.")],
) -> None:
    try:
        texts = [{"text": text} for path in inputs for text in read_raw_texts(path)]
    except DataError as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
    with write_beside(output) as draft:
        srsly.write_jsonl(draft, texts)
    typer.echo(f"✔ {output}: {len(texts):,} texts")


if __name__ == "__main__":
    typer.run(main)
