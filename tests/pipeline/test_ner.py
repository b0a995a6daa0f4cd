"""What a `bilstm_ner` learns: its labels, partial and misaligned gold."""

import warnings

import numpy as np
import pytest
import spacy
import srsly
from numpy.testing import assert_allclose
from small_pipelines import (
    ENTITIES,
    SMALL_CRF,
    gold_of,
    loss_of,
    ner_examples,
    small_pipeline,
    train,
    triples,
)
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus, Example

from spacy_bilstm_tagger.crf.inference import marginals
from spacy_bilstm_tagger.models import Ensemble
from spacy_bilstm_tagger.pipeline.gold import annotated_types, set_annotated_types

TEXTS = [text for text, _ in ENTITIES] + ["", "  ", "who is Lune"]


class TestLearning:
    @pytest.mark.parametrize("scheme", ["bio", "biluo", "bioes"])
    def test_learns_its_examples(self, scheme):
        nlp = small_pipeline("bilstm_ner", scheme=scheme)
        examples = ner_examples(nlp)
        losses = train(nlp, examples)
        assert losses["bilstm_ner"] < 0.5
        assert nlp.evaluate(examples)["ents_f"] == 1.0

    def test_needs_no_argument_on_a_blank_pipeline(self):
        nlp = spacy.blank("en")
        nlp.add_pipe("bilstm_ner")
        examples = ner_examples(nlp)
        train(nlp, examples, steps=20)
        assert nlp.evaluate(examples)["ents_f"] == 1.0

    def test_update_without_an_optimizer_leaves_the_gradient_with_the_model(self, trained):
        ner = trained.get_pipe("bilstm_ner")
        before = ner.model.to_bytes()
        plain = ner.update(ner_examples(trained))["bilstm_ner"]
        assert ner.model.to_bytes() == before
        crf = ner.model.get_ref("crf")
        assert all(crf.get_grad(name).any() for name in ("transitions", "start", "end"))
        assert ner.update(ner_examples(trained), drop=0.5)["bilstm_ner"] != plain

    def test_batches_without_tokens_or_texts(self, trained):
        empty = Example(trained.make_doc(""), trained.make_doc(""))
        assert trained.update([empty], sgd=trained.resume_training()) == {"bilstm_ner": 0.0}
        assert trained.update([]) == {}

    def test_loss_is_that_of_the_texts_together(self, unsure):
        examples = [
            gold_of(unsure, "Kim met Lune", [(0, 1, "person")]),
            gold_of(unsure, "", []),
            gold_of(unsure, "so good in York", [(3, 4, "place")]),
        ]
        together, gradient = loss_of(unsure, *examples)
        alone = [loss_of(unsure, example) for example in examples if len(example)]
        assert together == pytest.approx(sum(loss for loss, _ in alone), rel=1e-4)
        np.testing.assert_allclose(np.concatenate(gradient), np.concatenate([g[0] for _, g in alone]), atol=1e-5)


