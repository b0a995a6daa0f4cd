"""Jobs: the files that they write, and that nothing is lost or done twice however they are stopped."""

import csv
import fcntl
import io
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import spacy
import srsly
from jobs import PIPELINE, TEXTS, contents, die_in_a_result
from spacy.tokens import Doc, DocBin, Span

from spacy_bilstm_tagger import cli
from spacy_bilstm_tagger.annotate import run as run_module
from spacy_bilstm_tagger.annotate import workers as workers_module
from spacy_bilstm_tagger.annotate.annotation import to_annotation
from spacy_bilstm_tagger.annotate.annotator import Recipe
from spacy_bilstm_tagger.annotate.outputs import FORMATS, Form, to_rows
from spacy_bilstm_tagger.annotate.records import Layout, Record
from spacy_bilstm_tagger.annotate.run import Stopped, run_job
from spacy_bilstm_tagger.annotate.workers import _Workers
from spacy_bilstm_tagger.corpus import read_corpus
from spacy_bilstm_tagger.errors import DataError


def rows_of(path):
    """id, text and annotation of a file, by the means of its format."""
    if path.suffix == ".jsonl":
        return list(srsly.read_jsonl(path))
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".csv":
        with path.open(encoding="utf8", newline="") as file:
            return list(csv.DictReader(file))
    nlp = spacy.load(PIPELINE)
    docs = DocBin().from_disk(path).get_docs(nlp.vocab)
    return [{"id": doc.user_data["id"], "lang": doc.user_data["lang"], **to_annotation(doc)} for doc in docs]


