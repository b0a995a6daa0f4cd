"""spaCy's contract for trainable components, on the three that may hold a CRF, and on a tagger without one."""

import copy
import pickle
import threading

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from small_pipelines import ENTITIES, SPANS, TOK2VEC, TWEETS, ner_examples, small_pipeline, span_examples, train
from spacy.tokens import Span
from spacy.training import Example
from thinc.api import fix_random_seed

from spacy_bilstm_tagger.crf.inference import ChainScores

TAGS = [("so good", ["RB", "JJ"]), ("do n't go there", ["VB", "RB", "VB", "RB"]), ("#now , Kim", ["HT", ".", "NN"])]
TEXTS = [text for text, *_ in ENTITIES + SPANS + TAGS] + ["", "  ", "a \n b", "who is Lune , idiot"]


def tag_examples(nlp):
    return [Example.from_dict(nlp.make_doc(text), {"tags": tags}) for text, tags in TAGS]


SETTINGS = {
    "bilstm_ner": {"top_k": 3},
    "bilstm_spans": {},
    "bilstm_tagger": {"tag_scores": True},
    "softmax": {"tag_scores": True, "model": {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": TOK2VEC}},
}
FACTORIES = {"softmax": "bilstm_tagger"}
EXAMPLES = {"bilstm_ner": ner_examples, "bilstm_spans": span_examples, "bilstm_tagger": tag_examples, "softmax": tag_examples}


def blank(kind):
    return small_pipeline(FACTORIES.get(kind, kind), **SETTINGS[kind])


@pytest.fixture(scope="module", params=sorted(SETTINGS))
def saved(request):
    fix_random_seed(0)
    nlp = blank(request.param)
    train(nlp, EXAMPLES[request.param](nlp), steps=10)
    return request.param, nlp.to_bytes()


@pytest.fixture
def twice(trained, saved):
    """The component, and another one like it behind it."""
    source = blank(saved[0]).from_bytes(saved[1])
    trained.add_pipe(source.pipe_names[0], name="second", source=source)
    return trained


@pytest.fixture
def kind(saved):
    return saved[0]


@pytest.fixture
def factory(kind):
    return FACTORIES.get(kind, kind)


@pytest.fixture
def trained(saved):
    return blank(saved[0]).from_bytes(saved[1])


@pytest.fixture
def examples(trained, kind):
    return EXAMPLES[kind](trained)


def annotation(doc):
    """Labels, and all scores in one array."""
    spans = {key: [(span.start, span.end, span.label_) for span in doc.spans[key]] for key in doc.spans}
    scores = [doc.spans[key].attrs["scores"] for key in doc.spans]
    scores += [np.array([token._.tag_scores[tag] for tag in sorted(token._.tag_scores)]) for token in doc if token.tag_]
    ents = [(ent.start, ent.end, ent.label_) for ent in doc.ents]
    return [ents, spans, [token.tag_ for token in doc]], np.concatenate([np.zeros(0), *scores])


def annotations(nlp, texts=TEXTS, **kwargs):
    labels, scores = zip(*(annotation(doc) for doc in nlp.pipe(texts, **kwargs)))
    return labels, np.concatenate(scores)


def assert_same(found, expected, **tolerance):
    assert found[0] == expected[0]
    assert_allclose(found[1], expected[1], **{"rtol": 0, "atol": 0, **tolerance})


class TestSharing:
    def test_same_alone_and_in_any_batch(self, trained):
        expected = annotations(trained)
        alone = [annotation(trained(text)) for text in TEXTS]
        assert_same(
            ([labels for labels, _ in alone], np.concatenate([s for _, s in alone])),
            ([*expected[0]], expected[1]),
            atol=1e-5,
        )
        assert_same(annotations(trained, batch_size=3), expected, atol=1e-5)

    def test_two_processes(self, trained):
        texts = TEXTS * 3
        assert_same(annotations(trained, texts, n_process=2, batch_size=10), annotations(trained, texts), atol=1e-5)

    def test_threads(self, trained, factory):
        expected = annotations(trained)
        batches = [[trained.make_doc(text) for text in TEXTS] for _ in range(4)]
        component = trained.get_pipe(factory)
        threads = [threading.Thread(target=list, args=(component.pipe(docs),)) for docs in batches]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for docs in batches:
            labels, scores = zip(*map(annotation, docs))
            assert_same((labels, np.concatenate(scores)), expected, atol=1e-6)

    def test_memory_zone(self, trained):
        expected = annotations(trained)
        with trained.memory_zone():
            found = annotations(trained)
        assert_same(found, expected)

    def test_select_pipes(self, trained, factory):
        expected = annotations(trained)
        with trained.select_pipes(disable=[factory]):
            assert annotations(trained)[1].size == 0
        assert_same(annotations(trained), expected)


class TestKeeping:
    def test_to_bytes_and_to_disk(self, trained, kind, factory, tmp_path):
        expected = annotations(trained)
        assert_same(annotations(blank(kind).from_bytes(trained.to_bytes())), expected)
        trained.to_disk(tmp_path)
        loaded = spacy.load(tmp_path)
        assert_same(annotations(loaded), expected)
        assert loaded.get_pipe(factory).cfg == trained.get_pipe(factory).cfg
        assert loaded.get_pipe(factory).labels == trained.get_pipe(factory).labels

    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda nlp: pickle.loads(pickle.dumps(nlp))])
    def test_copies_are_independent(self, trained, kind, factory, duplicate):
        before = annotations(trained)
        twin = duplicate(trained)
        assert_same(annotations(twin), before)
        optimizer = twin.resume_training()
        for _ in range(5):
            twin.update(EXAMPLES[kind](twin), sgd=optimizer)
        assert_same(annotations(trained), before)
        assert not np.array_equal(*(nlp.get_pipe(factory).model.get_ref("output_layer").get_param("b") for nlp in (twin, trained)))

    def test_excluded_component_is_not_saved(self, trained, factory, tmp_path):
        trained.to_disk(tmp_path, exclude=[factory])
        assert not (tmp_path / factory).exists()
        assert spacy.load(tmp_path, exclude=[factory]).pipe_names == []

    def test_sourced_by_another_pipeline(self, trained, factory):
        other = spacy.blank("en", config=TWEETS)
        other.add_pipe(factory, name="taken", source=trained)
        assert_same(annotations(other), annotations(trained))

    def test_averages_are_what_is_saved(self, kind, tmp_path):
        nlp = blank(kind)
        examples = EXAMPLES[kind](nlp)
        optimizer = nlp.initialize(lambda: examples)
        optimizer.averages = {}
        optimizer.learn_rate = 0.05
        for _ in range(5):
            nlp.update(examples, sgd=optimizer)
        own = annotations(nlp)
        with nlp.use_params(optimizer.averages):
            averaged = annotations(nlp)
            nlp.to_disk(tmp_path)
        assert_same(annotations(spacy.load(tmp_path)), averaged)
        assert own[1].shape != averaged[1].shape or np.abs(own[1] - averaged[1]).max() > 1e-4