class TestLabels:
    def test_are_those_of_all_examples_sorted(self, trained):
        assert trained.get_pipe("bilstm_ner").labels == ("person", "place")

    def test_one_of_several_types_is_no_label(self):
        nlp = small_pipeline("bilstm_ner")
        example = gold_of(nlp, "a b", [(0, 1, "person|group"), (1, 2, "person")])
        nlp.initialize(lambda: [example])
        assert nlp.get_pipe("bilstm_ner").labels == ("group", "person")

    def test_can_be_given_in_a_file(self, tmp_path):
        nlp = small_pipeline("bilstm_ner")
        srsly.write_json(tmp_path / "ner.json", ["tim", "person", "place"])
        labels = {"@readers": "spacy.read_labels.v1", "path": str(tmp_path / "ner.json")}
        nlp.config["initialize"]["components"]["bilstm_ner"] = {"labels": labels}
        nlp.initialize(lambda: ner_examples(nlp))
        assert nlp.get_pipe("bilstm_ner").label_data == ["tim", "person", "place"]
        assert nlp.get_pipe("bilstm_ner").model.get_dim("nO") == 7

    def test_can_be_added_before_the_network_is_built(self):
        nlp = small_pipeline("bilstm_ner")
        ner = nlp.get_pipe("bilstm_ner")
        assert [ner.add_label(label) for label in ("tim", "tim")] == [1, 0]
        train(nlp, ner_examples(nlp))
        assert ner.labels == ("tim", "person", "place")
        assert nlp.evaluate(ner_examples(nlp))["ents_f"] == 1.0

    def test_can_be_added_to_a_trained_network_which_forgets_nothing(self, trained, tmp_path):
        nlp = trained
        ner = nlp.get_pipe("bilstm_ner")
        doc = nlp.make_doc("Kim met Mara Lune in Porto")
        emissions = ner.model.predict([doc]).emissions
        assert [ner.add_label(label) for label in ("team", "person")] == [1, 0]
        grown = ner.model.predict([doc]).emissions
        assert grown.shape == (6, 7)
        assert_allclose(grown[:, :5], emissions, atol=1e-6)
        assert nlp.evaluate(ner_examples(nlp))["ents_f"] == 1.0

        optimizer = nlp.resume_training()
        optimizer.learn_rate = 0.01
        spans = {"entities": [(3, 16, "team"), (21, 24, "person")]}
        examples = [*ner_examples(nlp), Example.from_dict(nlp.make_doc("go Velvet Otters and Kim"), spans)]
        for _ in range(40):
            nlp.update(examples, sgd=optimizer)
        assert nlp.evaluate(examples)["ents_f"] == 1.0
        nlp.to_disk(tmp_path)
        assert spacy.load(tmp_path).evaluate(examples)["ents_f"] == 1.0

    @pytest.mark.parametrize("averages", [False, True])
    def test_can_be_added_in_the_midst_of_training(self, averages):
        """The optimizer holds moments, and averages, of the weights as they were."""
        nlp = small_pipeline("bilstm_ner")
        optimizer = nlp.initialize(lambda: ner_examples(nlp))
        optimizer.learn_rate = 0.01
        optimizer.averages = {} if averages else None
        for _ in range(5):
            nlp.update(ner_examples(nlp), sgd=optimizer)
        nlp.get_pipe("bilstm_ner").add_label("team")
        added = Example.from_dict(nlp.make_doc("go Velvet Otters and Kim"), {"entities": [(3, 16, "team")]})
        for _ in range(60):
            nlp.update([*ner_examples(nlp), added], sgd=optimizer)
        assert triples(nlp("go Velvet Otters !!").ents) == [(1, 3, "team")]
        with nlp.use_params(optimizer.averages or {}):
            assert nlp.evaluate(ner_examples(nlp))["ents_f"] > 0.6

    def test_can_be_added_between_resume_training_and_rehearse(self, trained):
        optimizer = trained.resume_training()
        optimizer.learn_rate = 0.01
        trained.get_pipe("bilstm_ner").add_label("team")
        examples = ner_examples(trained)
        losses = trained.rehearse(examples, sgd=optimizer)
        assert losses["bilstm_ner"] == pytest.approx(0, abs=1e-3)  # nothing is forgotten yet
        for _ in range(5):
            trained.rehearse(examples, sgd=optimizer)
        assert trained.evaluate(examples)["ents_f"] == 1.0

    @pytest.mark.parametrize("label", ["", "a|b", 3])
    def test_that_are_no_names_leave_a_trained_network_as_it_was(self, trained, label):
        with pytest.raises(ValueError, match=r"bilstm_ner: found the (entity type|label)"):
            trained.get_pipe("bilstm_ner").add_label(label)
        assert trained.get_pipe("bilstm_ner").labels == ("person", "place")
        assert trained.evaluate(ner_examples(trained))["ents_f"] == 1.0

    def test_are_none_of_an_ensemble(self, trained):
        ner = trained.get_pipe("bilstm_ner")
        ner.model = Ensemble(ner.model)
        with pytest.raises(ValueError, match="E922"):
            ner.add_label("team")
        assert ner.add_label("person") == 0

    def test_fixed_size_takes_labels_until_it_is_full(self):
        nlp = small_pipeline("bilstm_ner", model={**SMALL_CRF, "nO": 5})
        nlp.initialize(lambda: ner_examples(nlp))
        assert nlp.get_pipe("bilstm_ner").labels == ("person", "place")

    @pytest.mark.parametrize("label", ["", "a|b", 3])
    def test_that_are_no_names_are_refused(self, label):
        with pytest.raises(ValueError, match=r"bilstm_ner: found the (entity type|label)"):
            small_pipeline("bilstm_ner").get_pipe("bilstm_ner").add_label(label)

    def test_tags_in_the_place_of_types_are_told(self, trained):
        ner = trained.get_pipe("bilstm_ner")
        for label in ("B-place", "I-ORG"):  # of a type that is known, and in capitals
            with pytest.warns(UserWarning, match=f"{label!r} looks like a tag; expected the type alone, {label[2:]!r}"):
                ner.add_label(label)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert [ner.add_label(label) for label in ("B-place", "B-52", "E-MAIL", "B-movie")] == [0, 1, 1, 1]

    @pytest.mark.parametrize("label", ["tim", "person|tim"])
    def test_unknown_gold_label_is_a_clear_error(self, trained, label):
        example = gold_of(trained, "in May", [(1, 2, label)])
        with pytest.raises(ValueError, match="the gold label 'tim' is not among the component's 2 labels") as error:
            trained.update([example])
        assert "|" not in str(error.value)
        assert "nlp.get_pipe('bilstm_ner').add_label('tim')" in str(error.value)

    def test_unknown_gold_labels_are_counted(self, trained):
        docs = [gold_of(trained, "in May", [(1, 2, label)]).reference for label in ("tim", "person|tim", "place")]
        assert trained.get_pipe("bilstm_ner").unknown_labels(docs) == {"tim": 2}

    def test_none_at_all(self):
        nlp = small_pipeline("bilstm_ner")
        with pytest.raises(ValueError, match="found no entity types"):
            nlp.initialize(lambda: [gold_of(nlp, "so good")])


