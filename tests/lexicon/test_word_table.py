import copy
import pickle

import numpy as np
import pytest
import spacy
from numpy.testing import assert_array_equal
from spacy.strings import get_string_id

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.layers.word_features import ROW_KEYS, TableVectors
from spacy_bilstm_tagger.lexicon.table import NO_ROW, WordTable, WordTypes, get_table

WORDS = ["so", "good", "#ff", "lisbon", "😭"]
ROWS = np.arange(10, dtype="float16").reshape(5, 2)


def make_table(rows=ROWS, info=None):
    return WordTable.build(np.array([get_string_id(word) for word in WORDS], dtype="uint64"), info, rows=rows)


@pytest.fixture
def nlp(tweet_nlp):
    make_table(info={"made of": ["words"]}).to_lookups(tweet_nlp.vocab.lookups, "vectors_toy")
    return tweet_nlp


def rows_of(docs):
    table, types = get_table(docs[0].vocab, "vectors_toy"), WordTypes.of(docs)
    rows = table.find_types(types, ROW_KEYS)[0][types.index].tolist()
    return [None if row == NO_ROW else table.arrays["rows"][row].tolist() for row in rows]


def test_an_empty_key_is_no_word(tweet_nlp):
    hashes = np.array([get_string_id(word) for word in ["", "so"]], dtype="uint64")
    WordTable.build(hashes, rows=np.array([[7, 7], [1, 2]], dtype="f")).to_lookups(tweet_nlp.vocab.lookups, "vectors_toy")
    assert rows_of([tweet_nlp("so zzz")]) == [[1, 2], None]


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


def test_the_key_is_told(nlp):
    types = WordTypes.of([nlp("so SO #Lisbon zzz"), nlp(""), nlp("SOOOO #FF")])
    rows, found_by = get_table(nlp.vocab, "vectors_toy").find_types(types, ROW_KEYS)
    assert list(ROW_KEYS) == ["LOWER", "LOWER without #", "NORM"]
    assert found_by[types.index].tolist() == [0, 0, 1, 3, 2, 0]
    assert (rows[types.index] == NO_ROW).tolist() == [False, False, False, True, False, False]


def test_rows_of_several_docs_follow_each_other(nlp):
    assert rows_of([nlp("so zzz"), nlp(""), nlp("good so")]) == [[0, 1], None, [2, 3], [0, 1]]


def test_a_table_without_words():
    nothing = WordTable.build(np.zeros(0, dtype="uint64"), rows=np.zeros((0, 2)))
    assert nothing.find(np.array([1, 2], dtype="uint64")).tolist() == [NO_ROW, NO_ROW]


@pytest.mark.parametrize("by", ["disk", "bytes", "pickle", "copy"])
def test_the_table_is_saved_with_the_vocabulary(nlp, tmp_path, by):
    before = get_table(nlp.vocab, "vectors_toy")
    if by == "disk":
        nlp.to_disk(tmp_path / "nlp")
        vocab = spacy.load(tmp_path / "nlp").vocab
    elif by == "bytes":
        vocab = spacy.blank("en").from_bytes(nlp.to_bytes()).vocab
    else:
        vocab = pickle.loads(pickle.dumps(nlp.vocab)) if by == "pickle" else copy.deepcopy(nlp.vocab)
    after = get_table(vocab, "vectors_toy")
    assert_array_equal(before.hashes, after.hashes)
    assert_array_equal(before.arrays["rows"], after.arrays["rows"])
    assert after.arrays["rows"].dtype == np.float16
    assert after.info == {"made of": ["words"]}
    assert after.checksum == before.checksum


def test_a_table_is_read_once_and_its_arrays_are_not_copied(nlp, tmp_path):
    nlp.to_disk(tmp_path / "nlp")
    vocab = spacy.load(tmp_path / "nlp").vocab
    table = get_table(vocab, "vectors_toy")
    assert get_table(vocab, "vectors_toy") is table
    assert not table.arrays["rows"].flags.owndata
    make_table().to_lookups(vocab.lookups, "vectors_toy")
    assert get_table(vocab, "vectors_toy") is not table


def test_a_table_that_was_read_is_not_pickled_twice(nlp):
    size = len(pickle.dumps(nlp.vocab.lookups))
    assert get_table(nlp.vocab, "vectors_toy").checksum
    assert len(pickle.dumps(nlp.vocab.lookups)) == size


@pytest.mark.parametrize(
    "other",
    [
        make_table(ROWS + 1),
        make_table(ROWS.astype("float32")),
        make_table(ROWS.reshape(5, 2, 1)),
        make_table(info={"lists": []}),
        WordTable.build(np.arange(5, dtype="uint64"), rows=ROWS),
    ],
)
def test_checksum_is_that_of_the_content(other):
    assert make_table().checksum == make_table().checksum != other.checksum


def test_a_table_that_is_not_there_names_those_that_are(nlp):
    with pytest.raises(ConfigError, match=r"tables = \['distilled'\].*it has: toy"):
        get_table(nlp.vocab, "vectors_distilled")


def test_a_table_that_cannot_be_read_is_one_line(nlp):
    nlp.vocab.lookups.add_table("vectors_bad", {"hashes": 1})
    with pytest.raises(ConfigError, match="vector table 'bad' cannot be read: the pipeline is damaged"):
        get_table(nlp.vocab, "vectors_bad")


def test_rows_that_are_kept_as_codes(tweet_nlp, tmp_path):
    """Of three columns, two of which are a part."""
    book = np.zeros((256, 3), dtype="float16")
    book[:5] = [[1, 2, 10], [3, 4, 20], [5, 6, 30], [7, 8, 40], [9, 10, 50]]
    info = {"book": book, "parts": np.array([0, 0, 1]), "made of": ["words"]}
    hashes = np.array([get_string_id(word) for word in WORDS], dtype="uint64")
    codes = np.array([[0, 4], [1, 3], [2, 2], [3, 1], [4, 0]], dtype="uint8")
    WordTable.build(hashes, info, codes=codes).to_lookups(tweet_nlp.vocab.lookups, "vectors_toy")
    tweet_nlp.to_disk(tmp_path / "nlp")
    for vocab in (tweet_nlp.vocab, spacy.load(tmp_path / "nlp").vocab):
        table = get_table(vocab, "vectors_toy")
        rows = table.rows(table.find(hashes))
        assert rows.tolist() == [[1, 2, 50], [3, 4, 40], [5, 6, 30], [7, 8, 20], [9, 10, 10]]
        assert (rows.dtype, table.width) == (np.float32, 3)
    embed = TableVectors("toy").initialize(X=WordTypes.of([tweet_nlp("good zzz")]))
    assert embed.predict(WordTypes.of([tweet_nlp("good zzz")])).tolist() == [[3, 4, 40], [0, 0, 0]]
