import pickle

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.gazetteer_table import LONGEST, TABLE, find_names, fold, hash_texts, set_gazetteers

LISTS = {
    "place": ["New York", "York", "New York City", "Århus", "AT&T Center"],
    "paper": ["New York Times", "Times Square Post", "L'Express"],
}


@pytest.fixture
def nlp(tweet_nlp):
    set_gazetteers(tweet_nlp.vocab, LISTS)
    return tweet_nlp


def marks(nlp, text, column=0):
    """B where a name begins, I where one goes on, X for both."""
    begins, inside = find_names([nlp(text)])
    return "".join("-BIX"[b + 2 * i] for b, i in zip(begins[:, column], inside[:, column]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("in New York now", "-BI-"),
        ("NEW YORK CITY !", "BII-"),  # and neither York nor New York, which lie within it
        ("york New", "B-"),
        ("#newyork #york", "BB"),
        ("@NewYork", "B"),
        ("#New #York", "BI"),
        ("ÅRHUS", "B"),
        ("newyorkers", "-"),
        ("new yorkers", "--"),
        ("the AT&amp;T center", "-BI"),
        ("AT & T Center", "BIII"),
        ("ne w york", "--B"),  # three pieces, where the name has two
        ("år hus", "--"),
    ],
)
def test_names_of_one_list(nlp, text, expected):
    assert marks(nlp, text) == expected


def test_a_name_may_begin_inside_of_another(nlp):
    assert marks(nlp, "New York Times Square Post", column=1) == "BIXII"


def test_typographic_apostrophes(nlp):
    assert marks(nlp, "L’Express", column=1).startswith("B")


def test_lists_do_not_hide_each_other_s_names(nlp):
    begins, inside = find_names([nlp("New York Times")])
    assert begins.tolist() == [[True, True], [False, False], [False, False]]
    assert inside.tolist() == [[False, False], [True, True], [False, True]]


@pytest.mark.parametrize("scheme", ["ptb", "ud"])
def test_tokenizers_may_cut_a_name_differently(scheme):
    tokenizer = {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1", "scheme": scheme, "hashtags": "words"}
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": tokenizer}})
    set_gazetteers(nlp.vocab, {"names": ["Jean-Luc Picard's Log", "Top Ten"]})
    for text in ("Jean-Luc Picard's Log", "#TopTen"):
        doc = nlp(text)
        expected = "B" + "I" * (len(doc) - 1) if text[0] != "#" else "BI" if len(doc) == 2 else "-BI"
        assert marks(nlp, text) in (expected, "B" * (len(doc) == 1)), [token.text for token in doc]


def test_names_do_not_reach_over_texts_or_white_space(nlp):
    begins, _ = find_names([nlp("new"), nlp(""), nlp("york")])
    assert begins[:, 0].tolist() == [False, True]
    assert marks(nlp, "new \n york") == "--B"


def test_names_have_a_longest_length(tweet_nlp):
    words = [f"w{'abcdefgh'[n]}" for n in range(LONGEST + 1)]
    set_gazetteers(tweet_nlp.vocab, {"long": [" ".join(words[:LONGEST]), " ".join(words)]})
    assert marks(tweet_nlp, " ".join(words)) == "B" + "I" * (LONGEST - 1) + "-"


def test_some_of_the_lists_in_an_order(nlp):
    begins, _ = find_names([nlp("York Times")], ["paper", "place"])
    assert begins.tolist() == [[False, True], [False, False]]
    assert find_names([nlp("York")], ["paper"])[0].tolist() == [[False]]
    with pytest.raises(ConfigError, match="no gazetteer city, x; expected some of: place, paper"):
        find_names([nlp("York")], ["city", "paper", "x"])


def test_more_lists_than_a_byte_has_bits(tweet_nlp):
    set_gazetteers(tweet_nlp.vocab, {f"list{n}": ["both", f"name{n}"] for n in range(11)})
    begins, _ = find_names([tweet_nlp("both name9 none")])
    assert begins.sum(axis=1).tolist() == [11, 1, 0]
    assert begins[1, 9]


def test_nothing_to_read(nlp):
    assert find_names([nlp("")], ["place"])[0].shape == (0, 1)
    assert find_names([])[0].shape[0] == 0


def test_no_gazetteers_are_refused(tweet_nlp):
    with pytest.raises(ConfigError, match=r"has gazetteers, but the pipeline has none\. Set gazetteers in"):
        find_names([tweet_nlp("so")])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("So", "so"),
        ("#So", "so"),
        ("@So", "so"),
        ("＃So", "so"),
        ("#", "#"),
        ("##so", "#so"),
        (" A\u2003b ", "ab"),
        ("&amp;", "&"),
    ],
)
def test_fold(text, expected):
    assert fold(text) == expected


def test_hash_of_texts_that_are_put_together():
    texts = ["ab", "", "c😂", "abc😂", "bac😂"]
    hashes, powers = hash_texts(texts)
    joined = hashes[:1] * powers[2] + hashes[2]  # arrays wrap around without a warning
    assert joined == hashes[3] != hashes[4]
    assert (hashes[1], powers[1]) == (0, 1)
    value = 0
    for character in texts[3]:
        value = (value * 0x9E3779B97F4A7C15 + ord(character)) % 2**64
    assert int(hashes[3]) == value


class TestSaving:
    def test_to_disk(self, nlp, tmp_path):
        nlp.to_disk(tmp_path)
        assert marks(spacy.load(tmp_path), "in New York City") == "-BII"

    def test_pickled(self, nlp):
        vocab = pickle.loads(pickle.dumps(nlp.vocab))
        assert find_names([Doc(vocab, words=["York"])])[0].tolist() == [[True, False]]

    def test_size(self, nlp):
        """10 bytes for each name, and no string of it in the vocabulary."""
        before = len(nlp.vocab.strings)
        set_gazetteers(nlp.vocab, {"names": [f"name{n}" for n in range(10_000)]})
        table = nlp.vocab.lookups.get_table(TABLE)
        assert sum(len(table[part]) for part in ("names", "pieces", "bits")) == 100_000
        assert len(nlp.vocab.strings) == before

    def test_arrays_are_not_copied(self, nlp):
        from spacy_bilstm_tagger.gazetteer_table import get_gazetteers

        assert not get_gazetteers(nlp.vocab).names.flags.owndata
        assert np.all(np.diff(get_gazetteers(nlp.vocab).names.astype("float64")) > 0)
