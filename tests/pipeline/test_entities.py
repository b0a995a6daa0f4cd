from itertools import pairwise, product
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bilstm_tagger.pipeline.entities import EntityScheme, Scheme

SCHEMES = get_args(Scheme)

BIO = EntityScheme(["loc", "per"], "bio")
BILUO = EntityScheme(["loc"], "biluo")


def allowed(scheme, mask):
    """The names of the tags in a mask, (tags,) or (tokens, tags)."""
    if mask.ndim == 2:
        return [allowed(scheme, row) for row in mask]
    return {tag for tag, is_allowed in zip(scheme.tags, mask) if is_allowed}


def following(scheme):
    return {tag: allowed(scheme, row) for tag, row in zip(scheme.tags, scheme.transitions)}


class TestTags:
    def test_bio(self):
        assert BIO.tags == ["O", "B-loc", "I-loc", "B-per", "I-per"]
        anywhere = {"O", "B-loc", "B-per"}
        assert following(BIO) == {
            "O": anywhere,
            "B-loc": anywhere | {"I-loc"},
            "I-loc": anywhere | {"I-loc"},
            "B-per": anywhere | {"I-per"},
            "I-per": anywhere | {"I-per"},
        }
        assert allowed(BIO, BIO.start) == anywhere
        assert allowed(BIO, BIO.end) == set(BIO.tags)

    def test_biluo(self):
        assert BILUO.tags == ["O", "B-loc", "I-loc", "L-loc", "U-loc"]
        begin, go_on = {"O", "B-loc", "U-loc"}, {"I-loc", "L-loc"}
        assert following(BILUO) == {"O": begin, "B-loc": go_on, "I-loc": go_on, "L-loc": begin, "U-loc": begin}
        assert allowed(BILUO, BILUO.start) == begin
        assert allowed(BILUO, BILUO.end) == {"O", "L-loc", "U-loc"}

    def test_biluo_keeps_types_apart(self):
        scheme = EntityScheme(["a", "b"], "biluo")
        assert following(scheme)["B-a"] == {"I-a", "L-a"}
        assert following(scheme)["L-b"] == {"O", "B-a", "U-a", "B-b", "U-b"}

    def test_bioes_is_biluo_by_another_name(self):
        assert EntityScheme(["a"], "bioes").tags == EntityScheme(["a"], "biluo").tags

    @pytest.mark.parametrize("scheme", SCHEMES)
    def test_without_types(self, scheme):
        scheme = EntityScheme([], scheme)
        assert scheme.tags == ["O"]
        assert scheme.read(np.zeros(2, dtype=int), np.array([True, False])) == []


class TestSpelling:
    @pytest.mark.parametrize(
        ("scheme", "length", "expected"),
        [
            ("bio", 1, ["B-b"]),
            ("bio", 2, ["B-b", "I-b"]),
            ("bio", 4, ["B-b", "I-b", "I-b", "I-b"]),
            ("biluo", 1, ["U-b"]),
            ("biluo", 2, ["B-b", "L-b"]),
            ("biluo", 4, ["B-b", "I-b", "I-b", "L-b"]),
        ],
    )
    def test_exact(self, scheme, length, expected):
        scheme = EntityScheme(["a", "b"], scheme)
        assert [scheme.tags[i] for i in scheme.spell(length, 1)] == expected

    def test_neighbours_and_borders_of_texts(self):
        tags = [BIO.index[tag] for tag in ["B-per", "B-per", "I-per", "B-loc", "B-loc", "I-loc", "O", "B-per"]]
        is_first = np.array([True, False, False, False, True, False, False, True])
        assert BIO.read(np.array(tags), is_first) == [(0, 1, 1), (1, 3, 1), (3, 4, 0), (4, 6, 0), (7, 8, 1)]


@st.composite
def layouts(draw):
    """For each text its length and its entities, (start, end, type number), left to right."""
    texts = []
    for _ in range(draw(st.integers(0, 4))):
        at, entities = draw(st.integers(0, 2)), []
        for _ in range(draw(st.integers(0, 3))):
            end = at + draw(st.integers(1, 4))
            entities.append((at, end, draw(st.integers(0, 2))))
            at = end + draw(st.integers(0, 2))
        texts.append((at, entities))
    return texts


