"""Character F1 by hand: texts of one-letter and three-letter words, so that every offset can be counted."""

import pickle

import pytest
import spacy
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example

from spacy_bilstm_tagger.scoring.spans import make_spans_scorer, spans_score

VOCAB = spacy.blank("en").vocab
TEXT = "aaa bbb ccc ddd"


def with_spans(gold, predicted, *, characters=None, key="toxic", text=TEXT):
    """Each argument lists (first token, end token) or (first, end, label); None for a Doc without a group."""
    docs = [Doc(VOCAB, words=text.split()) for _ in (predicted, gold)]
    for doc, spans in zip(docs, (predicted, gold)):
        if spans is not None:
            doc.spans[key] = [Span(doc, *span[:2], label=span[2] if span[2:] else key) for span in spans]
    if characters is not None:
        docs[1].spans[key].attrs["characters"] = characters
    return Example(*docs)


def char_scores(*examples):
    scores = make_spans_scorer()(examples)
    return tuple(scores[f"spans_toxic_char_{part}"] for part in ("p", "r", "f"))


class TestCharacters:
    @pytest.mark.parametrize(
        ("gold", "predicted", "expected"),
        [
            ([(0, 1)], [(0, 1)], (1, 1, 1)),
            ([(0, 2)], [(0, 1), (1, 2)], (1, 6 / 7, 12 / 13)),  # the blank between is not predicted
            ([(0, 1), (1, 2)], [(0, 2)], (6 / 7, 1, 12 / 13)),
            ([(0, 1)], [(2, 3)], (0, 0, 0)),
            ([(0, 1)], [(0, 2), (1, 3)], (3 / 11, 1, 6 / 14)),  # each character counts once
            ([], [], (1, 1, 1)),
            ([], [(0, 1)], (0, 0, 0)),
            ([(0, 1)], [], (0, 0, 0)),
            ([(0, 1)], None, (0, 0, 0)),
            ([], None, (1, 1, 1)),
        ],
    )
    def test_of_one_text(self, gold, predicted, expected):
        assert char_scores(with_spans(gold, predicted)) == pytest.approx(expected)

    def test_a_text_counts_one_however_long_it_is(self):
        examples = [with_spans([(0, 4)], [(0, 4)]), with_spans([(0, 1)], [(1, 2)], text="a b c")]
        assert char_scores(*examples) == pytest.approx((1 / 2, 1 / 2, 1 / 2))

    def test_the_exact_characters_go_before_the_spans(self):
        example = with_spans([(0, 2)], [(0, 2)], characters=[[1, 3], [4, 7]])
        assert char_scores(example) == pytest.approx((5 / 7, 1, 10 / 12))

    def test_characters_of_white_space_alone_make_it_a_text_with_gold(self):
        scores = make_spans_scorer()([with_spans([], [], characters=[[3, 4]])])
        assert scores["spans_toxic_char_f"] == scores["spans_toxic_char_f_gold"] == 0
        assert scores["spans_toxic_char_f_nogold"] is None

    def test_labels_count_where_the_gold_spans_have_them(self):
        gold = [(0, 1, "insult"), (1, 2, "threat")]
        predicted = [(0, 1, "insult"), (1, 2, "insult"), (0, 1, "threat")]
        assert char_scores(with_spans(gold, predicted)) == pytest.approx((3 / 9, 3 / 6, 6 / 15))

    def test_labels_do_not_count_beside_exact_characters(self):
        example = with_spans([(0, 1, "toxic")], [(0, 1, "insult"), (0, 1, "threat")], characters=[[0, 3]])
        assert char_scores(example) == (1, 1, 1)

    def test_offsets_are_those_of_the_reference_where_the_texts_differ(self):
        gold, predicted = Doc(VOCAB, words=["do", "n't", "x"]), Doc(VOCAB, words=["don't", "x"])
        gold.spans["toxic"] = [Span(gold, 2, 3, label="toxic")]
        predicted.spans["toxic"] = [Span(predicted, 1, 2, label="toxic")]
        assert char_scores(Example(predicted, gold)) == (1, 1, 1)


