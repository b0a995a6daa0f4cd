from itertools import pairwise, product

import numpy as np
import pytest
import spacy
import torch
from small_pipelines import SMALL_CRF, TOK2VEC, rows_by_doc, small_pipeline, span_examples, train
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from thinc.api import ConfigValidationError, fix_random_seed

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.pipeline.spans import best_expected_f1

SOFTMAX = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": TOK2VEC}
TEXT = "you are a real piece of garbage"
TEXTS = [TEXT, "", "  ", "what a nice idiot", "real garbage , idiot"]


@pytest.fixture(scope="module")
def saved():
    """Number of steps -> a pipeline trained so far, as bytes."""

    def after(steps):
        fix_random_seed(0)
        nlp = small_pipeline("bilstm_spans")
        train(nlp, span_examples(nlp), steps=steps)
        return nlp.to_bytes()

    return {steps: after(steps) for steps in (7, 40)}


@pytest.fixture
def trained(saved):
    return small_pipeline("bilstm_spans").from_bytes(saved[40])


@pytest.fixture
def unsure(saved):
    """Trained a little, so that probabilities are between 0 and 1."""
    return small_pipeline("bilstm_spans").from_bytes(saved[7])


def triples(doc, key="toxic"):
    return [(span.start, span.end, span.label_) for span in doc.spans[key]]


def gold_of(nlp, words, spans):
    """spans: (start, end, label); None for a text that is not annotated."""
    doc = Doc(nlp.vocab, words=words.split(" ") if words else [])
    reference = doc.copy()
    if spans is not None:
        reference.spans["toxic"] = [Span(reference, *span[:2], label=span[2]) for span in spans]
    return Example(doc, reference)


def loss_of(nlp, *examples):
    component = nlp.get_pipe("bilstm_spans")
    loss, gradient = component.get_loss(examples, component.model.predict([eg.predicted for eg in examples]))
    return loss, rows_by_doc(gradient)


def brute_force(nlp, words):
    """label -> (states, probability) of every sequence of the states outside (0) and inside (1)."""
    component = nlp.get_pipe("bilstm_spans")
    whole = component.model.predict([Doc(nlp.vocab, words=words)])
    found = {}
    for number in range(len(component.labels)):
        two = whole.labels(slice(2 * number, 2 * number + 2))
        transitions, start, end = two.chain
        sequences = torch.tensor(list(product([0, 1], repeat=len(words))))
        scores = two.emissions[torch.arange(len(words)), sequences].sum(dim=1)
        scores += start[sequences[:, 0]] + end[sequences[:, -1]]
        scores += transitions[sequences[:, :-1], sequences[:, 1:]].sum(dim=1)
        found[component.labels[number]] = sequences.numpy(), scores.double().softmax(dim=0).numpy()
    return found


def stretches(states):
    edges = np.flatnonzero(np.diff([0, *states, 0])).tolist()
    return list(zip(edges[::2], edges[1::2]))


