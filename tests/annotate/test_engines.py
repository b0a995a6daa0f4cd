"""Ray and Spark give the rows that the local engine gives. Each runs in two processes here, if it is installed."""

import importlib.util
import json
import os
import shutil
import signal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from golden.make import GOLDEN

from spacy_bilstm_tagger.annotate.annotator import Annotator, Recipe
from spacy_bilstm_tagger.annotate.outputs import Form
from spacy_bilstm_tagger.annotate.records import Layout
from spacy_bilstm_tagger.annotate.run import Job
from spacy_bilstm_tagger.annotate.tables import annotate_lines, annotate_table, table_schema
from spacy_bilstm_tagger.errors import DataError

PIPELINE = str(GOLDEN / "pipeline")
TEXTS = ["so happy in Lisbon!! 😭", "RT @mara: see you in New York", None, " "]
LAYOUT = Layout(id_field="id", keep=("lang",))
RECIPE = Recipe(PIPELINE, Form(format="parquet", keep=("lang",), has_ids=True))
REASONS = ["'text' is null, expected a string", "no text: it is blank"]


def make_rows(count):
    return [{"id": f"{i:04}", "text": TEXTS[i % 4], "lang": "en"} for i in range(count)]


def expected_rows(count):
    table = annotate_table(Annotator(RECIPE), LAYOUT, pa.Table.from_pylist(make_rows(count)))
    return table.to_pylist()


def same(found, expected):
    """Compare rows, in any order, with rounding of probabilities left open."""
    found = sorted(found, key=lambda row: row["id"])
    assert len(found) == len(expected)
    for row, other in zip(found, expected):
        for ent in other["ents"] or []:
            ent["score"] = pytest.approx(ent["score"], abs=2e-4)
        assert row == other


class TestTables:
    def test_rows_without_text_stay_with_their_reason(self):
        rows = expected_rows(8)
        assert [row["error"] for row in rows] == [None, None, *REASONS] * 2
        assert [row["id"] for row in rows] == [f"{i:04}" for i in range(8)]
        assert rows[2]["tokens"] is None
        assert rows[0]["tokens"][0]["text"] == "so"

    def test_lines_of_json(self):
        half = json.dumps({"id": "y", "text": None, "lang": "en"})
        lines = [json.dumps(make_rows(1)[0]), "broken", half]
        given = [("a.jsonl", number, line, "") for number, line in enumerate(lines, 1)]
        table = annotate_lines(Annotator(RECIPE), LAYOUT, given)
        assert table.schema == table_schema(RECIPE.form)
        first, second, third = table.to_pylist()
        assert first == expected_rows(1)[0]
        assert second["id"] is None
        assert second["error"].startswith("a.jsonl, line 2: broken JSON")
        assert second["error"].endswith(": broken")
        assert third["id"] == "y"  # what could be read stays
        assert third["error"].startswith("a.jsonl, line 3: 'text' is null, expected a string")


@pytest.fixture(scope="module")
def ray():
    ray = pytest.importorskip("ray", reason="needs the extra [ray]")
    pytest.importorskip("ray.data")
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, object_store_memory=200_000_000)
    yield ray
    ray.shutdown()


@pytest.mark.slow
@pytest.mark.timeout(300)
class TestRay:
    def job(self, source, output, form="parquet"):
        recipe = Recipe(PIPELINE, Form(format=form, keep=("lang",), has_ids=True))
        return Job(sources=[str(source)], layout=LAYOUT, recipe=recipe, output=output, processes=2)

    def test_parquet(self, ray, tmp_path):
        from spacy_bilstm_tagger.annotate.ray import run_on_ray

        pq.write_table(pa.Table.from_pylist(make_rows(400)), tmp_path / "in.parquet")
        run_on_ray(self.job(tmp_path / "in.parquet", tmp_path / "out"), str(tmp_path / "out"))
        same(pq.read_table(tmp_path / "out").to_pylist(), expected_rows(400))

    def test_json_lines(self, ray, tmp_path):
        from spacy_bilstm_tagger.annotate.ray import run_on_ray

        path = tmp_path / "in.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in make_rows(40)), encoding="utf8")
        run_on_ray(self.job(path, tmp_path / "out", "jsonl"), str(tmp_path / "out"))
        lines = [line for part in (tmp_path / "out").glob("*.json*") for line in part.read_text("utf8").splitlines()]
        found = [json.loads(line) for line in lines]
        assert sum(row["error"] is None for row in found) == 20
        expected = {row["id"]: row for row in expected_rows(40) if row["error"] is None}
        for row in found:
            if row["error"] is None:
                assert row["tokens"] == expected[row["id"]]["tokens"]

    def test_an_actor_that_is_killed_costs_nothing(self, ray):
        from spacy_bilstm_tagger.annotate.ray import annotate_dataset

        annotated = annotate_dataset(ray.data.from_items(make_rows(8000)), RECIPE, LAYOUT, actors=2, batch_size=50)
        found, before = [], []
        for batch in annotated.iter_batches(batch_format="pyarrow", batch_size=50):
            if not found:
                before = actors()
                os.kill(before[0], signal.SIGKILL)
            found += batch.to_pylist()
        assert len(before) == 2
        same(found, expected_rows(8000))


def actors():
    """The processes of Ray that annotate. Linux."""
    titles = {path.parent.name: path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")}
    return [int(pid) for pid, title in titles.items() if title.startswith(b"ray::") and b"TableAnnotator" in title]


def test_ray_says_what_it_does_not_do(tmp_path):
    pytest.importorskip("ray")
    from spacy_bilstm_tagger.annotate.ray import run_on_ray

    for name, settings, message in [
        ("a.csv", {}, "reads Parquet and JSON lines, found csv"),
        ("a.jsonl", {"layout": Layout()}, "needs --id-field"),
        ("a.jsonl", {"output": tmp_path / "a.parquet"}, "writes a folder of Parquet or JSON lines"),
        ("a.jsonl", {"strict": True}, "--strict does not go with --engine ray"),
    ]:
        job = {"sources": [name], "layout": LAYOUT, "recipe": RECIPE, "output": tmp_path / "out", **settings}
        with pytest.raises(DataError, match=message):
            run_on_ray(Job(**job), "out")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(importlib.util.find_spec("pyspark") is None or not shutil.which("java"), reason="needs [spark] and Java")
def test_spark(tmp_path):
    from pyspark.sql import SparkSession

    from spacy_bilstm_tagger.annotate.spark import annotate_dataframe

    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        frame = spark.createDataFrame(make_rows(400)).repartition(4)
        found = annotate_dataframe(frame, PIPELINE, keep=["lang"])
        rows = [row.asDict(recursive=True) for row in found.collect()]
    finally:
        spark.stop()
    same(rows, expected_rows(400))
