"""The tables of several dev corpora."""

import re

import pytest
from small_pipelines import ner_examples, small_pipeline, span_examples, train
from spacy.tokens import DocBin

from benchmarks import entity_devs, toxic_devs


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pipelines")
    for factory, examples_of in (("bilstm_ner", ner_examples), ("bilstm_spans", span_examples)):
        nlp = small_pipeline(factory)
        examples = examples_of(nlp)
        train(nlp, examples)
        nlp.to_disk(folder / factory)
        (folder / "dev").mkdir(exist_ok=True)
        DocBin(docs=[eg.reference for eg in examples]).to_disk(folder / "dev" / f"{factory}.spacy")
    return folder


def test_entities(pipelines, tmp_path, capsys):
    (tmp_path / "dev").mkdir()
    for name in ("a", "b"):
        data = (pipelines / "dev" / "bilstm_ner.spacy").read_bytes()
        (tmp_path / "dev" / f"{name}.spacy").write_bytes(data)
    entity_devs.main(tmp_path / "dev", [pipelines / "bilstm_ner", pipelines / "bilstm_ner"])
    rows = re.findall(r"^\| (\w+) \| (\S+) ± 0\.0 \| (\S+) ± 0\.0 \| (\S+) ± 0\.0 \|$", capsys.readouterr().out, re.M)
    assert [row[0] for row in rows] == ["a", "b", "mean"]
    assert len({row[1:] for row in rows}) == 1


def test_toxic_spans(pipelines, tmp_path, capsys):
    (tmp_path / "texts.txt").write_text("so\nyou idiot\n", encoding="utf8")
    dev = pipelines / "dev" / "bilstm_spans.spacy"
    toxic_devs.main(dev, dev, tmp_path / "texts.txt", [pipelines / "bilstm_spans"], limit=2)
    out = capsys.readouterr().out
    assert re.search(r"^\| trial \| \d+\.\d \| \d+\.\d \|", out, re.M)
    assert "area under the ROC curve (chance is 50): trial 50.0; raters 50.0" in out
    assert re.search(r"Of 2 ordinary texts, with anything marked: \d+\.\d", out)
