import json

import pytest
import spacy
from small_pipelines import small_pipeline

from spacy_bilstm_tagger.report.explain import explain

TEXT = "RT @mara: sooo happy in Lisbon #now 😭"


@pytest.fixture(scope="module")
def found(golden):
    return explain(spacy.load(golden), TEXT)


def test_tokens(found):
    tokens = found["tokens"]
    assert [(token["text"], token["kind"], token["norm"]) for token in tokens[:4]] == [
        ("RT", "retweet", "rt"),
        ("@mara", "user", "<user>"),
        (":", "punct", ":"),
        ("sooo", "word", "so"),
    ]
    assert [token["rule"] for token in tokens[:4]] == ["retweet", "user", "punct", "plain_word"]
    assert all(TEXT[token["start"] : token["end"]] == token["text"] for token in tokens)
    assert all(set(token["tables"].values()) <= {None, "NORM", "LOWER", "as written", "LOWER without #"} for token in tokens)


def test_labels_are_those_of_the_tagger(golden, found):
    nlp = spacy.load(golden)
    nlp.get_pipe("tagger").cfg["tag_scores"] = True
    for token, explained in zip(nlp(TEXT), found["tokens"]):
        best = explained["labels"]["tagger"]
        assert list(best) == list(token._.tag_scores)[:3]
        assert best == pytest.approx({label: token._.tag_scores[label] for label in best}, abs=1e-4)


def test_entities_and_what_else_was_possible(golden):
    nlp = spacy.load(golden)
    text = "Kim Miller is in Lisbon"
    spans = explain(nlp, text, top=4)["spans"]
    doc = nlp(text)
    chosen = [span for span in spans if span["chosen"]]
    assert [(span["text"], span["label"]) for span in chosen] == [(ent.text, ent.label_) for ent in doc.ents]
    for span, ent in zip(chosen, doc.ents):
        assert span["score"] == pytest.approx(ent._.score, abs=1e-3)
    others = [span["score"] for span in spans if not span["chosen"]]
    assert len(others) <= 4
    assert others == sorted(others, reverse=True)


def test_spans(toxic):
    found = explain(toxic[0], "you are a real piece of garbage")
    assert {span["component"] for span in found["spans"]} == {"bilstm_spans"}
    assert set(found["tokens"][0]["labels"]["bilstm_spans"]) == {"insult", "noun"}


def test_white_space_and_no_token(golden):
    nlp = spacy.load(golden)
    assert explain(nlp, "so \n good")["tokens"][1]["rule"] is None
    assert explain(nlp, "")["tokens"] == []


def test_components_of_spacy(golden):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "place", "pattern": "Lisbon"}])
    (span,) = explain(nlp, "in Lisbon")["spans"]
    assert (span["text"], span["score"], span["chosen"]) == ("Lisbon", None, True)


def test_entities_of_a_type_that_the_component_does_not_know(golden):
    nlp = spacy.load(golden)
    nlp.add_pipe("entity_ruler", before="ner").add_patterns([{"label": "planet", "pattern": "Lisbon"}])
    spans = [span for span in explain(nlp, "in Lisbon")["spans"] if span["chosen"]]
    assert {(span["label"], span["score"]) for span in spans} == {("planet", None)}


def test_entities_of_two_components_are_listed_once(golden):
    nlp = spacy.load(golden)
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "mood", "pattern": "happy"}])
    text = "so happy in Lisbon with Kim Miller"
    spans = [span for span in explain(nlp, text)["spans"] if span["chosen"]]
    assert sorted((span["text"], span["label"]) for span in spans) == sorted((e.text, e.label_) for e in nlp(text).ents)
    assert {span["component"] for span in spans if span["label"] == "mood"} == {"entity_ruler"}


def test_command(spacy_bilstm, golden):
    code, out, err = spacy_bilstm("explain", golden, TEXT)
    assert (code, err) == (0, "")
    assert "user: user" in out
    assert "█" in out
    code, out, _ = spacy_bilstm("explain", golden, TEXT, "--json")
    assert json.loads(out)["text"] == TEXT


def test_bad_input_is_one_line(spacy_bilstm, golden):
    for arguments, message in (
        (["nothing", "so"], "nothing: is no pipeline"),
        ([golden, " "], "found no text"),
        ([golden, "\ud83d"], "found no text"),
        (
            [golden, __file__],
            f"is a file, expected a text; give what it holds: spacy-bilstm explain {golden} < {__file__}",
        ),
    ):
        code, _, err = spacy_bilstm("explain", *arguments)
        assert code == 1
        assert message in err


def test_lists_of_names():
    nlp = small_pipeline("bilstm_tagger")
    nlp.get_pipe("bilstm_tagger").add_label("A")
    nlp.initialize()
    assert explain(nlp, "so good")["tokens"][0]["lists"] == []
