"""Print the scores that `spacy evaluate --output` wrote: pooled over all tokens, as mean over texts, and per label."""

from pathlib import Path
from typing import Any, Optional

import srsly
import typer
from rich.console import Console
from rich.table import Table

ROWS = [
    ("tag accuracy", "tag_acc", "tag_acc_doc_mean"),
    ("tag precision", "tag_micro_p", "tag_micro_p_doc_mean"),
    ("tag recall", "tag_micro_r", "tag_micro_r_doc_mean"),
    ("tag F1", "tag_micro_f", "tag_micro_f_doc_mean"),
    ("tag F1, mean over tags", "tag_macro_f", None),
    ("entity precision", "ents_p", "ents_p_doc_mean"),
    ("entity recall", "ents_r", "ents_r_doc_mean"),
    ("entity F1", "ents_f", "ents_f_doc_mean"),
    ("entity token accuracy", "ents_acc", "ents_acc_doc_mean"),
    ("tokenization F1", "token_f", None),
]
# The same for each key in doc.spans.
SPANS_ROWS = [
    ("{key}: character precision", None, "spans_{key}_char_p"),
    ("{key}: character recall", None, "spans_{key}_char_r"),
    ("{key}: character F1", None, "spans_{key}_char_f"),
    ("{key}: character F1, texts with gold spans", None, "spans_{key}_char_f_gold"),
    ("{key}: character F1, texts without", None, "spans_{key}_char_f_nogold"),
    ("{key}: exact span precision", "spans_{key}_p", None),
    ("{key}: exact span recall", "spans_{key}_r", None),
    ("{key}: exact span F1", "spans_{key}_f", None),
]
PER_LABEL = [("Tags", "tag_per_type"), ("Entities", "ents_per_type")]
SPANS_PREFIX, SPANS_SUFFIX = "spans_", "_per_type"


def main(path: Path) -> None:
    scores: dict[str, Any] = srsly.read_json(path)
    console = Console()
    table = Table("", "pooled", "mean over texts", title=str(path))
    keys = spans_keys(scores)
    spans_rows = [tuple(cell and cell.format(key=key) for cell in row) for key in keys for row in SPANS_ROWS]
    for name, *columns in [*ROWS, *spans_rows]:
        if any(scores.get(column) is not None for column in columns):
            table.add_row(name, *(percent(scores.get(column)) if column else "" for column in columns))
    console.print(table)
    for title, key in [*PER_LABEL, *((f"Spans: {key}", f"{SPANS_PREFIX}{key}{SPANS_SUFFIX}") for key in keys)]:
        if scores.get(key):
            table = Table("", "P", "R", "F1", title=title)
            for label, score in sorted(scores[key].items()):
                table.add_row(label, *(percent(score[part]) for part in "prf"))
            console.print(table)


def spans_keys(scores: dict[str, Any]) -> list[str]:
    names = [name for name in scores if name.startswith(SPANS_PREFIX) and name.endswith(SPANS_SUFFIX)]
    return sorted(name[len(SPANS_PREFIX) : -len(SPANS_SUFFIX)] for name in names)


def percent(value: Optional[float]) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


if __name__ == "__main__":
    typer.run(main)
