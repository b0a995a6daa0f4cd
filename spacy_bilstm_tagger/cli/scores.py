"""spacy-bilstm scores: what `spacy evaluate --output` wrote, of one or several pipelines side by side."""

from pathlib import Path
from typing import Annotated, Any, Iterable, Optional

import srsly
import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from ..errors import DataError
from ..util import check_file, is_number

Metrics = dict[str, Any]
# Each figure once: an accuracy is also precision, recall and F1, where every token is tagged and none was cut otherwise.
ROWS = {
    "tag_acc": "tags, accuracy",
    "tag_acc_doc_mean": "tags, accuracy, mean over texts",
    "tag_micro_p": "tags, precision",
    "tag_micro_r": "tags, recall",
    "tag_micro_f": "tags, F1",
    "tag_macro_f": "tags, F1, mean over tags",
    "pos_acc": "parts of speech, accuracy",
    "pos_acc_doc_mean": "parts of speech, accuracy, mean over texts",
    "pos_macro_f": "parts of speech, F1, mean over them",
    "lemma_acc": "lemmas, accuracy",
    "ents_p": "entities, precision",
    "ents_r": "entities, recall",
    "ents_f": "entities, F1",
    "ents_f_doc_mean": "entities, F1, mean over texts",
    "ents_acc": "entities, tokens with the right BIO tag",
    "sents_f": "sentences, F1",
    "token_f": "tokens, F1",
}
SPANS_ROWS = {
    "spans_{key}_char_p": "{key}, characters, precision, mean over texts",
    "spans_{key}_char_r": "{key}, characters, recall, mean over texts",
    "spans_{key}_char_f": "{key}, characters, F1, mean over texts",
    "spans_{key}_char_f_gold": "{key}, characters, F1, texts with gold spans",
    "spans_{key}_char_f_nogold": "{key}, characters, F1, texts without",
    "spans_{key}_p": "{key}, exact spans, precision",
    "spans_{key}_r": "{key}, exact spans, recall",
    "spans_{key}_f": "{key}, exact spans, F1",
}
LABELS = {"tag_per_type": "tag", "pos_per_type": "part of speech", "ents_per_type": "entity type"}
_PREFIX, _SUFFIX = "spans_", "_per_type"
_WIDE = 10_000  # characters; a table takes what it needs
_COPIES = ("tag_micro_p", "tag_micro_r", "tag_micro_f")  # of tag_acc, on gold tokens


def scores(
    metrics: Annotated[list[Path], typer.Argument(metavar="METRICS ...", help="Files that 'spacy evaluate --output' wrote.")],
    names: Annotated[
        Optional[str],
        typer.Option(help="Of the pipelines, with commas between; by default those of the files.", show_default=False),
    ] = None,
) -> None:
    """Show scores in percent, of several pipelines side by side; pooled over all texts, where nothing else is said."""
    found = [_read(path) for path in metrics]
    titles = [path.stem for path in metrics] if names is None else [name.strip() for name in names.split(",")]
    if len(titles) != len(found):
        raise DataError(f"--names {names}: found {len(titles)} names for {len(found)} files; expected as many")
    show(titles, found)
    for key, title in {**LABELS, **{f"{_PREFIX}{name}{_SUFFIX}": name for name in _span_keys(found)}}.items():
        if any(each.get(key) for each in found):
            console().print(_of_labels(key, title, titles, found))


def show(titles: list[str], found: list[Metrics]) -> None:
    """Print the scores of pipelines side by side, without those of labels."""
    table = _table("", titles)
    for key, title in _rows(found):
        values = [each.get(key) for each in found]
        is_copy = key in _COPIES and all(each.get(key) == each.get("tag_acc") for each in found)
        if any(value is not None for value in values) and not is_copy:
            table.add_row(title, *map(percent, values))
    console().print(table)


def _read(path: Path) -> Metrics:
    check_file(path)
    try:
        found = srsly.read_json(path)
    except ValueError as error:
        raise DataError(f"{path}: is no JSON ({error}); expected a file that 'spacy evaluate --output' wrote") from None
    if isinstance(found, dict) and isinstance(found.get("scores"), dict):  # of `report --json`
        found = found["scores"]
    if not isinstance(found, dict) or not any(found.get(key) is not None for key, _ in _rows([found])):
        raise DataError(f"{path}: found no scores, expected a file that 'spacy evaluate --output' wrote")
    _check(path, found)
    return found


def _check(path: Path, found: Metrics) -> None:
    """RAISES: DataError for values that are no scores."""
    for key, value in found.items():
        if key.endswith(_SUFFIX) and value is not None:
            inside = value.values() if isinstance(value, dict) else [None]
            is_right = all(isinstance(each, dict) and all(map(is_number, each.values())) for each in inside)
        else:
            is_score = is_number(value) and 0 <= value <= 1
            is_right = value is None or is_score or key == "speed" or key not in dict(_rows([found]))
        if not is_right:
            raise DataError(f"{path}: {key} is {str(value)[:40]!r}, expected a number from 0 to 1, or scores of labels")


def _rows(found: list[Metrics]) -> list[tuple[str, str]]:
    spans = [(key.format(key=name), title.format(key=name)) for name in _span_keys(found) for key, title in SPANS_ROWS.items()]
    return [*ROWS.items(), *spans]


def _span_keys(found: Iterable[Metrics]) -> list[str]:
    names = {name for each in found if isinstance(each, dict) for name in each}
    return sorted(name[len(_PREFIX) : -len(_SUFFIX)] for name in names if name.startswith(_PREFIX) and name.endswith(_SUFFIX))


def _of_labels(key: str, title: str, titles: list[str], found: list[Metrics]) -> Table:
    """Precision, recall and F1 of each label; of several pipelines, F1 alone."""
    of_label = [each.get(key) or {} for each in found]
    labels = sorted({label for scores in of_label for label in scores})
    gold: dict[str, Optional[int]] = dict.fromkeys(labels)
    for scores in of_label:
        gold.update({label: score["gold"] for label, score in scores.items() if "gold" in score})
    labels.sort(key=lambda label: (-(gold[label] or 0), label))
    counts = ["gold"] if any(count is not None for count in gold.values()) else []
    parts = [("precision", "p"), ("recall", "r"), ("F1", "f")] if len(found) == 1 else [("F1", "f")]
    heads = [name for name, _ in parts] if len(found) == 1 else [f"{name}, F1" for name in titles]
    table = _table(title, [*counts, *heads])
    for label in labels:
        cells = [percent((scores.get(label) or {}).get(part)) for scores in of_label for _, part in parts]
        table.add_row(Text(label), *([f"{gold[label]:,}" if gold[label] is not None else ""] if counts else []), *cells)
    return table


def _table(title: str, heads: list[str]) -> Table:
    table = whole_table(escape(title))
    for head in heads:
        table.add_column(escape(head), justify="right", overflow="fold")
    return table


def whole_table(*heads: str) -> Table:
    """A table that folds what is too wide for the terminal, and cuts nothing off."""
    return Table(*(Column(head, overflow="fold") for head in heads), box=box.SIMPLE_HEAD)


def console() -> Console:
    """As wide as the terminal. A file or a pipe is as wide as what is written."""
    of_terminal = Console()
    return of_terminal if of_terminal.is_terminal else Console(width=_WIDE)


def percent(value: Optional[float]) -> str:
    return "–" if value is None else f"{100 * value:.2f}"