class TestPartialGold:
    def probabilities(self, nlp, word):
        """Of each tag, for a text of one token."""
        ner = nlp.get_pipe("bilstm_ner")
        p = marginals(ner.constrain(ner.model.predict([Doc(nlp.vocab, words=[word])])))[0].tolist()
        return dict(zip(ner.scheme.tags, p))

    def test_a_text_without_annotation_teaches_nothing(self, unsure):
        missing = gold_of(unsure, "Kim met Lune in York", default="missing")
        loss, gradient = loss_of(unsure, missing)
        assert loss == pytest.approx(0, abs=1e-5)
        np.testing.assert_allclose(gradient[0], 0, atol=1e-6)
        known = gold_of(unsure, "Kim met Lune", [(0, 1, "person")])
        alone = loss_of(unsure, known)
        loss, gradient = loss_of(unsure, missing, known)
        assert loss == pytest.approx(alone[0], rel=1e-4)
        np.testing.assert_allclose(gradient[0], 0, atol=1e-6)
        np.testing.assert_allclose(gradient[1], alone[1][0], atol=1e-5)

    def test_missing_and_blocked_tokens_are_summed_over(self, unsure):
        missing = gold_of(unsure, "Kim met", [(0, 1, "person")])
        missing.reference.set_ents([], missing=[missing.reference[1:2]], default="unmodified")
        blocked = gold_of(unsure, "Kim met", [(0, 1, "person")])
        blocked.reference.set_ents([], blocked=[blocked.reference[1:2]], default="unmodified")
        losses = [loss_of(unsure, example)[0] for example in (missing, blocked)]
        ends = [gold_of(unsure, "Kim met", [(0, 1, "person"), *rest]) for rest in ([], [(1, 2, "person")], [(1, 2, "place")])]
        total = sum(np.exp(-loss_of(unsure, example)[0]) for example in ends)
        assert losses == pytest.approx([-np.log(total)] * 2, abs=1e-4)

    def test_missing_tokens_are_not_trained_as_outside(self):
        nlp = small_pipeline("bilstm_ner")
        known = gold_of(nlp, "Kim saw it", [(0, 1, "person")])
        missing = gold_of(nlp, "Kim likes it", default="missing")
        train(nlp, [known, *[missing] * 20])
        assert triples(nlp("Kim likes it").ents)[0] == (0, 1, "person")

    def test_one_of_several_types(self, unsure):
        p = self.probabilities(unsure, "Kim")
        loss, _ = loss_of(unsure, gold_of(unsure, "Kim", [(0, 1, "person|place")]))
        assert loss == pytest.approx(-np.log(p["B-person"] + p["B-place"]), abs=1e-4)

    def test_types_that_nobody_looked_for(self, unsure):
        example = gold_of(unsure, "Kim")
        set_annotated_types(example.reference, ["person"])
        p = self.probabilities(unsure, "Kim")
        assert loss_of(unsure, example)[0] == pytest.approx(-np.log(p["O"] + p["B-place"]), abs=1e-4)

    def test_annotated_types_survive_docbin_and_corpus(self, unsure, tmp_path):
        doc = gold_of(unsure, "Kim met Lune", [(0, 1, "person")]).reference
        assert annotated_types(doc) is None
        set_annotated_types(doc, {"person", "group"})
        DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "x.spacy")
        (example,) = Corpus(tmp_path / "x.spacy")(unsure)
        assert annotated_types(example.reference) == {"person", "group"}
        assert loss_of(unsure, example)[0] < loss_of(unsure, gold_of(unsure, "Kim met Lune", [(0, 1, "person")]))[0]


