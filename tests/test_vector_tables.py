import numpy as np
import pytest
import spacy
from numpy.testing import assert_array_equal
from spacy.strings import get_string_id

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.vector_tables import (
    MISSING,
    find_rows_and_ways,
    find_token_rows,
    get_vector_table,
    set_vector_table,
)

WORDS = ["so", "good", "#ff", "lisbon", "😭"]
ROWS = np.arange(10, dtype="float16").reshape(5, 2)


@pytest.fixture
def nlp(tweet_nlp):
    hashes = np.array([get_string_id(word) for word in WORDS], dtype="uint64")
    set_vector_table(tweet_nlp.vocab, "toy", hashes, ROWS)
    return tweet_nlp


def rows_of(docs):
    table = get_vector_table(docs[0].vocab, "toy")
    return [None if row == MISSING else table.data[row].tolist() for row in find_token_rows(docs, table).tolist()]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("good", [2, 3]),
        ("GOOD", [2, 3]),
        ("#Lisbon", [6, 7]),  # without its sign
        ("#FF", [4, 5]),  # with it, where the table has it
        ("SOOOO", [0, 1]),  # through its NORM
        ("😭", [8, 9]),
        ("@so", None),
        ("#", None),
        ("zzz", None),
    ],
)
def test_row_of_a_token(nlp, text, row):
    doc = nlp(text)
    assert len(doc) == 1
    assert rows_of([doc]) == [row]


def test_the_ways_are_counted(nlp):
    docs = [nlp("so SO #Lisbon zzz"), nlp(""), nlp("SOOOO #FF")]
    rows, ways = find_rows_and_ways(docs, get_vector_table(nlp.vocab, "toy"))
    assert list(ways.items()) == [("LOWER", 3), ("LOWER without #", 1), ("NORM", 1)]
    assert (rows == MISSING).tolist() == [False, False, False, True, False, False]


def test_rows_of_several_docs_follow_each_other(nlp):
    assert rows_of([nlp("so zzz"), nlp(""), nlp("good so")]) == [[0, 1], None, [2, 3], [0, 1]]


@pytest.mark.parametrize("by", ["disk", "bytes"])
def test_the_table_is_saved_with_the_vocabulary(nlp, tmp_path, by):
    if by == "disk":
        nlp.to_disk(tmp_path / "nlp")
        loaded = spacy.load(tmp_path / "nlp")
    else:
        loaded = spacy.blank("en").from_bytes(nlp.to_bytes())
    before, after = get_vector_table(nlp.vocab, "toy"), get_vector_table(loaded.vocab, "toy")
    assert_array_equal(before.hashes, after.hashes)
    assert_array_equal(before.data, after.data)
    assert after.data.dtype == np.float16


def test_a_table_that_is_not_there_names_those_that_are(nlp):
    with pytest.raises(ConfigError, match=r"tables = \['distilled'\].*it has: toy"):
        get_vector_table(nlp.vocab, "distilled")