class TestLearning:
    @pytest.mark.parametrize("model", [SMALL_CRF, SOFTMAX])
    def test_learns_spans_that_overlap(self, model):
        nlp = small_pipeline("bilstm_spans", model=model)
        examples = span_examples(nlp)
        losses = train(nlp, examples, steps=60)
        assert losses["bilstm_spans"] < 1
        scores = nlp.evaluate(examples)
        assert scores["spans_toxic_char_f"] == scores["spans_toxic_f"] == 1.0
        assert triples(nlp(TEXT)) == [(3, 7, "insult"), (4, 7, "noun")]

    def test_needs_no_argument_on_a_blank_pipeline(self):
        nlp = spacy.blank("en")
        nlp.add_pipe("bilstm_spans")
        train(nlp, span_examples(nlp), steps=30)
        assert nlp.evaluate(span_examples(nlp))["spans_toxic_char_f"] == 1.0

    def test_a_text_without_the_group_teaches_nothing(self, unsure):
        unknown, known = gold_of(unsure, "so real", None), gold_of(unsure, "an idiot", [(1, 2, "insult")])
        loss, gradient = loss_of(unsure, unknown)
        assert loss == pytest.approx(0, abs=1e-5)
        np.testing.assert_allclose(gradient[0], 0, atol=1e-6)
        alone = loss_of(unsure, known)
        loss, gradient = loss_of(unsure, unknown, known)
        assert loss == pytest.approx(alone[0], rel=1e-4)
        np.testing.assert_allclose(gradient[1], alone[1][0], atol=1e-5)

    def test_an_empty_group_says_that_nothing_is_inside(self, unsure):
        loss, gradient = loss_of(unsure, gold_of(unsure, "so real", []))
        assert loss > 0
        assert np.all(gradient[0][:, ::2] <= 0)
        assert np.all(gradient[0][:, 1::2] >= 0)

    def test_loss_is_that_of_both_labels_together(self, unsure):
        example = gold_of(unsure, "real garbage", [(0, 2, "insult"), (1, 2, "noun")])
        wanted = {"insult": [1, 1], "noun": [0, 1]}
        p = 1.0
        for label, (sequences, probabilities) in brute_force(unsure, ["real", "garbage"]).items():
            p *= probabilities[(sequences == wanted[label]).all(axis=1)][0]
        assert loss_of(unsure, example)[0] == pytest.approx(-np.log(p), abs=1e-4)

    def test_gold_spans_are_widened_to_the_tokens_they_touch(self, trained):
        component = trained.get_pipe("bilstm_spans")
        predicted = Doc(trained.vocab, words=["real", "garbage,idiot", "!"])
        words = ["real", "garbage", ",", "idiot", "!"]
        reference = Doc(trained.vocab, words=words, spaces=[True, False, False, True, False])
        reference.spans["toxic"] = [Span(reference, 3, 4, label="insult"), Span(reference, 0, 2, label="noun")]
        allowed = component.allowed([Example(predicted, reference)])
        outside, inside = [True, False], [False, True]
        assert allowed.tolist() == [outside + inside, inside + inside, outside + outside]

    def test_gradient_of_the_chain_keeps_labels_apart(self, unsure):
        component = unsure.get_pipe("bilstm_spans")
        component.update(span_examples(unsure))
        gradient = component.model.get_ref("crf").get_grad("transitions")
        assert gradient[:2, :2].all()
        assert gradient[2:, 2:].all()
        assert not gradient[:2, 2:].any()
        assert not gradient[2:, :2].any()

    def test_batches_without_tokens_or_texts(self, trained):
        empty = gold_of(trained, "", [])
        assert trained.update([empty]) == {"bilstm_spans": 0.0}
        assert trained.update([]) == {}


