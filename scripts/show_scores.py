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
PER_LABEL = [("Tags", "tag_per_type"), ("Entities", "ents_per_type")]


def main(path: Path) -> None:
    scores: dict[str, Any] = srsly.read_json(path)
    console = Console()
    table = Table("", "pooled", "mean over texts", title=str(path))
    for name, pooled, by_text in ROWS:
        if scores.get(pooled) is not None:
            table.add_row(name, percent(scores[pooled]), percent(scores.get(by_text)) if by_text else "")
    console.print(table)
    for title, key in PER_LABEL:
        if scores.get(key):
            table = Table("", "P", "R", "F1", title=title)
            for label, score in sorted(scores[key].items()):
                table.add_row(label, *(percent(score[part]) for part in "prf"))
            console.print(table)


def percent(value: Optional[float]) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


if __name__ == "__main__":
    typer.run(main)