class TestTraining:
    def test_frozen_component_keeps_its_weights(self, twice, factory, examples):
        before = twice.get_pipe(factory).model.to_bytes()
        losses = twice.update(examples, sgd=twice.create_optimizer(), exclude=[factory])
        assert list(losses) == ["second"]
        assert twice.get_pipe(factory).model.to_bytes() == before
        assert twice.get_pipe("second").model.to_bytes() != before

    def test_annotating_component(self, twice, factory, examples, monkeypatch):
        with twice.select_pipes(disable=["second"]):
            expected = [annotation(twice(eg.predicted.copy()))[0] for eg in examples]
        seen = []

        def see(batch, **kwargs):
            seen.extend(annotation(eg.predicted)[0] for eg in batch)

        monkeypatch.setattr(twice.get_pipe("second"), "update", see, raising=False)
        twice.update(examples, annotates=[factory])
        assert seen == expected

    def test_rehearsal_pulls_towards_the_model_put_aside(self, trained, factory, examples):
        component = trained.get_pipe(factory)
        assert component.rehearse(examples) == {}
        optimizer = trained.resume_training()
        optimizer.learn_rate = 0.01
        assert trained.rehearse(examples, sgd=optimizer)[factory] == pytest.approx(0, abs=1e-4)
        for _ in range(10):
            trained.update(examples, sgd=optimizer)
        away = trained.rehearse(examples, sgd=optimizer)[factory]
        for _ in range(30):
            losses = trained.rehearse(examples, sgd=optimizer)
        assert 0 <= losses[factory] < 0.3 * away

    def test_loss_that_is_no_number_is_a_clear_error(self, trained, factory, examples):
        output = trained.get_pipe(factory).model.get_ref("output_layer")
        output.set_param("b", output.get_param("b") * np.float32("nan"))
        with pytest.raises(ValueError, match=f"{factory}: the loss is not a number"):
            trained.update(examples)

    def test_missing_annotation_changes_nothing(self, trained, factory):
        docs = [trained.make_doc(text) for text in TEXTS if text]
        examples = [Example(doc, trained.make_doc(doc.text)) for doc in docs]
        component = trained.get_pipe(factory)
        loss, gradient = component.get_loss(examples, component.model.predict(docs))
        assert loss == pytest.approx(0, abs=1e-4)
        assert_allclose(gradient.emissions, 0, atol=1e-6)

    def test_same_seed_same_weights(self, kind, factory):
        weights = []
        for _ in range(2):
            fix_random_seed(3)
            nlp = blank(kind)
            train(nlp, EXAMPLES[kind](nlp), steps=3)
            weights.append(nlp.get_pipe(factory).model.to_bytes())
        assert weights[0] == weights[1]


