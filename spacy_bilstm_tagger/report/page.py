"""The page of a report: one file of HTML that loads nothing."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Iterable, Optional, Sequence

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from spacy.displacy.render import DEFAULT_LABEL_COLORS

from ..pipeline.glossary import COLORS
from .measures import NONE
from .report import Report

FOLDER = Path(__file__).parent
# Of labels that neither spaCy nor we have a colour for.
_PALETTE = [
    "#aad4f5",
    "#f7c59f",
    "#bfe3b4",
    "#e3c5f0",
    "#f5e6a3",
    "#b8e0dc",
    "#f4b8c5",
    "#d0d3f2",
    "#d9d2c0",
    "#c3ddc9",
]
_TITLES = {"tag": "tags", "pos": "parts of speech", "ents": "entities"}
_OUTCOMES = {
    "right": "right",
    "label": "with another label",
    "boundary": "with other boundaries",
    "both": "with other boundaries and another label",
    "missed": "missed",
    "spurious": "found where there is nothing",
}
_LISTS = {
    "worst": "most errors",
    "suspects": "likeliest errors in the gold",
    "least_sure": "least sure",
    "better": "better than the other pipeline",
    "worse": "worse than the other pipeline",
}
LINES = ("#2f7ed8", "#d9822b", "#3a9a5b", "#9b59b6", "#c0392b")
_TICKS = (0, 0.25, 0.5, 0.75, 1)
Point = tuple[float, float]


def render_page(report: Report) -> str:
    """HTML. The texts are in it as JSON, and a script shows them."""
    numbers = report.numbers
    parts = numbers["components"]
    lists = {part["id"]: _lists(part, report.texts[part["id"]]) for part in parts}
    sources = numbers["sources"]
    data = {
        "none": NONE,
        "sources": sources,
        "colors": _colors([label for part in parts for label in part["labels"]]),
        "components": [_part_data(part, report.texts[part["id"]], lists[part["id"]]) for part in parts],
    }
    model = numbers.get("model", {})
    place = Path(model.get("pipeline", "pipeline"))
    name = "/".join(place.parts[-2:]) if place.is_dir() else place.name
    title = f"{name} on {', '.join(sources) or 'texts'}"
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            title=title,
            no_label=NONE,
            numbers=numbers,
            names={part["id"]: _TITLES.get(part["attr"], part["attr"]) for part in parts},
            means={part["id"]: _mean(numbers["scores"], part) for part in parts},
            lists={name: [(key, _LISTS[key], len(texts)) for key, texts in found.items()] for name, found in lists.items()},
            sources=sources,
            outcome_line=_outcome_line,
            significance=_significance,
            reliability=_reliability,
            curve_of=_curve_of,
            curve=_learning_curve(numbers["learning_curve"], [part["score"]["name"] for part in parts if part["has_gold"]]),
            all_scores=json.dumps(numbers["scores"], indent=1, ensure_ascii=False),
            css=_raw("page.css"),
            js=_raw("page.js"),
            data=Markup(json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")),
        )
    )


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, keep_trailing_newline=True)


def _raw(name: str) -> Markup:
    return Markup((FOLDER / name).read_text(encoding="utf8").rstrip())


def _lists(part: dict[str, Any], texts: dict[int, Any]) -> dict[str, list[int]]:
    """The lists of texts that the page can show, by name."""
    against = part.get("against", {})
    suspects = list(dict.fromkeys(suspect["text"] for suspect in part.get("suspects", ())))
    lists = {**part, **against, "suspects": suspects}
    kept = {name: [text for text in lists.get(name, ()) if text in texts] for name in _LISTS}
    return {name: found for name, found in kept.items() if found}


def _part_data(part: dict[str, Any], texts: dict[int, Any], lists: dict[str, list[int]]) -> dict[str, Any]:
    suspects: dict[int, list[dict[str, Any]]] = {}
    for suspect in part.get("suspects", ()):
        place = {"start": suspect["start"], "end": suspect["end"], "p": suspect["probability"]}
        suspects.setdefault(suspect["text"], []).append(place)
    return {
        "kind": part["kind"],
        "hasGold": part["has_gold"],
        "lists": lists,
        "suspects": suspects,
        "thresholds": part.get("thresholds", []),
        "texts": texts,
    }


def _colors(labels: Sequence[str]) -> dict[str, str]:
    known = {**DEFAULT_LABEL_COLORS, **COLORS}
    colors: dict[str, str] = {}
    for label in dict.fromkeys(labels):
        colors[label] = known.get(label.upper(), _PALETTE[len(colors) % len(_PALETTE)])
    return colors


def _mean(scores: dict[str, Any], part: dict[str, Any]) -> Optional[float]:
    """The score as the mean over texts, where the main one is pooled."""
    mean: Optional[float] = scores.get(f"{part['score']['name']}_doc_mean") if part["has_gold"] else None
    return mean


def _outcome_line(part: dict[str, Any]) -> str:
    if part["kind"] == "tokens":
        return ""
    counts = part["outcomes"]
    return f"Of gold and found: {', '.join(f'{counts[key]:,} {text}' for key, text in _OUTCOMES.items() if key in counts)}."


def _significance(p_value: Optional[float]) -> str:
    if p_value is None:
        return ""
    shown = "below 0.001" if p_value < 0.001 else f"{p_value:.3f}"
    verdict = "seldom comes by chance" if p_value < 0.05 else "may well come by chance"
    return f"A difference of this size {verdict} (p {shown}, approximate randomisation over texts)."


def chart(
    lines: dict[str, list[Point]],
    *,
    x_title: str,
    y_title: str,
    x_end: float = 1.0,
    diagonal: bool = False,
    dots: bool = False,
) -> Markup:
    """Curves with y from 0 to 1, as SVG. lines (dict): name -> points."""
    size = {"width": 460, "height": 300, "left": 44, "top": 26, "right": 12, "bottom": 44}
    across = size["width"] - size["left"] - size["right"]
    down = size["height"] - size["top"] - size["bottom"]

    def place(x: float, y: float) -> Point:
        return round(size["left"] + across * x / x_end, 1), round(size["top"] + down * (1 - min(max(y, 0.0), 1.0)), 1)

    drawn = []
    for number, (name, points) in enumerate(lines.items()):
        marked = points if dots or len(points) == 1 else []
        drawn.append(
            {
                "name": name,
                "color": LINES[number % len(LINES)],
                "points": " ".join("{},{}".format(*place(*point)) for point in points),
                "dots": [(*place(*point), "{:.3f}, {:.3f}".format(*point)) for point in marked],
            }
        )
    svg = _environment().get_template("page.chart.jinja")
    return Markup(
        svg.render(
            size,
            lines=drawn,
            x_title=x_title,
            y_title=y_title,
            x_ticks=[(f"{tick * x_end:,.6g}", *place(tick * x_end, 0)) for tick in _TICKS],
            y_ticks=[(f"{tick:g}", *place(0, tick)) for tick in _TICKS],
            diagonal="{},{} {},{}".format(*place(0, 0), *place(x_end, 1)) if diagonal else "",
        )
    )


def _reliability(part: dict[str, Any]) -> Markup:
    points = [(row["probability"], row["right"]) for row in part["calibration"]["bins"]]
    return chart({"right": points}, x_title="probability", y_title="share that is right", diagonal=True, dots=True)


def _curve_of(part: dict[str, Any]) -> Markup:
    rows = part["thresholds"]
    names = {"p": "precision", "r": "recall", "f": "F1"}
    lines = {name: [(row["threshold"], row[key]) for row in rows] for key, name in names.items()}
    return chart(lines, x_title="threshold", y_title="score")


def _learning_curve(log: list[dict[str, Any]], names: list[str]) -> Optional[Markup]:
    """The score, and where it is made of several, the main ones of the components. names: of those."""
    drawn = [name for name in names if any(name in line.get("scores", {}) for line in log)]
    lines = {"score": _points((line["step"], line["score"]) for line in log)}
    if len(drawn) > 1:
        lines.update({name: _points((line["step"], line.get("scores", {}).get(name)) for line in log) for name in drawn})
    if not lines["score"]:
        return None
    x_end = max(step for step, _ in lines["score"]) or 1.0
    return chart(lines, x_title="step", y_title="score", x_end=x_end)


def _points(pairs: Iterable[tuple[Any, Any]]) -> list[Point]:
    """Those that are numbers."""
    return [(float(x), float(y)) for x, y in pairs if y is not None]
