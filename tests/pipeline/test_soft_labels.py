"""Learning from labels with probabilities, in the place of gold ones."""

import itertools

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from small_pipelines import SMALL_CRF, small_pipeline
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.pipeline.gold import set_annotated_types
from spacy_bilstm_tagger.pipeline.soft_labels import (
    SoftLabels,
    get_soft_labels,
    mean_soft_labels,
    set_soft_labels,
)

WORDS = ["so", "good", "in", "york"]
SOFTMAX = {**SMALL_CRF, "@architectures": "spacy-bilstm-tagger.TokenClassifier.v1"}


def hard(labels, names=None):
    """All mass on one sequence."""
    names = names or list(dict.fromkeys(labels))
    at = [names.index(label) for label in labels]
    pairs = np.zeros((len(names), len(names)), dtype="float32")
    for a, b in itertools.pairwise(at):
        pairs[a, b] += 1
    return SoftLabels(names, np.eye(len(names), dtype="float32")[at], pairs)


def example(nlp, key, soft, words=WORDS):
    reference = Doc(nlp.vocab, words=words)
    set_soft_labels(reference, key, soft, is_exclusive=key in ("tags", "ents"))
    return Example(Doc(nlp.vocab, words=words), reference)


def learn(factory, examples_of, *, steps=60, **config):
    nlp = small_pipeline(factory, **config)
    examples = examples_of(nlp)
    optimizer = nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(steps):
        nlp.update(examples, sgd=optimizer)
    return nlp


class TestKept:
    def test_they_survive_a_docbin(self):
        nlp = spacy.blank("en")
        doc = Doc(nlp.vocab, words=WORDS)
        soft = hard(["A", "B", "A", "A"])
        set_soft_labels(doc, "tags", soft)
        data = DocBin(docs=[doc], store_user_data=True).to_bytes()
        (found,) = DocBin().from_bytes(data).get_docs(spacy.blank("en").vocab)
        kept = get_soft_labels(found, "tags")
        assert kept.labels == soft.labels
        assert_allclose(kept.rows, soft.rows)
        assert_allclose(kept.pairs, soft.pairs)
        assert get_soft_labels(found, "ents") is None

    def test_improbable_labels_are_left_out_and_the_others_add_up(self):
        doc = Doc(spacy.blank("en").vocab, words=["a", "b"])
        rows = np.array([[0.6, 0.399, 0.001], [0.2, 0.799, 0.001]], dtype="float32")
        set_soft_labels(doc, "tags", SoftLabels(["A", "B", "C"], rows, np.full((3, 3), 1 / 9, dtype="float32")))
        kept = get_soft_labels(doc, "tags")
        assert kept.labels == ["A", "B"]
        assert_allclose(kept.rows.sum(axis=1), 1, rtol=1e-3)
        assert_allclose(kept.pairs.sum(), 1, rtol=1e-3)

    def test_the_mean_of_teachers_with_other_labels(self):
        mean = mean_soft_labels([hard(["A", "B"]), hard(["A", "C"])])
        assert mean.labels == ["A", "B", "C"]
        assert_allclose(mean.rows, [[1, 0, 0], [0, 0.5, 0.5]])
        assert_allclose(mean.pairs[0], [0, 0.5, 0.5])
        assert mean.confidence == 0.75

    def test_labels_of_one_new_name_are_added_up(self):
        renamed = mean_soft_labels([hard(["A", "B"]), hard(["A", "C"])]).rename({"A": "X", "B": "Y", "C": "Y"}.get)
        assert renamed.labels == ["X", "Y"]
        assert_allclose(renamed.rows, [[1, 0], [0, 1]])
        assert_allclose(renamed.pairs, [[0, 1], [0, 0]])