class TestLabels:
    def test_are_those_of_all_examples_sorted(self, trained):
        assert trained.get_pipe("bilstm_spans").label_data == ["insult", "noun"]

    def test_can_be_given(self):
        nlp = small_pipeline("bilstm_spans")
        component = nlp.get_pipe("bilstm_spans")
        assert [component.add_label(label) for label in ("noun", "noun")] == [1, 0]
        component.initialize(lambda: span_examples(nlp), nlp=nlp, labels=["rude", "insult"])
        assert component.labels == ("noun", "rude", "insult")
        assert component.model.get_dim("nO") == 6

    def test_cannot_be_added_to_the_network(self, trained):
        with pytest.raises(ValueError, match="E922"):
            trained.get_pipe("bilstm_spans").add_label("NEW")

    @pytest.mark.parametrize("label", ["", 3])
    def test_that_are_no_names_are_refused(self, label):
        with pytest.raises(ValueError, match="bilstm_spans: found the label"):
            small_pipeline("bilstm_spans").get_pipe("bilstm_spans").add_label(label)

    def test_unknown_gold_label_is_a_clear_error(self, trained):
        with pytest.raises(ValueError, match="the gold label 'rude' is not among the component's 2 labels"):
            trained.update([gold_of(trained, "so real", [(0, 1, "rude")])])

    def test_unknown_gold_labels_are_counted(self, trained):
        docs = [gold_of(trained, "so real", [(0, 1, "rude")]).reference, trained.make_doc("so real")]
        assert trained.get_pipe("bilstm_spans").unknown_labels(docs) == {"rude": 1}

    def test_gold_spans_that_are_one_to_the_component_are_told(self, recwarn):
        nlp = small_pipeline("bilstm_spans")
        apart, touching = [(0, 1, "toxic"), (2, 3, "toxic"), (1, 2, "rude")], [(1, 3, "toxic"), (0, 1, "toxic")]
        nlp.initialize(lambda: [gold_of(nlp, "so real bad", apart)])
        assert not [each for each in recwarn if "touch or overlap" in str(each.message)]
        with pytest.warns(UserWarning, match="bilstm_spans: 1 of 5 gold spans touch or overlap one of the same label"):
            nlp.initialize(lambda: [gold_of(nlp, "so real bad", spans) for spans in (apart, touching)])

    @pytest.mark.parametrize("spans", [None, []])
    def test_none_at_all(self, spans):
        nlp = small_pipeline("bilstm_spans")
        with pytest.raises(ValueError, match=r"found no spans under doc.spans\['toxic'\] in the training data"):
            nlp.initialize(lambda: [gold_of(nlp, "so good", spans)])


