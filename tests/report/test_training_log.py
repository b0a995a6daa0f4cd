import io
import json
import random

import pytest
import srsly
from small_pipelines import ner_examples, small_pipeline, train
from spacy.tokens import Doc, DocBin

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.report.training_log import make_jsonl_logger, read_log


def info(step, score, **scores):
    other = {"ents_f": score, "ents_per_type": {}, **scores}
    return {"epoch": 0, "step": step, "score": score, "losses": {"bilstm_ner": 1.5}, "other_scores": other}


def longer(doc):
    """The text with another token, so that it is not that of the dev corpus."""
    ents = [f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O" for token in doc]
    return Doc(doc.vocab, words=[*(token.text for token in doc), "!"], ents=[*ents, "O"])


@pytest.fixture
def nlp(tmp_path):
    """A pipeline in training, on sixty texts."""
    nlp = small_pipeline("bilstm_ner")
    examples = ner_examples(nlp)
    train(nlp, examples, steps=1)
    DocBin(docs=[longer(example.reference) for example in examples * 15]).to_disk(tmp_path / "train.spacy")
    DocBin(docs=[example.reference for example in examples]).to_disk(tmp_path / "dev.spacy")
    nlp.config["paths"].update(train=str(tmp_path / "train.spacy"), dev=str(tmp_path / "dev.spacy"))
    nlp.config["training"]["score_weights"] = {"ents_f": 1.0, "ents_p": 0.0}
    return nlp


def log(nlp, infos, path=None, **options):
    """Stdout and stderr of a training with these evaluations."""
    out, err = io.StringIO(), io.StringIO()
    log_step, finish = make_jsonl_logger(path, progress_bar=None, **options)(nlp, out, err)
    for each in infos:
        log_step(each)
    finish()
    return out.getvalue(), err.getvalue()


def test_a_line_for_each_evaluation(nlp, tmp_path):
    path = tmp_path / "new" / "log.jsonl"
    out, err = log(nlp, [info(10, 0.25), None, info(20, 0.5)], str(path))  # as a config gives it
    assert err == ""
    assert "25.00" in out
    lines = read_log(path)
    assert [(line["step"], line["score"], line["scores"], line["losses"]) for line in lines] == [
        (10, 0.25, {"ents_f": 0.25, "ents_p": None, "ents_r": None}, {"bilstm_ner": 1.5}),
        (20, 0.5, {"ents_f": 0.5, "ents_p": None, "ents_r": None}, {"bilstm_ner": 1.5}),
    ]


def test_what_is_no_number_is_null(nlp, tmp_path):
    given = info(10, 0.25, speed=12_000.0)
    given["losses"]["bilstm_ner"] = float("nan")
    log(nlp, [given], tmp_path / "log.jsonl")
    (line,) = read_log(tmp_path / "log.jsonl")
    assert line["losses"] == {"bilstm_ner": None}
    assert line["scores"] == {"ents_f": 0.25, "ents_p": None, "ents_r": None}  # no speed, which is no score


def test_lots_are_as_without_it(nlp):
    random.seed(1)
    expected = random.random()
    random.seed(1)
    log(nlp, [])
    assert random.random() == expected


def test_lines_are_there_while_the_training_runs(nlp, tmp_path):
    log_step, _ = make_jsonl_logger(tmp_path / "log.jsonl", None, False)(nlp, io.StringIO(), io.StringIO())
    log_step(info(10, 0.25))
    assert json.loads((tmp_path / "log.jsonl").read_text(encoding="utf8"))["step"] == 10


def test_an_earlier_curve_is_replaced(nlp, tmp_path):
    srsly.write_jsonl(tmp_path / "log.jsonl", [{"step": 1, "score": 1}] * 9)
    log(nlp, [info(10, 0.25)], tmp_path / "log.jsonl")
    assert len(read_log(tmp_path / "log.jsonl")) == 1


def test_without_a_file_and_a_table(nlp):
    assert log(nlp, [info(10, 0.25)], console_output=False) == ("", "")


def test_a_score_that_stays_at_zero_is_said_once(nlp):
    _, err = log(nlp, [info(step, 0.0) for step in range(10, 80, 10)])
    assert err.count("The score is still 0 after 3 evaluations (step 30). It is made of ents_f") == 1
    assert log(nlp, [info(10, 0.0), info(20, 0.0), info(30, 0.1), *[info(40, 0.0)] * 5])[1] == ""


def test_settings_that_training_does_not_have(nlp):
    nlp.config["training"]["max_step"] = 5
    assert "⚠ [training] has no setting 'max_step', which does nothing; did you mean 'max_steps'?\n" in log(nlp, [])[1]


def test_few_texts(nlp, tmp_path):
    nlp.config["paths"]["train"] = nlp.config["paths"]["dev"]
    assert "bilstm_ner: the training corpus has 4 annotated texts" in log(nlp, [])[1]


def test_labels_that_are_not_learned(nlp, tmp_path):
    doc = Doc(nlp.vocab, words=["Mara", "so"], ents=["B-robot", "O"])
    DocBin(docs=[doc] * 3).to_disk(tmp_path / "dev.spacy")
    expected = "the dev corpus has labels that the training corpus does not teach, and that will not be found: robot (3)"
    assert expected in log(nlp, [])[1]


def test_dev_without_gold(nlp, tmp_path):
    DocBin(docs=[Doc(nlp.vocab, words=["so", "good"], tags=["RB", "JJ"])]).to_disk(tmp_path / "dev.spacy")
    assert "no text of the dev corpus has gold for it" in log(nlp, [])[1]


def test_recipes_use_it(project):
    recipes = sorted((project / "configs").glob("*.cfg"))
    assert recipes
    for path in recipes:
        text = path.read_text(encoding="utf8")
        assert '@loggers = "spacy-bilstm-tagger.JsonlLogger.v1"\npath = ${paths.log}\n' in text, path.name
    workflows = (project / "project.yml").read_text(encoding="utf8")
    trainings = [line for line in workflows.splitlines() if "spacy train " in line]
    assert trainings
    for line in trainings:
        assert "--paths.log training/" in line


def test_texts_of_both_corpora_are_told(nlp):
    nlp.config["paths"]["dev"] = nlp.config["paths"]["train"]
    assert "4 of the first 4 texts of the training corpus are in the dev corpus too" in log(nlp, [])[1]


def test_a_folder_is_no_file_of_the_curve(nlp, tmp_path):
    with pytest.raises(ConfigError, match="is a folder, expected the name of a file in"):
        make_jsonl_logger(tmp_path)(nlp)