class TestOutputs:
    def test_a_folder(self, job, tmp_path):
        assert run_job(job()) == {"texts": 57, "rejects": 3, "kept": 0, "files": 4}
        folder = tmp_path / "out"
        names = [f"part-{number:05}.jsonl" for number in range(4)]
        assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", *names, "rejects.jsonl"]
        nlp = spacy.load(PIPELINE)
        rows = [row for name in names for row in rows_of(folder / name)]
        assert [row["id"] for row in rows] == [f"t{i}" for i in range(60) if i not in (7, 30, 31)]
        for row in rows:
            expected = to_annotation(nlp(row["text"]))
            for ent in expected["ents"]:
                ent["score"] = pytest.approx(ent["score"], abs=1e-4)
            assert row == {"id": row["id"], "lang": "en", **expected}
        rejects = list(srsly.read_jsonl(folder / "rejects.jsonl"))
        assert [(reject["line"], reject["content"]) for reject in rejects] == [
            (8, "broken"),
            (31, '{"id": "x"}'),
            (32, ""),
        ]
        assert all(reject["reason"] and reject["source"].endswith("tweets.jsonl") for reject in rejects)
        manifest = srsly.read_json(folder / "manifest.json")
        assert manifest["total"] == {"texts": 57, "rejects": 3, "kept": 0, "files": 4}
        assert manifest["run"]["--batch-size"] == 8

    @pytest.mark.parametrize("format", ["parquet", "spacy"])
    def test_other_formats_hold_the_same(self, job, tmp_path, format):
        run_job(job("lines"))
        run_job(job("out", format))
        parts = zip(sorted((tmp_path / "lines").glob("part*")), sorted((tmp_path / "out").glob("part*")), strict=True)
        for lines, part in parts:
            for line, row in zip(rows_of(lines), rows_of(part), strict=True):
                tokens = [{key: value for key, value in token.items() if value is not None} for token in row["tokens"]]
                ents = [{**ent, "score": pytest.approx(ent["score"], abs=1e-6)} for ent in row["ents"]]
                assert {**row, "tokens": tokens, "ents": ents, "sents": line.get("sents")} == {
                    **line,
                    "sents": line.get("sents"),
                }

    def test_csv_has_a_row_for_each_token(self, job, tmp_path):
        run_job(job("lines"))
        run_job(job("out", "csv"))
        names = ["id", "lang", "sent", "start", "end", "token", "tag", "pos", "lemma", "ent", "score"]
        for lines, part in zip(sorted((tmp_path / "lines").glob("part*")), sorted((tmp_path / "out").glob("part*"))):
            found, expected, ents, n_ents = rows_of(part), [], [], 0
            for text in rows_of(lines):
                expected += [
                    (text["id"], text["lang"], str(token["start"]), str(token["end"]), token["text"], token["tag"])
                    for token in text["tokens"]
                    if not token["text"].isspace()
                ]
                n_ents += len(text["ents"])
            assert list(found[0]) == names
            assert [(r["id"], r["lang"], r["start"], r["end"], r["token"], r["tag"]) for r in found] == expected
            ents = [row for row in found if row["ent"] != "O"]
            assert sum(row["ent"].startswith("B-") for row in ents) == n_ents
            assert all(0 < float(row["score"]) <= 1 for row in ents)
            assert {row["score"] for row in found if row["ent"] == "O"} <= {""}

    def test_csv_of_entities_of_several_tokens_and_of_sentences(self, tmp_path):
        nlp = spacy.blank("en")
        doc = Doc(nlp.vocab, words=["in", "New", "York", "Paris", "!", "\n", "so"], sent_starts=[1, 0, 0, 0, 0, 0, 1])
        doc.ents = [Span(doc, 1, 3, "location"), Span(doc, 3, 4, "location")]
        form = Form(format="csv", fields=("tokens", "sents", "ents"), keep=("n",))
        rows = list(to_rows(form, Record(7, doc.text, {"n": {"a": 1}}), doc))
        assert form.header() == b"id,n,sent,start,end,token,ent,score\n"
        assert [(row[2], row[5], row[6]) for row in rows] == [
            (1, "in", "O"),
            (1, "New", "B-location"),
            (1, "York", "I-location"),
            (1, "Paris", "B-location"),
            (1, "!", "O"),
            (2, "so", "O"),
        ]
        assert {tuple(row[:2]) for row in rows} == {(7, '{"a": 1}')}

    def test_columns_of_csv_that_are_there_twice(self):
        with pytest.raises(DataError, match="--keep start: a column of the annotation has this name"):
            Form(format="csv", keep=("start",))
        assert Form(format="csv", keep=("text",)).header().startswith(b"id,text,sent,start,end,token,")
        with pytest.raises(DataError, match="csv has a row for each token; add tokens"):
            Form(format="csv", fields=("ents",))

    def test_conllu_is_read_back(self, job, tmp_path):
        run_job(job("out", "conllu"))
        nlp = spacy.load(PIPELINE)
        path = tmp_path / "out" / "part-00000.conllu"
        assert "# newdoc id = t1\n" in path.read_text("utf8")
        assert "# lang = en\n" in path.read_text("utf8")
        _, found = read_corpus(path)
        docs = [nlp(f"{TEXTS[i % 4]} {i}") for i in range(16) if i != 7]
        for text, doc in zip(found, docs, strict=True):
            assert text.words == [token.text for token in doc if not token.is_space]

    def test_fields_of_conllu_and_docbin(self, job, tmp_path):
        for format in ("conllu", "spacy"):
            run_job(job("few" + format, format, form={"fields": ("tokens", "ents")}))
        lines = (tmp_path / "fewconllu" / "part-00000.conllu").read_text("utf8").splitlines()
        columns = [line.split("\t") for line in lines if line[:1].isdigit()]
        assert {tuple(cells[2:9]) for cells in columns} == {("_",) * 7}
        assert any(cells[9].startswith("NER=B-") for cells in columns)
        docs = list(DocBin().from_disk(tmp_path / "fewspacy" / "part-00000.spacy").get_docs(spacy.blank("en").vocab))
        assert not any(doc.has_annotation("TAG") or doc.spans for doc in docs)
        assert any(doc.ents for doc in docs)

    @pytest.mark.parametrize("format", FORMATS)
    def test_one_file_is_the_parts_together(self, job, tmp_path, format):
        run_job(job("out", format))
        assert run_job(job(f"all.{format}", format))["texts"] == 57
        assert not (tmp_path / f"all.{format}.parts").exists()
        one = tmp_path / f"all.{format}"
        parts = sorted((tmp_path / "out").glob("part*"))
        if format in ("jsonl", "conllu"):
            assert one.read_bytes() == b"".join(part.read_bytes() for part in parts)
        else:
            assert rows_of(one) == [row for part in parts for row in rows_of(part)]
        assert (tmp_path / f"all.{format}.rejects.jsonl").read_bytes() == (tmp_path / "out" / "rejects.jsonl").read_bytes()
        before = one.stat().st_mtime_ns
        assert run_job(job(f"all.{format}", format)) == {"texts": 57, "rejects": 3, "kept": 4, "files": 4}
        assert one.stat().st_mtime_ns == before

    @pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")
    def test_what_belongs_to_one_file_lies_beside_it_and_is_as_private(self, job, tmp_path):
        (tmp_path / "there").mkdir()
        (tmp_path / "all.jsonl").symlink_to(tmp_path / "there" / "mine.jsonl")
        run_job(job("all.jsonl"))
        (tmp_path / "there" / "mine.jsonl").chmod(0o600)
        run_job(job("all.jsonl", resume="never"))
        names = ["mine.jsonl", "mine.jsonl.manifest.json", "mine.jsonl.rejects.jsonl"]
        assert sorted(path.name for path in (tmp_path / "there").iterdir()) == names
        assert {(tmp_path / "there" / name).stat().st_mode & 0o777 for name in names} == {0o600}
        assert run_job(job("there/mine.jsonl"))["kept"] == 4

    def test_processes_write_the_same(self, job, tmp_path):
        run_job(job("one"))
        run_job(job("two", processes=2))
        assert contents(tmp_path / "one") == contents(tmp_path / "two")

    def test_kept_numbers_are_strings_in_parquet(self, tmp_path, job, tweets):
        tweets.write_text('{"id": 5, "text": "so good", "lang": {"a": [1]}}\n', encoding="utf8")
        run_job(job("out", "parquet"))
        assert [(row["id"], row["lang"]) for row in rows_of(tmp_path / "out" / "part-00000.parquet")] == [("5", '{"a": [1]}')]

    def test_a_name_of_the_annotation_is_refused(self):
        with pytest.raises(DataError, match="--keep tokens: a column of the annotation has this name"):
            Form(keep=("tokens",))


