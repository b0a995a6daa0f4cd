import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_bilstm_tagger.pipeline.gold import set_annotated_types
from spacy_bilstm_tagger.scoring.entities import judge_entities, ner_score
from spacy_bilstm_tagger.scoring.tags import tagger_score

VOCAB = spacy.blank("en").vocab


def tagged(gold: str, predicted: str) -> Example:
    docs = [Doc(VOCAB, words=["w"] * len(tags.split())) for tags in (predicted, gold)]
    for doc, tags in zip(docs, (predicted, gold)):
        for token, tag in zip(doc, tags.split()):
            token.tag_ = "" if tag == "_" else tag
    return Example(*docs)


def with_ents(gold: str, predicted: str) -> Example:
    """Each argument names the tokens' entity types: a new entity where the type changes, "." outside, "-" missing."""
    docs = []
    for types in (predicted, gold):
        doc = Doc(VOCAB, words=["w"] * len(types))
        spans, start = [], 0
        for i in range(1, len(types) + 1):
            if i == len(types) or types[i] != types[start]:
                if types[start] not in ".-":
                    spans.append(Span(doc, start, i, label=types[start]))
                start = i
        missing = [doc[i : i + 1] for i, name in enumerate(types) if name == "-"]
        doc.set_ents(spans, missing=missing, default="outside")
        docs.append(doc)
    return Example(*docs)


class TestTags:
    def test_pooled_and_mean_over_texts_differ(self):
        scores = tagger_score([tagged("A A A A", "A A A B"), tagged("B", "A")])
        assert scores["tag_acc"] == pytest.approx(3 / 5)
        assert scores["tag_acc_doc_mean"] == pytest.approx((3 / 4 + 0) / 2)

    def test_per_label(self):
        scores = tagger_score([tagged("A A A A", "A A A B"), tagged("B", "A")])
        assert scores["tag_per_type"]["A"] == pytest.approx({"p": 3 / 4, "r": 3 / 4, "f": 3 / 4, "gold": 4, "found": 4})
        assert scores["tag_per_type"]["B"] == {"p": 0, "r": 0, "f": 0, "gold": 1, "found": 1}
        assert scores["tag_macro_f"] == pytest.approx(3 / 8)
        assert scores["tag_micro_f"] == pytest.approx(3 / 5)

    def test_missing_tags_count_nowhere(self):
        scores = tagger_score([tagged("A _ A", "A B A"), tagged("_ -", "A A")])
        assert scores["tag_acc"] == scores["tag_acc_doc_mean"] == scores["tag_micro_p"] == 1
        assert set(scores["tag_per_type"]) == {"A"}

    def test_a_gold_tag_that_stands_for_several_does_not_count(self):
        scores = tagger_score([tagged("A A|B B", "A B B"), tagged("B|A A|C", "A A")])
        assert scores["tag_acc"] == pytest.approx(2 / 3)
        assert scores["tag_acc_doc_mean"] == pytest.approx((1 + 0) / 2)
        assert set(scores["tag_per_type"]) == {"A", "B", "A|C"}  # no C anywhere, so it is a tag of this name

    def test_tokens_that_are_no_gold_tokens_lower_recall_only(self):
        gold = Doc(VOCAB, words=["do", "n't", "go"], spaces=[False, True, False])
        predicted = Doc(VOCAB, words=["don't", "go"])
        for doc in (gold, predicted):
            for token in doc:
                token.tag_ = "A"
        scores = tagger_score([Example(predicted, gold)])
        assert (scores["tag_micro_p"], scores["tag_micro_r"]) == pytest.approx((1, 1 / 3))
        assert (scores["tag_micro_p_doc_mean"], scores["tag_micro_f_doc_mean"]) == pytest.approx((1, 1 / 2))

    def test_nothing_annotated_is_none(self):
        with pytest.warns(UserWarning, match=r"^Nothing to score: none of the 1 texts has gold tags, so there is no tag_acc"):
            scores = tagger_score([tagged("_", "A")])
        assert all(value is None for value in scores.values())