class TestAnnotation:
    @pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
    def test_tokens_inside_form_the_spans(self, unsure, threshold):
        unsure.get_pipe("bilstm_spans").threshold = threshold
        expected = []
        for label, (sequences, p) in brute_force(unsure, TEXT.split()).items():
            inside = (sequences * p[:, None]).sum(axis=0) >= threshold
            expected += [(*stretch, label) for stretch in stretches(inside)]
        assert triples(unsure(TEXT)) == sorted(expected)

    def test_without_threshold_the_best_sequence(self, unsure):
        unsure.get_pipe("bilstm_spans").threshold = None
        expected = []
        for label, (sequences, p) in brute_force(unsure, TEXT.split()).items():
            expected += [(*stretch, label) for stretch in stretches(sequences[p.argmax()])]
        assert triples(unsure(TEXT)) == sorted(expected)

    def test_the_probability_of_any_span_decides_about_the_text(self, unsure):
        """Tokens are then taken by their probability in a text that holds any span of the label."""
        component = unsure.get_pipe("bilstm_spans")
        every = brute_force(unsure, TEXT.split())
        any_span = {label: p[sequences.any(axis=1)].sum() for label, (sequences, p) in every.items()}
        for text_threshold in (0.0, *(min(p + step, 1.0) for p in any_span.values() for step in (-1e-4, 1e-4)), 1.0):
            component.threshold, component.text_threshold = 0.4, text_threshold
            doc = unsure(TEXT)
            expected = []
            for label, (sequences, p) in every.items():
                inside = (p[:, None] * sequences).sum(axis=0) / any_span[label] >= 0.4
                expected += [(*stretch, label) for stretch in stretches(inside) if any_span[label] >= text_threshold]
            assert triples(doc) == sorted(expected)
            found = doc.spans["toxic"].attrs["any"]
            assert found == pytest.approx(any_span, abs=1e-5)

    @pytest.mark.parametrize("text", ["", "so"])
    def test_the_probability_of_any_span_of_a_short_text(self, unsure, text):
        unsure.get_pipe("bilstm_spans").text_threshold = 0.5
        found = unsure(text).spans["toxic"].attrs["any"]
        assert all(0 <= p <= 1 for p in found.values())
        assert text or set(found.values()) == {0.0}

    @pytest.mark.parametrize("threshold", [None, 0.1, 0.3, 0.5])
    @pytest.mark.parametrize("name", ["unsure", "trained"])
    def test_scores_are_the_probability_of_exactly_this_span(self, request, name, threshold):
        nlp = request.getfixturevalue(name)
        nlp.get_pipe("bilstm_spans").threshold = threshold
        doc = nlp(TEXT)
        scores = doc.spans["toxic"].attrs["scores"]
        every = brute_force(nlp, TEXT.split())
        assert all(type(score) is float for score in scores)
        assert len(scores) == len(doc.spans["toxic"])
        for (start, end, label), score in zip(triples(doc), scores):
            sequences, p = every[label]
            expected = sum(q for states, q in zip(sequences, p) if (start, end) in stretches(states))
            assert score == pytest.approx(expected, abs=1e-4)

    def test_without_a_crf_tokens_are_independent(self):
        nlp = small_pipeline("bilstm_spans", model=SOFTMAX, threshold=0.2)
        train(nlp, span_examples(nlp), steps=10)
        component = nlp.get_pipe("bilstm_spans")
        doc = nlp.make_doc(TEXT)
        emissions = component.model.predict([doc]).emissions.numpy()
        p = np.exp(emissions[:, 1::2]) / (np.exp(emissions[:, ::2]) + np.exp(emissions[:, 1::2]))
        nlp(doc)
        expected = [(*stretch, label) for label, q in zip(component.labels, p.T) for stretch in stretches(q >= 0.2)]
        assert triples(doc) == sorted(expected)
        assert len(expected) > 0
        for (start, end, label), score in zip(triples(doc), doc.spans["toxic"].attrs["scores"]):
            q = p[:, component.labels.index(label)]
            beside = np.prod(1 - q[max(start - 1, 0) : start]) * np.prod(1 - q[end : end + 1])
            assert score == pytest.approx(np.prod(q[start:end]) * beside, abs=1e-5)

    def test_more_threshold_gives_no_more_tokens(self, unsure):
        found = []
        for threshold in (0.05, 0.2, 0.5, 0.8, 0.95):
            unsure.get_pipe("bilstm_spans").threshold = threshold
            docs = list(unsure.pipe(TEXTS))
            spans = [(i, span) for i, doc in enumerate(docs) for span in triples(doc)]
            found.append({(i, label, at) for i, (start, end, label) in spans for at in range(start, end)})
        assert found == sorted(found, key=len, reverse=True)
        assert all(more >= fewer for more, fewer in pairwise(found))
        assert len(found[0]) > len(found[-1])

    def test_takes_the_place_of_what_was_there_and_leaves_other_keys(self, trained):
        doc = trained.make_doc(TEXT)
        for key in ("toxic", "other"):
            doc.spans[key] = [Span(doc, 0, 1, label="old")]
        trained(doc)
        assert triples(doc) == [(3, 7, "insult"), (4, 7, "noun")]
        assert triples(doc, "other") == [(0, 1, "old")]

    def test_empty_and_blank_texts(self, trained):
        assert trained.get_pipe("bilstm_spans").predict([]) == []
        for doc in trained.pipe(["", "  ", "\n"]):
            assert len(doc.spans["toxic"]) == len(doc.spans["toxic"].attrs["scores"])
        assert len(trained("").spans["toxic"]) == 0

    @pytest.mark.parametrize("keep", ["bytes", "docbin"])
    def test_are_kept_with_the_doc(self, trained, keep):
        doc = trained(TEXT)
        if keep == "bytes":
            again = Doc(trained.vocab).from_bytes(doc.to_bytes())
        else:
            (again,) = DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(trained.vocab)
        assert triples(again) == triples(doc)
        np.testing.assert_array_equal(again.spans["toxic"].attrs["scores"], doc.spans["toxic"].attrs["scores"])

    def test_another_key(self):
        scorer = {"@scorers": "spacy-bilstm-tagger.spans_scorer.v1", "spans_key": "why"}
        nlp = small_pipeline("bilstm_spans", spans_key="why", scorer=scorer)
        examples = span_examples(nlp)
        for example in examples:
            example.reference.spans["why"] = list(example.reference.spans.pop("toxic"))
        train(nlp, examples, steps=60)
        assert list(nlp(TEXT).spans) == ["why"]
        assert nlp.evaluate(examples)["spans_why_char_f"] == 1.0

    def test_before_training(self):
        with pytest.raises(ValueError, match="E109"):
            small_pipeline("bilstm_spans")("so good")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"spans_key": ""}, "bilstm_spans: spans_key = ''; expected the name"),
        ({"threshold": -0.1}, "threshold = -0.1; expected null or a probability from 0"),
        ({"threshold": 1.5}, "threshold = 1.5; expected null or a probability from 0"),
        ({"text_threshold": 2}, "text_threshold = 2; expected null or a probability from 0"),
    ],
)
def test_settings_out_of_range_are_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        small_pipeline("bilstm_spans", **config)