class TestResume:
    def test_what_is_done_stays(self, job, tmp_path):
        run_job(job())
        folder = tmp_path / "out"
        before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
        assert run_job(job())["kept"] == 4
        after = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
        assert {name for name in before if before[name] != after[name]} <= {"manifest.json", "rejects.jsonl"}

    @pytest.mark.parametrize("damage", ["part-00001.jsonl", "rejects.jsonl", "manifest.json"])
    def test_what_is_damaged_is_made_anew(self, job, tmp_path, damage):
        run_job(job())
        folder = tmp_path / "out"
        expected = contents(folder)
        if damage == "manifest.json":
            manifest = srsly.read_json(folder / damage)
            del manifest["files"]["part-00002.jsonl"], manifest["files"]["part-00003.jsonl"]
            srsly.write_json(folder / damage, manifest)
            with (folder / "rejects.jsonl").open("ab") as file:
                file.write(b"of a killed run")
        else:
            (folder / damage).write_bytes((folder / damage).read_bytes()[:-5])
        assert run_job(job())["kept"] < 4
        assert contents(folder) == expected

    def test_another_job_is_refused_with_the_reason(self, job, tweets):
        run_job(job())
        with pytest.raises(DataError, match="was begun with another --batch-size"):
            run_job(job(recipe=Recipe(PIPELINE, Form(keep=("lang",), has_ids=True), batch_size=4)))
        tweets.write_text(tweets.read_text("utf8") + '{"id": "z", "text": "so"}\n', encoding="utf8")
        with pytest.raises(DataError, match="was begun with another input"):
            run_job(job())
        with pytest.raises(DataError, match=r"part-00003\.jsonl: holds 12 records, and now 13 belong there"):
            run_job(job(resume="always"))
        assert run_job(job(resume="never"))["kept"] == 0

    def test_always_keeps_the_files_of_another_job_that_hold_the_same_records(self, job, tmp_path):
        run_job(job())
        other = Recipe(PIPELINE, Form(keep=("lang",), has_ids=True), batch_size=4)
        assert run_job(job(recipe=other, resume="always"))["kept"] == 4
        with pytest.raises(DataError, match="was begun with another --shard-size"):
            run_job(job(shard_size=8, resume="always"))
        with pytest.raises(DataError, match=r"part-00001\.jsonl: holds 16 records, and now 4 belong there"):
            run_job(job(limit=20, resume="always"))

    def test_the_standard_input_is_never_the_same(self, job, monkeypatch):
        for number, text in enumerate(["first", "second"]):
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{text}\n".encode())))
            run = job("all.jsonl", layout=Layout(format="text"), recipe=Recipe(PIPELINE))
            run.sources = ["-"]
            if number:
                with pytest.raises(DataError, match="was begun with another input"):
                    run_job(run)
            else:
                run_job(run)

    @pytest.mark.parametrize("damage", ["", "{", "gone"])
    def test_rejects_that_somebody_changed_are_made_anew(self, job, tmp_path, damage):
        for output, rejects in (("out", "out/rejects.jsonl"), ("all.jsonl", "all.jsonl.rejects.jsonl")):
            run_job(job(output))
            path = tmp_path / rejects
            before = path.read_bytes()
            path.unlink() if damage == "gone" else path.write_bytes(damage.encode() + before[len(damage) or 3 :])
            run_job(job(output))
            assert path.read_bytes() == before

    def test_files_of_somebody_else_stay(self, job, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine.txt").write_text("mine", encoding="utf8")
        (tmp_path / "all.jsonl").write_text("mine", encoding="utf8")
        for resume in ("auto", "always", "never"):
            with pytest.raises(DataError, match="exists and is not a folder made by this command"):
                run_job(job(resume=resume))
        with pytest.raises(DataError, match="exists, and was not made by this command; give another name"):
            run_job(job("all.jsonl"))
        assert (tmp_path / "all.jsonl").read_text("utf8") == "mine"

    def test_two_runs_do_not_write_one_output(self, job, tmp_path):
        (tmp_path / "out").mkdir()
        number = os.open(tmp_path / "out", os.O_RDONLY)
        fcntl.flock(number, fcntl.LOCK_EX)
        with pytest.raises(DataError, match="out: another run is writing there"):
            run_job(job())
        os.close(number)
        assert run_job(job())["texts"] == 57

    def test_a_full_disk_stops_and_the_job_goes_on(self, job, tmp_path, monkeypatch):
        run_job(job("whole"))
        real = run_module.open_writer
        calls = iter([real, real, full_disk])
        monkeypatch.setattr(run_module, "open_writer", lambda *args: next(calls)(*args))
        with pytest.raises(DataError, match=r"part-00002.jsonl: cannot be written \(No space left.*give the same command again"):
            run_job(job())
        monkeypatch.undo()
        assert run_job(job())["kept"] == 2
        assert contents(tmp_path / "out") == contents(tmp_path / "whole")

    def test_strict_stops_at_the_first_reject(self, job, tmp_path):
        with pytest.raises(Stopped, match=r"line 8: broken JSON.*; without --strict it is left out"):
            run_job(job(strict=True))


def full_disk(form, path):
    raise OSError(28, "No space left on device")


class TestFailures:
    def test_a_text_that_the_pipeline_cannot_take_costs_no_other(self, job, tmp_path, monkeypatch):
        nlp = spacy.load(PIPELINE)
        make_doc = nlp.make_doc
        monkeypatch.setattr(nlp, "make_doc", lambda text: 1 / 0 if " 20" in text else make_doc(text))
        monkeypatch.setattr(Recipe, "load", lambda recipe: nlp)
        assert run_job(job()) == {"texts": 56, "rejects": 4, "kept": 0, "files": 4}
        rejects = list(srsly.read_jsonl(tmp_path / "out" / "rejects.jsonl"))
        assert [reject["line"] for reject in rejects] == [8, 21, 31, 32]
        assert rejects[1]["reason"] == "the pipeline failed: ZeroDivisionError: division by zero"

    def test_a_pipeline_that_fails_at_everything_is_an_error(self, job, monkeypatch):
        nlp = spacy.load(PIPELINE)
        monkeypatch.setattr(nlp, "make_doc", lambda text: 1 / 0)
        monkeypatch.setattr(Recipe, "load", lambda recipe: nlp)
        with pytest.raises(DataError, match="no text of 15 could be annotated: the pipeline failed: ZeroDivisionError"):
            run_job(job())

    def test_a_pipeline_that_does_not_load_is_one_error(self, job):
        for processes in (1, 2):
            with pytest.raises(DataError, match=r"--disable nothing: .* has no such component; found tok2vec, tagger, ner"):
                run_job(job(recipe=Recipe(PIPELINE, Form(), ("nothing",)), processes=processes, resume="never"))

    def test_what_is_no_pipeline(self, job, tmp_path):
        with pytest.raises(DataError, match=r"is no pipeline; expected a folder with config\.cfg"):
            run_job(job(recipe=Recipe(str(tmp_path))))


COMMAND = [sys.executable, "-m", "spacy_bilstm_tagger", "annotate", PIPELINE]
OPTIONS = ["--id-field", "id", "--keep", "lang", "--batch-size", "8", "--shard-size", "16"]


@pytest.mark.slow
class TestKilled:
    """By signals, in processes of their own."""

    def start(self, *words):
        """In a fork, which need not import again what loading a pipeline imports."""
        spacy.load(PIPELINE)
        process = multiprocessing.get_context("fork").Process(target=run_in_fork, args=words)
        process.start()
        return process

    def test_at_any_moment(self, tweets, tmp_path, job):
        lines = [json.dumps({"id": f"t{i}", "text": f"{TEXTS[i % 4]} {i}", "lang": "en"}) for i in range(2000)]
        tweets.write_text("\n".join(lines), encoding="utf8")
        chance, kills = random.Random(0), 0
        for _ in range(4):
            before = len(list((tmp_path / "out").glob("part-*")))
            process = self.start(tweets, tmp_path / "out", "--shard-size", "20")
            while len(list((tmp_path / "out").glob("part-*"))) == before and process.is_alive():
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.1))
            kills += process.is_alive()
            process.kill()
            process.join()
        assert kills >= 2
        process = self.start(tweets, tmp_path / "out", "--shard-size", "20")
        process.join()
        assert process.exitcode == 0
        run_job(job("whole", shard_size=20))
        assert contents(tmp_path / "out") == contents(tmp_path / "whole")

    def test_a_worker(self, tweets, tmp_path, job):
        lines = [json.dumps({"id": f"t{i}", "text": f"{TEXTS[i % 4]} {i}", "lang": "en"}) for i in range(4000)]
        tweets.write_text("\n".join(lines), encoding="utf8")
        process = self.start(tweets, tmp_path / "out", "--processes", "2", "--shard-size", "500")
        while not (tmp_path / "out" / "part-00001.jsonl").exists() and process.is_alive():
            time.sleep(0.05)
        workers = [pid for pid in children(process.pid) if b"spawn_main" in cmdline(pid)]
        os.kill(workers[0], signal.SIGKILL)
        process.join()
        assert process.exitcode == 0
        run_job(job("whole", shard_size=500))
        assert contents(tmp_path / "out") == contents(tmp_path / "whole")

    def test_a_worker_that_dies_while_it_writes_a_result(self, monkeypatch):
        monkeypatch.setattr(workers_module, "_PATIENCE", 0.2)
        workers = _Workers(Recipe(PIPELINE), 2)
        future = workers.pool.submit(die_in_a_result)
        with pytest.raises(BrokenProcessPool, match="while it wrote a result"):
            workers._result(future)
        thread = workers.pool._executor_manager_thread
        workers.stop()
        thread.join(timeout=60)
        assert not thread.is_alive()  # else the end of this process would wait for it

    def test_ctrl_c(self, tweets, tmp_path):
        lines = [json.dumps({"id": f"t{i}", "text": f"{TEXTS[i % 4]} {i}", "lang": "en"}) for i in range(100_000)]
        tweets.write_text("\n".join(lines), encoding="utf8")
        process = subprocess.Popen(
            [*COMMAND, tweets, tmp_path / "out", *OPTIONS, "--processes", "2", "--shard-size", "1000"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Where the tests run in the background of a shell, Ctrl-C is ignored, and children inherit that.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        while not (tmp_path / "out" / "part-00000.jsonl").exists() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 130
        assert output.decode().strip() == "⚠ Stopped. What is complete stays; the same command goes on."
        assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


def run_in_fork(*words):
    sys.argv = ["spacy-bilstm", "annotate", PIPELINE, *map(str, words[:2]), *OPTIONS, *words[2:]]
    cli.main()


def children(parent):
    """The processes that a process has started. Linux."""
    found = [path.read_text() for path in Path(f"/proc/{parent}/task").glob("*/children")]
    return [int(pid) for line in found for pid in line.split()]


def cmdline(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()