class TestLearning:
    @pytest.mark.parametrize("model", [SMALL_CRF, SOFTMAX], ids=["crf", "softmax"])
    def test_a_tagger_learns_tags_and_their_probabilities(self, model):
        rows = np.array([[0.9, 0.1], [0.1, 0.9], [0.7, 0.3], [0.1, 0.9]], dtype="float32")
        pairs = sum(np.outer(a, b) for a, b in itertools.pairwise(rows)).astype("float32")
        soft = SoftLabels(["A", "B"], rows, pairs)
        nlp = learn("bilstm_tagger", lambda nlp: [example(nlp, "tags", soft)], steps=300, tag_scores=True, model=model)
        doc = nlp(Doc(nlp.vocab, words=WORDS))
        assert [token.tag_ for token in doc] == ["A", "B", "A", "B"]
        found = [[token._.tag_scores[tag] for tag in "AB"] for token in doc]
        assert_allclose(found, rows, atol=0.1)

    def test_a_tag_that_is_one_of_two_leaves_both_open(self):
        soft, gold = hard(["A|B", "B", "A|B", "A"]), hard(["A", "B", "A", "A"])
        nlp = learn("bilstm_tagger", lambda nlp: [example(nlp, "tags", soft), example(nlp, "tags", gold)])
        assert [token.tag_ for token in nlp(Doc(nlp.vocab, words=WORDS))] == ["A", "B", "A", "A"]
        assert nlp.get_pipe("bilstm_tagger").labels == ("A", "B")

    @pytest.mark.parametrize("scheme", ["bio", "biluo"])
    def test_an_entity_recognizer_of_any_scheme_learns_from_bio(self, scheme):
        soft = hard(["O", "O", "B-place", "I-place"])
        nlp = learn("bilstm_ner", lambda nlp: [example(nlp, "ents", soft)], scheme=scheme)
        doc = nlp(Doc(nlp.vocab, words=WORDS))
        assert [(ent.text, ent.label_) for ent in doc.ents] == [("in york", "place")]

    def test_types_that_the_teacher_does_not_know_are_left_open(self):
        def examples(nlp):
            taught = example(nlp, "ents", hard(["O", "O", "B-place", "I-place"]))
            set_annotated_types(taught.reference, ["place"])
            gold = Example.from_dict(Doc(nlp.vocab, words=WORDS), {"entities": ["B-mood", "L-mood", "-", "-"]})
            return [taught, gold]

        nlp = learn("bilstm_ner", examples, steps=100)
        doc = nlp(Doc(nlp.vocab, words=WORDS))
        assert [(ent.text, ent.label_) for ent in doc.ents] == [("so good", "mood"), ("in york", "place")]

    def test_spans_of_several_labels(self):
        names = ["O-bad", "I-bad", "O-odd", "I-odd"]
        rows = np.array([[1, 0, 0, 1], [0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 1, 0]], dtype="float32")
        pairs = np.zeros((4, 4), dtype="float32")
        pairs[0, 1] = pairs[1, 1] = pairs[1, 0] = pairs[3, 3] = pairs[3, 2] = pairs[2, 2] = 1
        nlp = learn("bilstm_spans", lambda nlp: [example(nlp, "toxic", SoftLabels(names, rows, pairs))])
        doc = nlp(Doc(nlp.vocab, words=WORDS))
        found = {(span.text, span.label_) for span in doc.spans["toxic"]}
        assert found == {("good in", "bad"), ("so good", "odd")}

    def test_gold_counts_before_soft_labels(self):
        def examples(nlp):
            eg = example(nlp, "tags", hard(["A", "A", "A", "A"]))
            for token in eg.reference:
                token.tag_ = "B"
            return [eg]

        nlp = learn("bilstm_tagger", examples)
        assert {token.tag_ for token in nlp(Doc(nlp.vocab, words=WORDS))} == {"B"}

    def test_texts_with_gold_and_with_soft_labels_in_one_batch(self):
        """The loss is the sum of both, whatever the order."""
        nlp = small_pipeline("bilstm_tagger")
        soft = example(nlp, "tags", hard(["A", "B", "A", "A"]))
        gold = Example.from_dict(Doc(nlp.vocab, words=WORDS[:2]), {"tags": ["B", "A"]})
        nlp.initialize(lambda: [soft, gold])
        tagger = nlp.get_pipe("bilstm_tagger")
        alone = []
        for eg in (soft, gold):
            scores, _ = tagger.model.begin_update([eg.x])
            alone.append(tagger.get_loss([eg], scores)[0])
        for batch in ([soft, gold], [gold, soft]):
            scores, _ = tagger.model.begin_update([eg.x for eg in batch])
            loss, gradient = tagger.get_loss(batch, scores)
            assert loss == pytest.approx(sum(alone), rel=1e-5)
            assert gradient.emissions.shape == scores.emissions.shape


class TestBadInput:
    def test_other_tokens_than_the_pipeline_makes(self):
        nlp = small_pipeline("bilstm_tagger")
        eg = example(nlp, "tags", hard(["A", "B", "A", "A"]))
        nlp.initialize(lambda: [eg])
        other = Example(Doc(nlp.vocab, words=["so", "go", "od", "in", "york"], spaces=[1, 0, 1, 1, 1]), eg.reference)
        with pytest.raises(ConfigError, match="of other tokens than this pipeline's tokenizer makes; expected a teacher"):
            nlp.update([other])

    @pytest.mark.parametrize(("factory", "key", "label"), [("bilstm_tagger", "tags", "C"), ("bilstm_ner", "ents", "B-c")])
    def test_a_label_that_the_component_does_not_have(self, factory, key, label):
        nlp = small_pipeline(factory)
        known = example(nlp, key, hard([label[:-1] + ("a" if "-" in label else "A")] * 4))
        nlp.initialize(lambda: [known])
        with pytest.raises(ValueError, match=f"the gold label '{label[-1]}' is not among the component's 1 labels"):
            nlp.update([example(nlp, key, hard([label] * 4))])
