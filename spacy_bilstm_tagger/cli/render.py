"""spacy-bilstm render: what a pipeline finds, as displaCy shows it."""

import warnings
from itertools import islice
from pathlib import Path
from typing import Annotated

import spacy
import typer
from spacy import displacy
from spacy.language import Language
from spacy.tokens import Doc

from ..corpus.raw import read_raw_texts
from ..errors import DataError
from ..util import write_beside


def render(
    pipeline: Annotated[
        str, typer.Argument(metavar="MODEL", help="A trained pipeline: its folder, or its name if installed.")
    ],
    texts: Annotated[
        Path,
        typer.Argument(metavar="TEXTS", help=".spacy, .jsonl with a text in each line, .txt, or what convert reads."),
    ],
    output: Annotated[
        Path, typer.Argument(metavar="OUT", help="The folder to write entities.html and spans-KEY.html to.")
    ],
    limit: Annotated[int, typer.Option(min=1, help="Show only this many texts.")] = 25,
) -> None:
    """Show the entities and spans that a pipeline finds, as web pages.

    For `spacy evaluate --displacy-path`, which knows components by the names of spaCy's own, and shows nothing of others.
    """
    if output.exists() and not output.is_dir():
        raise DataError(f"{output}: is a file, expected a folder to write to")
    try:
        nlp = spacy.load(pipeline)
    except OSError as error:
        raise DataError(str(error)) from None
    docs = list(nlp.pipe(islice(read_raw_texts(texts), limit)))
    pages = make_pages(nlp, docs)
    if not pages:
        raise DataError(f"{pipeline}: has no component that finds entities or spans; found {', '.join(nlp.pipe_names)}")
    for name, html in pages.items():
        with write_beside(output / name) as draft:
            draft.write_text(html, encoding="utf8")
        typer.secho(f"✔ {output / name}: {len(docs)} texts", fg=typer.colors.GREEN)


def make_pages(nlp: Language, docs: list[Doc]) -> dict[str, str]:
    """File name -> page: one for the entities, and one for each group of spans."""
    warnings.filterwarnings("ignore", r"\[W(006|117)\]")  # of texts in which nothing was found
    pages = {}
    for name, pipe in nlp.pipeline:
        assigns = nlp.get_pipe_meta(name).assigns
        key = getattr(pipe, "cfg", {}).get("spans_key")
        if "doc.ents" in assigns:
            pages["entities.html"] = displacy.render(docs, style="ent", page=True, jupyter=False)
        elif "doc.spans" in assigns and key:
            options = {"spans_key": key}
            pages[f"spans-{key}.html"] = displacy.render(docs, style="span", page=True, jupyter=False, options=options)
    return pages
