"""What a `bilstm_ner` gives: probabilities, thresholds, and any text."""

import json
from itertools import pairwise

import numpy as np
import pytest
import spacy
from small_pipelines import (
    ENTITIES,
    SMALL_CRF,
    TOK2VEC,
    gold_of,
    loss_of,
    ner_examples,
    small_pipeline,
    train,
    triples,
)
from spacy.tokens import Doc, DocBin
from thinc.api import ConfigValidationError

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.pipeline.entities import ScoredSpans

TEXTS = [text for text, _ in ENTITIES] + ["", "  ", "who is Lune"]


class TestScores:
    @pytest.mark.parametrize("scheme", ["bio", "biluo"])
    def test_are_the_probability_of_exactly_this_entity(self, scheme):
        nlp = small_pipeline("bilstm_ner", scheme=scheme, threshold=0.02)
        train(nlp, ner_examples(nlp), steps=10)
        text = "Mara Lune met Kim in New York"
        doc = nlp(text)
        scores = doc.spans["ents"].attrs["scores"]
        assert len(scores) >= 2
        for entity, score in zip(triples(doc.spans["ents"]), scores):
            only = gold_of(nlp, text, [entity], default="missing")
            assert score == pytest.approx(np.exp(-loss_of(nlp, only)[0]), abs=1e-4)

    def test_are_aligned_with_the_entities(self, trained):
        for doc in trained.pipe(TEXTS):
            scores = doc.spans["ents"].attrs["scores"]
            assert json.loads(json.dumps(scores)) == scores
            assert triples(doc.spans["ents"]) == triples(doc.ents)
            assert len(scores) == len(doc.ents)
            assert all(0 <= score <= 1 for score in scores)

    def test_of_what_was_learned_are_high(self, trained):
        assert min(trained("Mara Lune met Kim in New York").spans["ents"].attrs["scores"]) > 0.8

    @pytest.mark.parametrize("keep", ["bytes", "docbin"])
    def test_are_kept_with_the_doc(self, trained, keep):
        doc = trained("Mara Lune met Kim in New York")
        if keep == "bytes":
            again = Doc(trained.vocab).from_bytes(doc.to_bytes())
        else:
            (again,) = DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(trained.vocab)
        assert triples(again.ents) == triples(doc.ents) == triples(again.spans["ents"])
        np.testing.assert_array_equal(again.spans["ents"].attrs["scores"], doc.spans["ents"].attrs["scores"])

    @pytest.mark.parametrize(("key", "expected"), [(None, []), ("found", ["found"])])
    def test_key(self, trained, key, expected):
        ner = trained.get_pipe("bilstm_ner")
        ner.cfg.update(spans_key=key, top_k=0)
        doc = trained("Kim met Lune")
        assert list(doc.spans) == expected
        assert doc.ents

    def test_alternatives_of_an_earlier_pass_are_gone(self, unsure):
        ner = unsure.get_pipe("bilstm_ner")
        ner.top_k = 3
        doc = unsure("so good in Lisbon")
        assert "ents_alternatives" in doc.spans
        ner.top_k = 0
        assert "ents_alternatives" not in unsure(doc).spans

    def test_alternatives(self, unsure):
        ner = unsure.get_pipe("bilstm_ner")
        text = "Mara Lune met Kim in New York"
        before = triples(unsure(text).ents)
        found = []
        for top_k in (1, 4, 50):
            ner.cfg["top_k"] = top_k
            doc = unsure(text)
            assert triples(doc.ents) == before
            group = doc.spans["ents_alternatives"]
            scores = group.attrs["scores"]
            assert len(group) == len(scores) <= top_k
            assert scores == sorted(scores, reverse=True)
            assert set(triples(group)).isdisjoint(triples(doc.ents))
            found.append(triples(group))
        assert found[2][:4] == found[1]
        assert found[1][:1] == found[0]
        assert len(found[2]) > 4
        assert min(scores) >= 0.01