class TestRoundTrip:
    @given(layouts(), st.sampled_from(SCHEMES))
    def test_read_gives_what_was_spelt(self, texts, name):
        scheme = EntityScheme(["a", "b", "c"], name)
        rows, is_first, expected = [], [], []
        for length, entities in texts:
            tags = [0] * length
            for start, end, number in entities:
                tags[start:end] = scheme.spell(end - start, number)
                expected.append((len(rows) + start, len(rows) + end, number))
            assert all(scheme.transitions[pair] for pair in pairwise(tags))
            assert not tags or (scheme.start[tags[0]] and scheme.end[tags[-1]])
            rows += tags
            is_first += [i == 0 for i in range(length)]
        assert scheme.read(np.array(rows, dtype=int), np.array(is_first, dtype=bool)) == expected

    @pytest.mark.parametrize("name", SCHEMES)
    def test_every_valid_sequence_is_the_spelling_of_its_entities(self, name):
        scheme = EntityScheme(["a", "b"], name)
        is_first = np.array([True, False, False])
        for tags in product(range(len(scheme.tags)), repeat=3):
            valid = scheme.start[tags[0]] and scheme.end[tags[-1]] and all(map(scheme.transitions.item, tags, tags[1:]))
            spelt = [0, 0, 0]
            for start, end, number in scheme.read(np.array(tags), is_first):
                spelt[start:end] = scheme.spell(end - start, number)
            assert (tuple(spelt) == tags) == valid


class TestGold:
    def test_annotated_tokens_have_one_tag(self):
        gold = ["O", "U-per", "B-loc", "I-loc", "L-loc"]
        assert allowed(BIO, BIO.gold_mask(gold)) == [{"O"}, {"B-per"}, {"B-loc"}, {"I-loc"}, {"I-loc"}]
        assert allowed(BILUO, BILUO.gold_mask(["U-loc", "B-loc", "L-loc"])) == [{"U-loc"}, {"B-loc"}, {"L-loc"}]

    def test_missing_tokens_may_have_any(self):
        assert allowed(BIO, BIO.gold_mask([None, "O", None])) == [set(BIO.tags), {"O"}, set(BIO.tags)]

    @pytest.mark.parametrize("last", ["U-loc", "L-loc"])
    def test_a_known_entity_does_not_go_on_into_a_missing_token(self, last):
        assert allowed(BIO, BIO.gold_mask([last, None, None])[1:]) == [set(BIO.tags) - {"I-loc"}, set(BIO.tags)]

    def test_in_biluo_the_last_tag_says_so(self):
        assert allowed(BILUO, BILUO.gold_mask(["U-loc", None])) == [{"U-loc"}, set(BILUO.tags)]

    def test_outside_of_the_annotated_types_there_may_be_others(self):
        gold = ["O", "U-per", "O"]
        others = {"O", "B-loc", "I-loc"}
        assert allowed(BIO, BIO.gold_mask(gold, frozenset(["per"]))) == [others, {"B-per"}, others]
        assert allowed(BIO, BIO.gold_mask(["O"], frozenset(["per", "loc"]))) == [{"O"}]
        assert allowed(BIO, BIO.gold_mask(["O"], frozenset())) == [set(BIO.tags)]

    def test_an_entity_outside_of_the_annotated_types_ends_all_the_same(self):
        assert allowed(BIO, BIO.gold_mask(["U-loc", "O"], frozenset(["per"]))) == [{"B-loc"}, {"O", "B-loc"}]

    def test_one_of_several_types(self):
        gold = ["B-loc|per", "L-loc|per", None, "U-per|loc", None]
        rest = {"O", "B-loc", "B-per"}
        expected = [{"B-loc", "B-per"}, {"I-loc", "I-per"}, rest, {"B-loc", "B-per"}, rest]
        assert allowed(BIO, BIO.gold_mask(gold)) == expected

    def test_rows_of_one_text_do_not_change_those_of_another(self):
        BIO.gold_mask(["U-loc", None])
        assert BIO.gold_mask([None]).all()

    @pytest.mark.parametrize("scheme", [BIO, BILUO])
    def test_empty_text(self, scheme):
        assert scheme.gold_mask([]).shape == (0, 5)

    @pytest.mark.parametrize("gold", ["U-tim", "U-loc|tim"])
    def test_unknown_type(self, gold):
        with pytest.raises(KeyError, match="tim"):
            BIO.gold_mask([gold])
