"""A job on a cluster of Ray: Parquet or JSON lines in, Parquet or JSON lines out (extra [ray])."""

from itertools import islice
from typing import TYPE_CHECKING, Iterator, Optional

from ..errors import DataError
from .annotator import Recipe
from .records import Layout
from .run import Job
from .sources import Source, format_of
from .tables import annotate_lines, annotate_table, annotator_of_this_process

if TYPE_CHECKING:
    import pyarrow as pa
    from ray.data import Dataset

LINE = "text"  # the column of lines
LINES_AT_ONCE = 1024


class TableAnnotator:
    """An actor of Ray Data: it loads the pipeline once, and annotates one table after another."""

    def __init__(self, recipe: Recipe, layout: Layout, is_lines: bool) -> None:
        self.layout, self.is_lines = layout, is_lines
        self.annotator = annotator_of_this_process(recipe)

    def __call__(self, table: "pa.Table") -> "pa.Table":
        if self.is_lines:
            names = ("source", "line", LINE, "reason")
            rows = [{"source": "", "line": 0, "reason": "", **row} for row in table.to_pylist()]
            return annotate_lines(self.annotator, self.layout, [tuple(row[name] for name in names) for row in rows])
        return annotate_table(self.annotator, self.layout, table)


def annotate_dataset(
    dataset: "Dataset",
    recipe: Recipe,
    layout: Layout,
    *,
    is_lines: bool = False,
    actors: int = 1,
    batch_size: int = 1024,
) -> "Dataset":
    """A dataset with the columns of the annotation, see `tables.table_schema`. Where a process dies, Ray starts another and
    gives it the same batch again.

    is_lines (bool): the column "text" holds lines of JSON; "source", "line" and "reason" may stand beside it, see
        `lines_of`.
    actors (int): processes; each holds a pipeline, and a GPU if recipe.gpu_id is not below 0.
    """
    return dataset.map_batches(
        TableAnnotator,
        fn_constructor_args=(recipe, layout, is_lines),
        batch_size=batch_size,
        batch_format="pyarrow",
        zero_copy_batch=True,
        concurrency=actors,
        num_gpus=1 if recipe.gpu_id >= 0 else 0,
    )


def lines_of(table: "pa.Table") -> Iterator["pa.Table"]:
    """The lines of files, as the local engine reads them, packed or not: "source", "line", "text", and "reason", why it cannot
    be read. (Ray's own reader of text splits lines at U+2028 too, and stops at bytes that are no UTF-8.)"""
    import pyarrow as pa

    for source in table["source"].to_pylist():
        lines = Source(source).lines("utf-8")
        while some := list(islice(lines, LINES_AT_ONCE)):
            numbers, texts, reasons = zip(*some)
            yield pa.table({"source": [source] * len(some), "line": numbers, LINE: texts, "reason": reasons})


def run_on_ray(job: Job, output: str, address: Optional[str] = None) -> None:
    """Read the inputs, annotate them and write the output folder, here or in an object store.

    RAISES: DataError without Ray, for what it does not read or write, ids that are row numbers, and a folder that is not empty.
    """
    try:
        import ray
    except ImportError:
        raise DataError("--engine ray needs Ray: pip install 'spacy-bilstm-tagger[ray]'") from None
    _check(job)
    ray.init(address=address, ignore_reinit_error=True, log_to_driver=False)
    layout, form = job.layout, job.recipe.form
    is_lines = _format(job) == "jsonl"
    if is_lines:
        names = ray.data.from_items([{"source": source} for source in job.sources], override_num_blocks=len(job.sources))
        # Of other resources than the actors, so that a file's blocks go to several of them.
        dataset = names.map_batches(lines_of, batch_size=1, batch_format="pyarrow", num_cpus=0.5)
    else:
        columns = list(dict.fromkeys([layout.text_field, str(layout.id_field), *layout.keep]))
        dataset = ray.data.read_parquet(job.sources, columns=columns)
    if job.limit is not None:
        dataset = dataset.limit(job.limit)
    annotated = annotate_dataset(dataset, job.recipe, layout, is_lines=is_lines, actors=job.processes)
    if form.format == "parquet":
        annotated.write_parquet(output)
    else:
        annotated.write_json(output)


def _check(job: Job) -> None:
    layout = job.layout
    found = _format(job)
    if found not in ("jsonl", "parquet"):
        raise DataError(f"--engine ray reads Parquet and JSON lines, found {found}; convert it, or leave out --engine")
    if job.recipe.form.format not in ("jsonl", "parquet") or job.is_one_file:
        raise DataError("--engine ray writes a folder of Parquet or JSON lines; give a folder, and --format parquet or jsonl")
    if layout.id_field is None:
        raise DataError("--engine ray needs --id-field: the processes do not know the numbers of the records")
    if job.shard_size != Job.shard_size:
        raise DataError("--shard-size does not go with --engine ray, which makes files of its blocks; leave it out")
    if job.resume != "auto" or layout.encoding != "utf-8":
        raise DataError("--resume and --encoding do not go with --engine ray, which begins anew and reads UTF-8")
    if job.strict:
        raise DataError("--strict does not go with --engine ray; look at the column error of the output")
    if job.output.exists() and any(job.output.iterdir()):
        raise DataError(f"{job.output}: exists and is not empty; give another folder")


def _format(job: Job) -> str:
    formats = {job.layout.format or format_of(source) for source in job.sources}
    if len(formats) > 1:
        raise DataError(f"--engine ray: found {' and '.join(sorted(formats))}; expected files of one format")
    return formats.pop()