class TestTogether:
    def test_on_one_tok2vec(self, tmp_path):
        nlp = spacy.blank("en", config=TWEETS)
        tok2vec = small_pipeline("bilstm_ner").config["components"]["bilstm_ner"]["model"]["tok2vec"]
        nlp.add_pipe("tok2vec", config={"model": tok2vec})
        listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32}
        model = {"@architectures": "spacy-bilstm-tagger.LinearChainCRF.v1", "tok2vec": listener}
        for name in SETTINGS.keys() - FACTORIES.keys():
            nlp.add_pipe(name, config={"model": model, **SETTINGS[name]})
        examples = []
        for text, entities in ENTITIES:
            doc = nlp.make_doc(text)
            reference = doc.copy()
            reference.set_ents([reference.char_span(*ent[:2], label=ent[2]) for ent in entities])
            reference.spans["toxic"] = [Span(reference, 0, 1, label="first")]
            for token in reference:
                token.tag_ = token.text[:1]
            examples.append(Example(doc, reference))
        train(nlp, examples, steps=60)
        scores = nlp.evaluate(examples)
        assert [scores[key] for key in ("ents_f", "tag_acc", "spans_toxic_char_f")] == [1.0, 1.0, 1.0]
        nlp.to_disk(tmp_path)
        assert_same(annotations(spacy.load(tmp_path)), annotations(nlp))


def test_a_batch_is_copied_to_the_host_once(trained, factory, monkeypatch):
    copied, cpu = [], ChainScores.cpu

    def count(scores):
        copied.append(len(scores.emissions))
        return cpu(scores)

    monkeypatch.setattr(ChainScores, "cpu", count)
    docs = [trained.make_doc(text) for text in TEXTS]
    trained.get_pipe(factory).predict(docs)
    assert copied == [sum(map(len, docs))]
