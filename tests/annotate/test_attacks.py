"""What attacks on bulk runs have found: nothing is lost, nothing of others is touched."""

import fcntl
import json
import os
import shutil
from contextlib import contextmanager
from datetime import datetime, timezone

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spacy
import srsly
from jobs import PIPELINE, contents

from spacy_bilstm_tagger.annotate import run as run_module
from spacy_bilstm_tagger.annotate.annotator import Recipe
from spacy_bilstm_tagger.annotate.outputs import FORMATS, to_conllu
from spacy_bilstm_tagger.annotate.records import Record
from spacy_bilstm_tagger.annotate.run import Stopped, run_job
from spacy_bilstm_tagger.errors import DataError


class TestNothingIsLost:
    """What attacks on the command have found."""

    def test_never_leaves_a_run_alone_that_is_under_way(self, job, tmp_path):
        run_job(job())
        before = contents(tmp_path / "out")
        number = os.open(tmp_path / "out", os.O_RDONLY)
        fcntl.flock(number, fcntl.LOCK_EX)
        try:
            with pytest.raises(DataError, match="another run is writing there"):
                run_job(job(resume="never"))
        finally:
            os.close(number)
        assert contents(tmp_path / "out") == before

    def test_never_removes_its_own_files_alone(self, job, tmp_path):
        run_job(job())
        (tmp_path / "out" / "part-00000-abc.snappy.parquet").write_text("mine", encoding="utf8")
        (tmp_path / "out" / "part-00000.csv").write_text("mine", encoding="utf8")
        run_job(job(resume="never"))
        assert (tmp_path / "out" / "part-00000-abc.snappy.parquet").read_text("utf8") == "mine"
        assert (tmp_path / "out" / "part-00000.csv").read_text("utf8") == "mine"
        other = tmp_path / "other"
        other.mkdir()
        (other / "manifest.json").write_text("{}", encoding="utf8")
        with pytest.raises(DataError, match="exists and is not a folder"):
            run_job(job("other", resume="never"))
        assert (other / "manifest.json").read_text("utf8") == "{}"

    @pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.rejects.jsonl", "all.jsonl.manifest.json"])
    def test_a_join_that_is_killed_is_done_again(self, job, tmp_path, monkeypatch, name):
        """At the moment when this file has taken its name."""
        run_job(job("whole.jsonl"))
        write = run_module.write_beside

        class Killed(BaseException):
            pass

        @contextmanager
        def killed(path):
            with write(path) as draft:
                yield draft
            if path.name == name:
                raise Killed

        monkeypatch.setattr(run_module, "write_beside", killed)
        with pytest.raises(Killed):
            run_job(job("all.jsonl"))
        monkeypatch.undo()
        run_job(job("all.jsonl"))
        assert (tmp_path / "all.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
        assert not (tmp_path / "all.jsonl.parts").exists()

    def test_a_run_killed_before_its_first_list(self, job, tmp_path):
        (tmp_path / "out" / ".manifest.json.host.1-x").mkdir(parents=True)
        assert run_job(job())["texts"] == 57

    def test_strict_after_a_run_that_was_not(self, job):
        for output in ("out", "all.jsonl"):
            run_job(job(output))
            with pytest.raises(Stopped, match="records were rejected before"):
                run_job(job(output, strict=True))

    def test_always_keeps_a_single_file_too(self, job, tmp_path):
        run_job(job("all.jsonl"))
        before = (tmp_path / "all.jsonl").stat().st_mtime_ns
        other = job("all.jsonl", resume="always", recipe=Recipe(PIPELINE, job().recipe.form, batch_size=4))
        assert run_job(other)["kept"] == 4
        assert (tmp_path / "all.jsonl").stat().st_mtime_ns == before

    def test_a_mixture_is_not_taken_for_a_run_of_its_own(self, job, tmp_path):
        run_job(job())
        (tmp_path / "out" / "part-00001.jsonl").unlink()
        other = Recipe(PIPELINE, job().recipe.form, batch_size=4)
        run_job(job(recipe=other, resume="always"))
        with pytest.raises(DataError, match="run whose files were kept"):
            run_job(job(recipe=other))

    def test_rejects_of_files_that_go(self, job, tmp_path):
        run_job(job())
        run_job(job(limit=16, resume="always"))
        assert len(list(srsly.read_jsonl(tmp_path / "out" / "rejects.jsonl"))) == 1

    @pytest.mark.parametrize("format", FORMATS)
    def test_values_that_a_format_does_not_know(self, tweets, job, tmp_path, format):
        lines = [
            {"id": "a", "text": "so good", "lang": "\ud83d"},
            {"id": 2**70, "text": "so", "lang": {"x": [1, None]}},
        ]
        lines += [{"id": "\ud83d", "text": "so bad"}, {"id": "d", "text": "so", "lang": None}]
        deep = '{"id": "e", "text": "so", "lang": ' + "[" * 600 + "]" * 600 + "}"
        tweets.write_text("\n".join([*map(json.dumps, lines), deep]) + "\n", encoding="utf8")
        total = run_job(job(format=format))
        assert (total["texts"], total["rejects"]) == (2, 3)
        reasons = [reject["reason"] for reject in srsly.read_jsonl(tmp_path / "out" / "rejects.jsonl")]
        assert "in a kept column half of a surrogate pair" in reasons[0]
        assert "in the id half of a surrogate pair" in reasons[1]
        assert "nested more than 50 deep" in reasons[2]

    @pytest.mark.parametrize("format", FORMATS)
    def test_times_and_numbers_of_parquet(self, job, tmp_path, format):
        when = datetime(2026, 1, 2, tzinfo=timezone.utc)
        table = pa.table({"id": ["a"], "text": ["so good"], "lang": [when]})
        pq.write_table(table, tmp_path / "in.parquet")
        asked = job(format=format)
        asked.sources = [str(tmp_path / "in.parquet")]
        assert run_job(asked)["texts"] == 1

    def test_parquet_that_is_not_utf8(self, job, tmp_path):
        text = pa.Array.from_buffers(pa.string(), 2, [None, pa.py_buffer(np.array([0, 2, 5], "int32")), pa.py_buffer(b"soca\xff")])
        pq.write_table(pa.table({"id": ["a", "b"], "text": text, "lang": ["x", "y"]}), tmp_path / "in.parquet")
        asked = job()
        asked.sources = [str(tmp_path / "in.parquet")]
        total = run_job(asked)
        assert (total["texts"], total["rejects"]) == (1, 1)
        (reject,) = srsly.read_jsonl(tmp_path / "out" / "rejects.jsonl")
        assert (reject["line"], reject["reason"][:9]) == (2, "not utf-8")

    def test_a_large_cell_of_many_lines_is_one_record(self, job, tmp_path):
        cell = "x, y\n" * 300_000
        (tmp_path / "in.csv").write_text(f'id,text,lang\na,"{cell}",x\nb,end,x\n', encoding="utf8")
        asked = job()
        asked.sources = [str(tmp_path / "in.csv")]
        total = run_job(asked)
        assert (total["texts"], total["rejects"]) == (1, 1)

    def test_white_space_around_the_words_of_conllu(self):
        nlp = spacy.load(PIPELINE)
        found = to_conllu(Record("a", ""), nlp("\t so  good\n"))
        misc = [line.split("\t")[9] for line in found.splitlines() if line and line[0].isdigit()]
        assert misc == [r"SpacesBefore=\t\s|SpacesAfter=\s\s", r"SpacesAfter=\n"]


def test_a_folder_that_another_run_has_just_removed_is_not_written_to(job, tmp_path, monkeypatch):
    monkeypatch.setattr(run_module.fcntl, "flock", lambda number, how: shutil.rmtree(tmp_path / "all.jsonl.parts"))
    with pytest.raises(DataError, match="another run is writing there"):
        run_job(job("all.jsonl"))
    assert not (tmp_path / "all.jsonl").exists()
