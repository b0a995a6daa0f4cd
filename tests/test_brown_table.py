import pickle

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc

from spacy_bilstm_tagger.brown_table import (
    LONGEST,
    STAND_INS,
    TABLE,
    cut_paths,
    find_paths,
    find_paths_and_ways,
    set_brown,
)
from spacy_bilstm_tagger.errors import ConfigError

PATHS = {"good": "0", "so": "00", "&": "11", "<@MENTION>": "0010", "not": "0111", "6": "1" * LONGEST}


@pytest.fixture
def nlp(tweet_nlp):
    set_brown(tweet_nlp.vocab, PATHS)
    return tweet_nlp


def paths_of(doc):
    """As they stand in a file; None for no path."""
    return [f"{number:b}"[1:] if number else None for number in find_paths([doc]).tolist()]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("good", "0"),
        ("GOOD", "0"),
        ("SOOOO", "00"),  # through its NORM
        ("&amp;", "11"),
        ("@mara_lune", "0010"),  # through a stand-in for its NORM
        ("3.1415", "1" * LONGEST),
        ("#good", None),  # <hashtag> has a stand-in, but these clusters do not know it
        ("zzz", None),
    ],
)
def test_path_of_a_token(nlp, text, path):
    doc = nlp(text)
    assert len(doc) == 1
    assert paths_of(doc) == [path]


def test_clitics_have_stand_ins(nlp):
    assert paths_of(Doc(nlp.vocab, words=["do", "N'T"])) == [None, "0111"]


def test_a_word_goes_before_its_norm_and_a_norm_before_its_stand_in(nlp):
    set_brown(nlp.vocab, {"soooo": "1", "so": "00", "<user>": "01", "<@MENTION>": "0010"})
    assert paths_of(nlp("soooo sooo @x")) == ["1", "00", "01"]


def test_the_ways_are_counted(nlp):
    paths, ways = find_paths_and_ways([nlp("SO soooo zzz"), nlp("@mara_lune @x so")])
    assert list(ways.items()) == [("LOWER", 2), ("NORM", 1), ("a stand-in for their NORM", 2)]
    assert (paths > 0).tolist() == [True, True, False, True, True, True]


def test_stand_ins_are_keys_of_the_tokenizer(tweet_nlp):
    texts = ["@x", "bit.ly/x1", "#x", "7:77", "N'T", "'m", "’S", "'re", "'ve", "'ll", "'d"]
    assert [tweet_nlp.vocab[text].norm_ for text in texts] == list(STAND_INS)


def test_several_texts_and_empty_ones(nlp):
    docs = [nlp(""), nlp("so good"), nlp(""), nlp("zzz so")]
    assert find_paths(docs).tolist() == [0b100, 0b10, 0, 0b100]
    assert find_paths([nlp("")]).tolist() == []


def test_other_tokenizers(nlp):
    other = spacy.blank("en")
    set_brown(other.vocab, PATHS)
    assert paths_of(other("So good don't")) == ["00", "0", None, "0111"]  # English's NORM of n't is not


@pytest.mark.parametrize("length", [1, 2, 4, 51, 52, 60])
@pytest.mark.parametrize("path", ["0", "1", "01", "0011", "10" * 26, "0" * LONGEST, "1" * LONGEST])
def test_prefix_of_a_path(path, length):
    number = np.array([int("1" + path, 2)], dtype="uint64")
    assert cut_paths(number, length).tolist() == [int("1" + path[:length], 2)]


def test_prefix_of_no_path():
    assert cut_paths(np.zeros(2, dtype="uint64"), 4).tolist() == [0, 0]


def test_no_clusters_is_refused(tweet_nlp):
    with pytest.raises(ConfigError, match="has brown_prefixes, but the pipeline has no Brown clusters"):
        find_paths([tweet_nlp("so")])


def test_clusters_are_replaced_by_others(nlp):
    set_brown(nlp.vocab, {"zzz": "1"})
    assert paths_of(nlp("good zzz")) == [None, "1"]


class TestSaving:
    def test_to_disk(self, nlp, tmp_path):
        nlp.to_disk(tmp_path)
        assert paths_of(spacy.load(tmp_path)("good @x zzz")) == ["0", "0010", None]

    def test_to_bytes(self, nlp):
        config = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
        other = spacy.blank("en", config=config).from_bytes(nlp.to_bytes())
        assert paths_of(other("good @x zzz")) == ["0", "0010", None]

    def test_pickled(self, nlp):
        vocab = pickle.loads(pickle.dumps(nlp.vocab))
        assert paths_of(Doc(vocab, words=["good", "zzz"])) == ["0", None]

    def test_size(self, nlp):
        """16 bytes for each word, and no string of it in the vocabulary."""
        before = len(nlp.vocab.strings)
        set_brown(nlp.vocab, {f"word{n}": f"{n:017b}" for n in range(10_000)})
        assert sum(map(len, nlp.vocab.lookups.get_table(TABLE).values())) == 160_000
        assert len(nlp.vocab.strings) == before
