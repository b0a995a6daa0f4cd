import pytest

from spacy_bilstm_tagger.pipeline.gold import allowed_tags, known_tags, single_tags

INDEX = {"A": 0, "B": 1, "C": 2}


def test_a_tag_allows_itself_a_missing_one_all_and_alternatives_theirs():
    assert allowed_tags(["A", "", None, "A|C"], INDEX).tolist() == [
        [True, False, False],
        [True, True, True],
        [True, True, True],
        [True, False, True],
    ]
    assert allowed_tags([], INDEX).shape == (0, 3)


def test_a_dash_is_a_missing_label_unless_it_is_a_label():
    assert allowed_tags(["-", "A"], INDEX).tolist() == [[True, True, True], [True, False, False]]
    assert allowed_tags(["-"], {"-": 0, "A": 1}).tolist() == [[True, False]]


@pytest.mark.parametrize("label", ["D", "A|D", "A|", "|"])
def test_unknown_labels(label):
    with pytest.raises(KeyError, match=label.replace("|", r"\|")):
        allowed_tags(["A", label], INDEX)


def test_a_label_that_has_the_sign_of_alternatives_in_its_name():
    assert allowed_tags(["N|soort"], {"N|soort": 0, "V": 1}).tolist() == [[True, False]]
    assert known_tags("N|soort", {"N|soort", "N", "soort"}) == ["N|soort"]


def test_single_tags_stand_for_themselves():
    assert single_tags({"A", "B", "A|B", "A|D", "-", "", None}) == {"A", "B", "A|D"}