class TestTexts:
    def test_with_and_without_gold_spans_are_apart(self):
        examples = [
            with_spans([(0, 1)], [(0, 1)]),
            with_spans([(0, 1)], []),
            with_spans([(0, 2)], [(0, 1)]),
            with_spans([], []),
            with_spans([], [(0, 1)]),
        ]
        scores = make_spans_scorer()(examples)
        assert scores["spans_toxic_char_f"] == pytest.approx((1 + 0 + 6 / 10 + 1 + 0) / 5)
        assert scores["spans_toxic_char_f_gold"] == pytest.approx((1 + 0 + 6 / 10) / 3)
        assert scores["spans_toxic_char_f_nogold"] == pytest.approx(1 / 2)

    def test_without_a_group_in_the_reference_a_text_does_not_count(self):
        example = with_spans([(0, 1)], [(0, 1)])
        scores = make_spans_scorer()([example, with_spans(None, [(0, 1)]), with_spans(None, None)])
        assert scores == make_spans_scorer()([example])

    @pytest.mark.filterwarnings("ignore:Nothing to score")
    @pytest.mark.parametrize("examples", [[], [with_spans(None, [(0, 1)])]])
    def test_nothing_annotated_is_none(self, examples):
        assert set(make_spans_scorer()(examples).values()) == {None}

    def test_examples_may_come_from_a_generator(self):
        assert char_scores(*(with_spans([], []) for _ in range(2))) == (1, 1, 1)
        scores = spans_score((with_spans([(0, 1)], [(0, 1)]) for _ in range(2)), spans_key="toxic")
        assert scores["spans_toxic_char_f"] == scores["spans_toxic_f"] == 1


class TestExactSpans:
    def test_boundaries_and_labels_have_to_be_exact(self):
        gold = [(0, 1, "insult"), (1, 3, "threat")]
        predicted = [(0, 1, "insult"), (1, 2, "threat"), (3, 4, "insult"), (1, 3, "insult")]
        scores = make_spans_scorer()([with_spans(gold, predicted)])
        names = [f"spans_toxic_{part}" for part in "prf"]
        assert [scores[name] for name in names] == pytest.approx([1 / 4, 1 / 2, 1 / 3])
        assert scores["spans_toxic_per_type"] == {
            "insult": pytest.approx({"p": 1 / 3, "r": 1, "f": 1 / 2}),
            "threat": {"p": 0, "r": 0, "f": 0},
        }

    def test_spans_that_overlap_all_count(self):
        spans = [(0, 2), (1, 3)]
        assert make_spans_scorer()([with_spans(spans, spans)])["spans_toxic_f"] == 1

    def test_a_missing_group_is_one_without_spans(self):
        scores = make_spans_scorer()([with_spans([(0, 1)], [(0, 1)]), with_spans([(0, 1)], None)])
        assert (scores["spans_toxic_p"], scores["spans_toxic_r"]) == (1, 1 / 2)


def test_nothing_to_score_is_said():
    with pytest.warns(UserWarning, match=r"none of the 1 texts has gold spans under 'rude'.* no spans_rude_char_f,"):
        scores = make_spans_scorer("rude")([with_spans([(0, 1)], [(0, 1)])])
    assert all(value is None for value in scores.values())


def test_the_key_is_part_of_every_name():
    scores = make_spans_scorer("rude")([with_spans([(0, 1)], [(0, 1)], key="rude")])
    assert set(scores) == {
        *(f"spans_rude_{part}" for part in ("p", "r", "f", "per_type")),
        *(f"spans_rude_char_{part}" for part in ("p", "r", "f", "f_gold", "f_nogold")),
    }


def test_a_pickled_scorer_is_the_same():
    examples = [with_spans([(0, 2)], [(0, 1)])]
    scorer = make_spans_scorer()
    assert pickle.loads(pickle.dumps(scorer))(examples) == scorer(examples)


def test_spacy_finds_it_by_name_and_gives_its_scores():
    nlp = spacy.blank("en")
    scorer = {"@scorers": "spacy-bilstm-tagger.spans_scorer.v1", "spans_key": "toxic"}
    ruler = nlp.add_pipe("span_ruler", config={"spans_key": "toxic", "scorer": scorer})
    ruler.add_patterns([{"label": "toxic", "pattern": "bbb"}])
    gold = nlp.make_doc(TEXT)
    gold.spans["toxic"] = SpanGroup(gold, attrs={"characters": [[4, 11]]}, spans=[Span(gold, 1, 3, label="toxic")])
    scores = nlp.evaluate([Example(nlp.make_doc(TEXT), gold)])
    assert scores["spans_toxic_char_f"] == pytest.approx(6 / 10)
    assert scores["spans_toxic_f"] == 0
