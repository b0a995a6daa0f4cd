import shutil

import pytest
import spacy
import srsly
from golden.make import GOLDEN
from spacy.tokens import Doc, DocBin
from spacy.training import Example


@pytest.fixture
def pipeline(tmp_path):
    shutil.copytree(GOLDEN / "pipeline", tmp_path / "pipeline")
    return tmp_path / "pipeline"


@pytest.fixture
def dev(tmp_path):
    docs = [Doc(spacy.blank("en").vocab, words=["so", "happy", "in", "Lisbon"], tags=["RB", "JJ", "IN", "NNP"])] * 3
    DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
    return tmp_path / "dev.spacy"


def test_measured_scores_are_in_readme_and_meta(spacy_bilstm, pipeline, dev):
    code, output, error = spacy_bilstm("card", pipeline, f"My dev={dev}")
    assert code == 0, error
    readme = (pipeline / "README.md").read_text(encoding="utf8")
    performance = srsly.read_json(pipeline / "meta.json")["performance"]
    accuracy = performance["by_corpus"]["My dev"]["tag_acc"]
    nlp = spacy.load(pipeline)
    docs = DocBin().from_disk(dev).get_docs(nlp.vocab)
    examples = [Example(Doc(nlp.vocab, words=[token.text for token in doc]), doc) for doc in docs]
    assert accuracy == performance["tag_acc"] == nlp.evaluate(examples)["tag_acc"]
    assert f"| My dev | 3 | {100 * accuracy:.1f} |" in readme
    assert "sentences" not in readme  # not annotated
    assert "loss" not in str(performance)
    assert "tokens a second" in readme
    assert readme in output
    assert spacy.load(pipeline)("so good")  # it is whole


def test_a_readme_of_somebody_else_is_kept(spacy_bilstm, pipeline, dev):
    (pipeline / "README.md").write_text("# My notes\n", encoding="utf8")
    code, _, error = spacy_bilstm("card", pipeline, dev)
    assert code == 1
    assert "README.md: exists, and was not made by this command; give it another name, or remove it" in error
    assert (pipeline / "README.md").read_text(encoding="utf8") == "# My notes\n"
    (pipeline / "README.md").unlink()
    assert [spacy_bilstm("card", pipeline, dev)[0] for _ in range(2)] == [0, 0]


def test_a_name_a_version_and_a_licence_are_those_of_the_package(spacy_bilstm, pipeline, dev):
    options = "--name", "mine", "--version", "1.2.3", "--license", "CC0"
    assert spacy_bilstm("card", pipeline, dev, *options)[0] == 0
    meta, readme = srsly.read_json(pipeline / "meta.json"), (pipeline / "README.md").read_text(encoding="utf8")
    assert (meta["name"], meta["version"], meta["license"]) == ("mine", "1.2.3", "CC0")
    assert readme.startswith("# en_mine 1.2.3\n")
    assert 'nlp = spacy.load("en_mine")' in readme
    assert "Licence: CC0." in readme


def test_missing_dev_is_one_line(spacy_bilstm, pipeline):
    code, _, error = spacy_bilstm("card", pipeline, "nothing.spacy")
    assert code == 1
    assert "nothing.spacy: no such file" in error
    assert not (pipeline / "README.md").exists()


def test_texts_that_it_has_learned_from_are_told(spacy_bilstm, pipeline, dev):
    nlp = spacy.load(pipeline)
    nlp.config["paths"]["train"] = str(dev)
    nlp.to_disk(pipeline)
    code, _, error = spacy_bilstm("card", pipeline, f"My dev={dev}")
    told = "3 of the texts of My dev are among those that the pipeline has learned from; its scores are too good."
    assert code == 0
    assert told in error
    readme = (pipeline / "README.md").read_text(encoding="utf8")
    assert told in readme
    assert "texts that it has not learned from" not in readme


def test_sources_of_the_pipeline_that_it_went_on_from_come_along(spacy_bilstm, pipeline, dev, tmp_path):
    first = tmp_path / "first"
    shutil.copytree(pipeline, first)
    before = [{"name": "T-POS", "url": "https://example.org/tpos", "license": "for research"}]
    srsly.write_json(first / "meta.json", {**srsly.read_json(first / "meta.json"), "sources": before})
    nlp = spacy.load(pipeline)
    nlp.config["paths"]["first"] = str(first)
    nlp.to_disk(pipeline)
    code, _, error = spacy_bilstm("card", pipeline, dev, "--sources", "My tweets = CC BY 4.0; Notes=CC0 1.0")
    assert code == 0, error
    own = {"name": "My tweets", "url": "", "license": "CC BY 4.0"}
    notes = {"name": "Notes", "url": "", "license": "CC0 1.0"}
    assert srsly.read_json(pipeline / "meta.json")["sources"] == [*before, own, notes]
    readme = (pipeline / "README.md").read_text(encoding="utf8")
    assert "- [T-POS](https://example.org/tpos): for research\n- My tweets: CC BY 4.0\n- Notes: CC0 1.0\n" in readme
    shutil.rmtree(first)
    srsly.write_json(pipeline / "meta.json", {**srsly.read_json(pipeline / "meta.json"), "sources": []})
    code, _, error = spacy_bilstm("card", pipeline, dev, "--sources", "My tweets=CC BY-SA 4.0")
    assert code == 0
    assert f"The data of {first}, which it went on from, are not known here" in error
    assert srsly.read_json(pipeline / "meta.json")["sources"] == [{**own, "license": "CC BY-SA 4.0"}]


@pytest.mark.parametrize("source", ["My tweets", "=CC0", "My tweets= ", "A=CC0;"])
def test_a_source_without_a_licence_is_one_line(spacy_bilstm, pipeline, dev, source):
    code, _, error = spacy_bilstm("card", pipeline, dev, "--sources", source)
    assert code == 1
    assert f"--sources {source}: expected names and licences, such as 'My tweets=CC BY 4.0; Notes=CC0 1.0'" in error
    assert not (pipeline / "README.md").exists()


def test_a_copy_gets_the_card_and_the_pipeline_stays(spacy_bilstm, pipeline, dev, tmp_path):
    before = {path: path.read_bytes() for path in sorted(pipeline.rglob("*")) if path.is_file()}
    command = ["card", pipeline, dev, "-o", tmp_path / "copy", "--name", "mine"]
    assert [spacy_bilstm(*command)[0] for _ in range(2)] == [0, 0]
    assert {path: path.read_bytes() for path in sorted(pipeline.rglob("*")) if path.is_file()} == before
    assert spacy.load(tmp_path / "copy").meta["name"] == "mine"
    assert (tmp_path / "copy" / "README.md").read_text(encoding="utf8").startswith("# en_mine ")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    code, _, error = spacy_bilstm("card", pipeline, dev, "-o", tmp_path / "other")
    assert code == 1
    assert "other: exists, and was not made by this command; give it another name, or remove it" in error
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["notes.txt"]


def test_labels_that_it_does_not_know_are_told(spacy_bilstm, pipeline, tmp_path):
    (tmp_path / "e.tsv").write_text("Mia\tZZ\nlives\tYY\nin\tXX\nLondon\tZZ\n\nBob\tZZ\n", encoding="utf8")
    code, _, error = spacy_bilstm("card", pipeline, tmp_path / "e.tsv")
    told = "tagger: the gold has labels that it does not know and cannot find: ZZ (3), YY (1), XX (1); convert can rename them"
    assert told in error
    code, _, error = spacy_bilstm("report", pipeline, tmp_path / "e.tsv", "-o", tmp_path / "r.html")
    assert code == 0
    assert told in error