def test_scheme_is_that_of_the_pipeline_that_is_loaded():
    nlp = small_pipeline("bilstm_ner", scheme="biluo")
    train(nlp, ner_examples(nlp))
    other = small_pipeline("bilstm_ner")
    for label in ("person", "place"):
        other.get_pipe("bilstm_ner").add_label(label)
    assert len(other.get_pipe("bilstm_ner").scheme.tags) == 5
    assert other.from_bytes(nlp.to_bytes()).evaluate(ner_examples(other))["ents_f"] == 1.0


class TestMisaligned:
    @pytest.fixture
    def example(self):
        nlp = small_pipeline("bilstm_ner")
        predicted = Doc(nlp.vocab, words=["Kim", "met", "Ana-Lune", "in", "York"])
        words = ["Kim", "met", "Ana", "-", "Lune", "in", "York"]
        reference = Doc(nlp.vocab, words=words, spaces=[True, True, False, False, True, True, False])
        ents = [(0, 1, "person"), (4, 5, "person"), (6, 7, "place")]
        reference.set_ents([Span(reference, *ent[:2], label=ent[2]) for ent in ents])
        return nlp, Example(predicted, reference)

    def test_are_counted_in_a_warning(self, example):
        nlp, example = example
        with pytest.warns(UserWarning, match="bilstm_ner: 1 of 3 gold entities do not align with the tokens"):
            nlp.initialize(lambda: [example])

    def test_the_others_of_the_text_are_learned(self, example):
        nlp, example = example
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            train(nlp, [example])
        found = triples(nlp(example.predicted.copy()).ents)
        assert {(0, 1, "person"), (4, 5, "place")} <= set(found)
        _, gradient = loss_of(nlp, Example(example.predicted, example.reference))
        assert np.abs(gradient[0]).max() < 0.2

    def test_none_no_warning(self):
        nlp = small_pipeline("bilstm_ner")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            nlp.initialize(lambda: ner_examples(nlp))
