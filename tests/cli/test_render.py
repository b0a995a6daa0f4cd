import pytest
from small_pipelines import ner_examples, small_pipeline, span_examples, train

TEXTS = "Kim met Mara in New York\nso good\n\nin Lisbon\n"
MAKE = {"bilstm_ner": ner_examples, "bilstm_spans": span_examples}


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "tweets.txt"
    path.write_text(TEXTS, encoding="utf8")
    return path


def saved(tmp_path, factory):
    nlp = small_pipeline(factory)
    train(nlp, MAKE[factory](nlp), steps=40)
    nlp.to_disk(tmp_path / "model")
    return tmp_path / "model"


def test_entities(spacy_bilstm, tmp_path, texts):
    code, out, err = spacy_bilstm("render", saved(tmp_path, "bilstm_ner"), texts, tmp_path / "out", "--limit", "2")
    assert (code, err) == (0, "")
    assert "entities.html: 2 texts" in out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["entities.html"]
    page = (tmp_path / "out" / "entities.html").read_text(encoding="utf8")
    assert "<mark" in page
    assert "New York" in page
    assert "Lisbon" not in page  # the third


def test_spans(spacy_bilstm, tmp_path, texts):
    assert spacy_bilstm("render", saved(tmp_path, "bilstm_spans"), texts, tmp_path / "out")[0] == 0
    assert "Lisbon" in (tmp_path / "out" / "spans-toxic.html").read_text(encoding="utf8")


def test_a_pipeline_that_finds_neither(spacy_bilstm, tmp_path, texts):
    model = tmp_path / "tagger"
    nlp = small_pipeline("bilstm_tagger")
    nlp.add_pipe("sentencizer", first=True)
    nlp.remove_pipe("bilstm_tagger")
    nlp.to_disk(model)
    code, _, err = spacy_bilstm("render", model, texts, tmp_path / "out")
    assert code == 1
    assert err == f"✘ {model}: has no component that finds entities or spans; found sentencizer\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["model", "texts", "out"])
def test_wrong_paths_are_one_line(spacy_bilstm, tmp_path, texts, place):
    paths = {"model": tmp_path / "model", "texts": texts, "out": tmp_path / "out"}
    if place == "out":
        paths["out"] = texts
    elif place == "texts":
        paths["model"], paths["texts"] = saved(tmp_path, "bilstm_ner"), tmp_path / "nowhere.txt"
    code, _, err = spacy_bilstm("render", *paths.values())
    assert (code, err.count("\n")) == (1, 1)
    assert str(paths[place]) in err
