"""spacy-bilstm explain: why a pipeline says what it says of a text."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from rich.table import Table
from rich.text import Text

from ..annotate.annotator import load_pipeline
from ..errors import DataError
from ..util import check_argument, read_text
from .scores import console, whole_table

BAR = 10  # characters
LEAST = 0.01  # probability of a label that is shown behind the first one


def explain(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A pipeline: its folder, or the name of its package.")],
    text: Annotated[
        Optional[str], typer.Argument(metavar="TEXT", help="By default the standard input.", show_default=False)
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Labels of a token, and spans that were not chosen.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Show what a pipeline knows of each token, how probable its labels are, and what else it might have found."""
    from ..pipeline.tagger import TagComponent
    from ..report import explain as explaining

    nlp = load_pipeline(model)  # before it waits for a text
    if text is None:
        if sys.stdin.isatty():
            raise DataError('found no text; expected one, such as spacy-bilstm explain en_tweet_sm "so happy in Lisbon!!"')
        text = read_text(Path("-")).strip("\n")
    check_argument(text)
    if os.path.isfile(text):  # no error for a long text
        raise DataError(f"{text}: is a file, expected a text; give what it holds: spacy-bilstm explain {model} < {text}")
    if not text.strip():
        raise DataError("found no text; expected some characters")
    found = explaining.explain(nlp, text, top=top)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    console().print(Text(found["text"]))
    attrs = {name: pipe.attr for name, pipe in nlp.pipeline if isinstance(pipe, TagComponent)}
    console().print(_of_tokens(found["tokens"], attrs))
    if found["spans"]:
        console().print(_of_spans(found["spans"]))


def _of_tokens(tokens: list[dict[str, Any]], attrs: dict[str, str]) -> Table:
    """attrs (dict): what each component sets, "tag" or "pos"."""
    names = list(dict.fromkeys(name for token in tokens for name in token["labels"]))
    table = whole_table("token", "kind: rule", "norm", "known by", *names)
    for token in tokens:
        if token["kind"] == "space":
            continue
        rule = f"{token['kind']}: {token['rule']}" if token["rule"] else token["kind"]
        labels = [_labels(token["labels"].get(name, {}), token[attrs[name]]) for name in names]
        ways = [f"{name} ({way})" if way else f"{name} –" for name, way in token["tables"].items()]
        table.add_row(Text(token["text"]), rule, Text(token["norm"]), Text("\n".join([*ways, *token["lists"]])), *labels)
    return table


def _labels(labels: dict[str, float], final: str) -> Text:
    """The first, and others that are worth a line; with what the token has in the end, by a rule or by the best path, where
    this is not the most probable label."""
    lines = [_bar(label, p) for number, (label, p) in enumerate(labels.items()) if not number or p >= LEAST]
    if final and labels and final != next(iter(labels)):
        lines.append(Text(f"→ {final} in the end", "dim"))
    return Text("\n").join(lines)


def _bar(label: str, probability: float) -> Text:
    full = round(BAR * probability)
    return Text.assemble(("█" * full, "green"), ("░" * (BAR - full), "dim"), f" {probability:.2f} {label}")


def _of_spans(spans: list[dict[str, Any]]) -> Table:
    table = whole_table("span", "label", "probability", "", "component")
    for span in spans:
        p = span["score"]
        bar = Text("–") if p is None else _bar("", p)
        table.add_row(Text(span["text"]), span["label"], bar, "found" if span["chosen"] else "", span["component"])
    return table
