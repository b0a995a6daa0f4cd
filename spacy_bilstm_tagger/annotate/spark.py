"""Data frames of Spark, annotated in its executors (extra [spark])."""

from typing import TYPE_CHECKING, Iterator, Sequence

from .annotation import FIELDS
from .annotator import BATCH_SIZE, Recipe
from .outputs import Form
from .records import MAX_CHARS, Layout
from .tables import annotate_table, annotator_of_this_process, table_schema

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame


def annotate_dataframe(
    frame: "DataFrame",
    model: str,
    *,
    text_field: str = "text",
    id_field: str = "id",
    keep: Sequence[str] = (),
    fields: Sequence[str] = FIELDS,
    offsets: str = "codepoint",
    disable: Sequence[str] = (),
    batch_size: int = BATCH_SIZE,
    max_chars: int = MAX_CHARS,
) -> "DataFrame":
    """A data frame with id, kept columns, text and annotation, and `error`: null, or why there is no annotation.

    model (str): a folder that all executors can read, or a package that is installed there, as this one has to be.
    The other arguments are those of `spacy-bilstm annotate`. Kept columns become strings.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    layout = Layout(text_field=text_field, id_field=id_field, keep=tuple(keep), max_chars=max_chars)
    form = Form(format="parquet", fields=tuple(fields), offsets=offsets, keep=tuple(keep), has_ids=True)
    recipe = Recipe(model, form, tuple(disable), batch_size)

    def annotate(frames: "Iterator[pd.DataFrame]") -> "Iterator[pd.DataFrame]":
        import pyarrow as pa

        annotator = annotator_of_this_process(recipe)
        for frame in frames:
            table = pa.Table.from_pandas(frame, preserve_index=False)
            yield annotate_table(annotator, layout, table).to_pandas()

    # As strings: pandas has no whole numbers beside nulls.
    columns = [frame[name].cast("string").alias(name) for name in dict.fromkeys([id_field, text_field, *keep])]
    return frame.select(*columns).mapInPandas(annotate, from_arrow_schema(table_schema(form)))