@pytest.mark.parametrize("text", ["@mara_lune", "@x http://bit.ly/x7Qa2 #", "so garbage @mara http://t.co/x"])
def test_users_links_and_signs_are_nothing_by_themselves(text):
    nlp = small_pipeline("bilstm_spans")
    train(nlp, span_examples(nlp), steps=3)
    nlp.get_pipe("bilstm_spans").threshold = 0.0  # every token
    doc = nlp(text)
    words = [token.text for token in doc if token.text[0] not in "@#" and not token.like_url]
    found = [[token.text for token in span] for span in doc.spans["toxic"]]  # one for each label
    assert all(each == words for each in found)
    assert bool(found) == bool(words)


class TestExpectedF1:
    @pytest.mark.parametrize("seed", range(20))
    def test_no_other_tokens_have_a_higher_one(self, seed):
        random = np.random.default_rng(seed)
        p, sizes = random.beta(0.5, 1, 6), random.integers(1, 9, 6)
        inside, f1 = best_expected_f1(p, sizes)
        gold = (p * sizes).sum()
        every = {states: 2 * (p * sizes) @ states / (sizes @ states + gold) for states in product([0, 1], repeat=len(p))}
        assert f1 == pytest.approx(max(every.values()))
        assert every[tuple(inside.astype(int).tolist())] == pytest.approx(f1)

    def test_one_sure_token_is_taken_alone_and_unsure_ones_together(self):
        assert best_expected_f1(np.array([1.0, 0.01, 0.0]), np.ones(3, dtype=int))[0].tolist() == [True, False, False]
        assert best_expected_f1(np.array([0.3, 0.3, 0.3]), np.ones(3, dtype=int))[0].tolist() == [True, True, True]
        assert best_expected_f1(np.zeros(0), np.zeros(0, dtype=int)) == (pytest.approx([]), 0.0)

    def test_it_is_a_setting_that_is_saved(self, unsure, tmp_path):
        component = unsure.get_pipe("bilstm_spans")
        component.threshold = "expected_f1"
        found = [triples(doc) for doc in unsure.pipe(TEXTS)]
        unsure.to_disk(tmp_path)
        assert [triples(doc) for doc in spacy.load(tmp_path).pipe(TEXTS)] == found
        component.text_threshold = 0.0  # in every text that has a token, also where it is probable that there is none
        assert all(bool(triples(unsure(text))) for text in TEXTS if text.strip())
        component.text_threshold = 1.0
        assert not any(triples(unsure(text)) for text in TEXTS)

    def test_a_text_of_which_it_is_probable_that_it_has_none_gets_none(self, trained):
        trained.get_pipe("bilstm_spans").threshold = "expected_f1"
        assert triples(trained("nice")) == []

    def test_another_word_is_refused(self):
        with pytest.raises((ConfigError, ConfigValidationError), match="threshold"):
            small_pipeline("bilstm_spans", threshold="f1")


def test_an_empty_text_in_a_batch_teaches_nothing(trained):
    examples = [*span_examples(trained), gold_of(trained, "", []), gold_of(trained, "", None)]
    assert loss_of(trained, *examples)[0] == loss_of(trained, *examples[:-2])[0]
    trained.update(examples, sgd=trained.resume_training())
