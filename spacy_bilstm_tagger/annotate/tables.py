"""Tables of Arrow in, tables out: what Ray and Spark run in each of their processes."""

import json
from typing import TYPE_CHECKING, Any, Sequence

from spacy.language import Language

from .annotator import Annotator, Recipe
from .outputs import Form, to_batch
from .records import SHOWN, Item, Layout, Record, Reject, json_item, readable, to_item

if TYPE_CHECKING:
    import pyarrow as pa

Line = tuple[str, int, str, str]
ERROR = "error"  # the column of reasons why a record has no annotation


def table_schema(form: Form) -> "pa.Schema":
    """Columns of the annotated table: those of Parquet files, and ERROR, which is null where all is well."""
    import pyarrow as pa

    return form.schema().append(pa.field(ERROR, pa.string()))


def annotate_table(annotator: Annotator, layout: Layout, table: "pa.Table") -> "pa.Table":
    """Annotate the rows of a table with the columns that the layout names. In order, none left out. A row that has no annotation
    keeps its id, kept columns and text."""
    rows = table.to_pylist()
    items = [to_item(layout, row, row.get(layout.text_field)) for row in rows]
    return _annotated(annotator, items, [readable(layout, row) for row in rows])


def annotate_lines(annotator: Annotator, layout: Layout, lines: Sequence[Line]) -> "pa.Table":
    """The same for lines of JSON: of each the file and number, for messages, the line, and why it cannot be read or ""."""
    items: list[Item] = []
    found: list[dict[str, Any]] = []
    for source, number, text, reason in lines:
        item = Reject(source, number, reason, text[:SHOWN]) if reason else json_item(layout, source, number, text)
        items.append(item)
        found.append(_of_line(layout, text) if isinstance(item, Reject) else {})
    return _annotated(annotator, items, found)


def _of_line(layout: Layout, text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return readable(layout, found) if isinstance(found, dict) else {}


def _annotated(annotator: Annotator, items: list[Item], found: list[dict[str, Any]]) -> "pa.Table":
    """found: what is known of each record without annotation."""
    import pyarrow as pa

    form = annotator.recipe.form
    empty = {field.name: None for field in form.schema()}
    places = [(item.source, item.line) for item in items]
    records = [item for item in items if isinstance(item, Record)]
    for number, record in enumerate(records):
        record.line = number
    annotated, failed = annotator.rows(records)
    stream = iter(annotated)
    rows, errors = [], []
    for item, known, (source, line) in zip(items, found, places):
        reason = item.reason if isinstance(item, Reject) else failed.get(item.line)
        if isinstance(item, Record) and reason is not None:
            known = {"id": item.id, **item.kept, "text": item.text}
        rows.append(next(stream) if reason is None else {**empty, **known})
        place = f"{source}, line {line}: " if source else ""
        begin = f": {item.content}" if isinstance(item, Reject) and item.content else ""
        errors.append(None if reason is None else f"{place}{reason}{begin}")
    batch = to_batch(form, [{**empty, **row} for row in rows])
    return pa.Table.from_batches([batch]).append_column(ERROR, pa.array(errors, pa.string()))


_pipelines: dict[tuple[str, tuple[str, ...], int], Language] = {}


def annotator_of_this_process(recipe: Recipe) -> Annotator:
    """Its pipeline is loaded once in a process, however often it is asked for."""
    key = (recipe.model, recipe.disable, recipe.gpu_id)
    if key not in _pipelines:
        _pipelines[key] = recipe.load()
    return Annotator(recipe, _pipelines[key])