class TestEntities:
    def test_pooled_and_mean_over_texts_differ(self):
        examples = [with_ents("aa.b", "aa.."), with_ents("....", "...."), with_ents("..", "a.")]
        scores = ner_score(examples)
        assert (scores["ents_p"], scores["ents_r"], scores["ents_f"]) == pytest.approx((1 / 2, 1 / 2, 1 / 2))
        assert scores["ents_f_doc_mean"] == pytest.approx((2 / 3 + 1 + 0) / 3)
        assert scores["ents_p_doc_mean"] == pytest.approx((1 + 1 + 0) / 3)
        assert scores["ents_r_doc_mean"] == pytest.approx((1 / 2 + 1 + 0) / 3)
        assert scores["ents_acc"] == pytest.approx(8 / 10)
        assert scores["ents_acc_doc_mean"] == pytest.approx((3 / 4 + 1 + 1 / 2) / 3)
        assert scores["ents_per_type"]["b"] == {"p": 0, "r": 0, "f": 0, "gold": 1, "found": 0}

    def test_missing_tokens_count_nowhere(self):
        scores = ner_score([with_ents("aa--", "aabb")])
        assert scores["ents_f"] == scores["ents_acc"] == scores["ents_f_doc_mean"] == pytest.approx(1)

    def test_boundaries_have_to_be_exact(self):
        scores = ner_score([with_ents(".aaa", "..aa")])
        assert scores["ents_f"] == 0
        assert scores["ents_acc"] == pytest.approx(2 / 4)

    def test_texts_without_entity_annotation_do_not_count(self):
        with pytest.warns(UserWarning, match=r"^Nothing to score: none of the 1 texts has gold entities.* no ents_f,"):
            scores = ner_score([tagged("A", "A")])
        assert all(value is None for value in scores.values())


def test_empty_texts_count_nowhere():
    given = [with_ents("XX.", "XX."), with_ents("X..", "...")]
    assert ner_score([*given, with_ents("", "")]) == ner_score(given)
    with pytest.warns(UserWarning, match="Nothing to score: none of the 1 texts has gold entities"):
        assert ner_score([with_ents("", "")])["ents_f_doc_mean"] is None


def test_spacy_finds_the_scores(tweet_nlp, make_examples):
    tweet_nlp.add_pipe("bilstm_tagger")
    examples = make_examples(tweet_nlp)
    tweet_nlp.initialize(lambda: examples)
    scores = tweet_nlp.evaluate(examples)
    assert {"tag_acc", "tag_acc_doc_mean", "tag_macro_f", "tag_micro_p", "tag_per_type"} <= set(scores)
    weights = tweet_nlp.config["training"]["score_weights"]
    assert weights["tag_acc"] == 1.0
    assert "tag_acc_doc_mean" in weights


def test_no_text_at_all_is_warned_of(tweet_nlp, make_examples):
    tweet_nlp.add_pipe("bilstm_tagger")
    tweet_nlp.initialize(lambda: make_examples(tweet_nlp))
    with pytest.warns(UserWarning, match="Nothing to score: there is no text; expected a .spacy file"):
        tweet_nlp.evaluate([])


class TestPartlyKnownEntities:
    WORDS = ["Ann", "at", "Acme", "with", "Gizmo"]

    def score(self, predicted, gold, annotated=None):
        reference = Doc(VOCAB, words=self.WORDS, ents=gold)
        if annotated:
            set_annotated_types(reference, annotated)
        return ner_score([Example(Doc(VOCAB, words=self.WORDS, ents=predicted), reference)])

    def test_one_of_two_types_is_right_by_either(self):
        scores = self.score(["B-per", "O", "B-group", "O", "O"], ["B-per", "O", "B-corp|group", "O", "O"])
        assert (scores["ents_p"], scores["ents_r"]) == (1, 1)

    def test_a_type_nobody_looked_for_does_not_count(self):
        gold = ["B-per", "O", "O", "O", "O"]
        predicted = ["B-per", "O", "O", "O", "B-product"]
        assert self.score(predicted, gold, ["per"])["ents_p"] == 1
        assert self.score(predicted, gold, ["per", "product"])["ents_p"] == 0.5
        assert self.score(predicted, gold)["ents_p"] == 0.5

    def test_but_it_is_wrong_on_a_gold_entity(self):
        scores = self.score(["B-product", "O", "O", "O", "O"], ["B-per", "O", "O", "O", "O"], ["per"])
        assert scores["ents_p"] == 0


def test_entities_of_types_that_are_not_annotated_are_neither_right_nor_wrong():
    words = ["so", "happy", "in", "Lisbon"]
    found = Doc(VOCAB, words=words, ents=["O", "O", "O", "B-location"])
    judged = []
    for types, tag in [(None, "O"), ({"person"}, "O"), ({"location"}, "B-location")]:
        gold = Doc(found.vocab, words=words, ents=["O", "O", "O", tag])
        if types:
            set_annotated_types(gold, types)
        entities = {(ent.start, ent.end): ent.label_ for ent in gold.ents}
        judged.append([(ent.text, is_right) for ent, is_right in judge_entities(Example(found, gold), entities)])
        assert not entities
    assert judged == [[("Lisbon", False)], [], [("Lisbon", True)]]
