"""Tables of Arrow in, tables out: what Ray and Spark run in each of their processes."""

from typing import TYPE_CHECKING, Optional, Sequence

from spacy.language import Language

from .annotator import Annotator, Recipe
from .outputs import Form, to_batch
from .records import Item, Layout, Record, Reject, json_item, to_item

if TYPE_CHECKING:
    import pyarrow as pa

ERROR = "error"  # the column of reasons why a record has no annotation


def table_schema(form: Form) -> "pa.Schema":
    """Columns of the annotated table: those of Parquet files, and ERROR, which is null where all is well."""
    import pyarrow as pa

    return form.schema().append(pa.field(ERROR, pa.string()))


def annotate_table(annotator: Annotator, layout: Layout, table: "pa.Table") -> "pa.Table":
    """Annotate the rows of a table with the columns that the layout names. In order, none left out."""
    rows = table.to_pylist()
    items = [to_item(layout, row, row.get(layout.text_field)) for row in rows]
    return _annotated(annotator, items, [row.get(layout.id_field or "") for row in rows])


def annotate_lines(annotator: Annotator, layout: Layout, lines: Sequence[str]) -> "pa.Table":
    """The same for lines of JSON. The id of a line that cannot be read is null."""
    return _annotated(annotator, [json_item(layout, "", 0, line) for line in lines], [None] * len(lines))


def _annotated(annotator: Annotator, items: list[Item], ids: list[Optional[str]]) -> "pa.Table":
    import pyarrow as pa

    form = annotator.recipe.form
    empty = {field.name: None for field in form.schema()}
    records = [item for item in items if isinstance(item, Record)]
    for number, record in enumerate(records):
        record.line = number
    annotated, failed = annotator.rows(records)
    stream = iter(annotated)
    rows, errors = [], []
    for item, key in zip(items, ids):
        reason = item.reason if isinstance(item, Reject) else failed.get(item.line)
        rows.append(next(stream) if reason is None else {**empty, "id": key})
        errors.append(reason)
    batch = to_batch(form, [{**empty, **row} for row in rows])
    return pa.Table.from_batches([batch]).append_column(ERROR, pa.array(errors, pa.string()))


_pipelines: dict[tuple[str, tuple[str, ...], int], Language] = {}


def annotator_of_this_process(recipe: Recipe) -> Annotator:
    """Its pipeline is loaded once in a process, however often it is asked for."""
    key = (recipe.model, recipe.disable, recipe.gpu_id)
    if key not in _pipelines:
        _pipelines[key] = recipe.load()
    return Annotator(recipe, _pipelines[key])