class TestThreshold:
    TEXT = "Mara Lune met Kim in New York"
    GRID = [0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99]

    def test_takes_all_spans_that_likely_best_first(self, unsure):
        ner = unsure.get_pipe("bilstm_ner")
        ner.cfg["top_k"] = 1000
        ner.threshold = 1.0
        doc = unsure(self.TEXT)
        alternatives = doc.spans["ents_alternatives"]
        every = list(zip(triples(alternatives), alternatives.attrs["scores"]))
        assert len(every) > 8
        for threshold in self.GRID:
            ner.threshold = threshold
            taken, expected = set(), []
            for span, score in every:
                tokens = set(range(*span[:2]))
                if score >= threshold and not tokens & taken:
                    taken |= tokens
                    expected.append(span)
            assert triples(unsure(self.TEXT).ents) == sorted(expected)

    def test_more_of_it_gives_no_more_entities(self, unsure):
        found = []
        for threshold in self.GRID:
            unsure.get_pipe("bilstm_ner").threshold = threshold
            found.append({(text, *ent) for text in TEXTS for ent in triples(unsure(text).ents)})
        assert all(more >= fewer for more, fewer in pairwise(found))
        assert len(found[0]) > len(found[-1])

    def test_needs_no_key(self, unsure):
        ner = unsure.get_pipe("bilstm_ner")
        ner.threshold = 0.3
        expected = triples(unsure(self.TEXT).ents)
        ner.cfg["spans_key"] = None
        assert triples(unsure(self.TEXT).ents) == expected

    def test_can_be_set_on_a_trained_pipeline_and_is_saved(self, trained, tmp_path):
        trained.get_pipe("bilstm_ner").threshold = 0.75
        trained.to_disk(tmp_path)
        assert spacy.load(tmp_path).get_pipe("bilstm_ner").threshold == 0.75

    @pytest.mark.parametrize("value", [-0.1, 1.01, float("nan"), "0.5", True])
    def test_out_of_range(self, trained, value):
        ner = trained.get_pipe("bilstm_ner")
        with pytest.raises(ConfigError, match="expected null or a probability from 0 to 1"):
            ner.threshold = value
        assert ner.threshold is None


class TestTexts:
    def test_empty_and_blank(self, trained):
        assert [len(doc.ents) for doc in trained.pipe(["", "  ", "\n\n"])] == [0, 0, 0]
        ner = trained.get_pipe("bilstm_ner")
        assert ner.predict([]) == []
        assert list(trained.pipe([])) == []
        (doc,) = ner.pipe([trained.make_doc("")])
        assert doc.spans["ents"].attrs["scores"] == []

    def test_before_training(self):
        with pytest.raises(ValueError, match="E109"):
            small_pipeline("bilstm_ner")("so good")

    def test_longer_than_the_window(self):
        encode = {**TOK2VEC["encode"], "window": 9, "overlap": 4}
        nlp = small_pipeline("bilstm_ner", model={**SMALL_CRF, "tok2vec": {**TOK2VEC, "encode": encode}})
        name = ["New"] * 11
        words = ["so", "good", "in", "Lisbon", "with", *name, "!!", "so", "good"]
        gold = [(3, 4, "place"), (5, 16, "person")]
        example = gold_of(nlp, " ".join(words), gold)
        train(nlp, [example], steps=80)
        doc = nlp(example.predicted.copy())
        assert triples(doc.ents) == gold
        assert min(doc.spans["ents"].attrs["scores"]) > 0.5


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"scheme": "iob1"}, "scheme.*'iob1' is not .*bio.*biluo.*bioes"),
        ({"top_k": -1}, "top_k = -1; expected a whole number of at least 0"),
        ({"top_k": 3, "spans_key": None}, "top_k = 3 needs a spans_key"),
        ({"spans_key": ""}, "spans_key = ''; expected the name"),
        ({"threshold": -0.1}, "threshold = -0.1; expected null or a probability from 0"),
        ({"threshold": 1.5}, "threshold = 1.5; expected null or a probability from 0"),
        (
            {"model": {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": TOK2VEC}},
            r"bilstm_ner: the model has no scores between labels; expected \[components.bilstm_ner.model\]",
        ),
    ],
)
def test_settings_out_of_range_are_refused(config, message):
    with pytest.raises(ConfigValidationError, match=message):
        small_pipeline("bilstm_ner", **config)


def test_alternatives_that_differ_in_white_space_alone_are_one():
    nlp = small_pipeline("bilstm_ner", top_k=5)
    train(nlp, ner_examples(nlp))
    ner = nlp.get_pipe("bilstm_ner")
    doc = Doc(nlp.vocab, ["New", "\n", "York"])
    scored = ScoredSpans([((0, 1, 0), 0.5)], [((0, 2, 0), 0.2), ((2, 3, 0), 0.1), ((2, 3, 0), 0.05)])
    ner.set_annotations([doc], [scored])
    assert [(span.start, span.end) for span in doc.ents] == [(0, 1)]
    assert [(span.start, span.end) for span in doc.spans["ents_alternatives"]] == [(2, 3)]
    assert doc.spans["ents_alternatives"].attrs["scores"] == pytest.approx([0.1])
