import gzip
import pickle

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bilstm_tagger.errors import ConfigError, DataError
from spacy_bilstm_tagger.layers.word_features import PATH_KEYS
from spacy_bilstm_tagger.lexicon.brown import (
    MAX_BITS,
    STAND_INS,
    brown_table,
    load_brown,
    read_brown,
)
from spacy_bilstm_tagger.lexicon.files import BROWN_FOLDER, save_folder
from spacy_bilstm_tagger.lexicon.table import BROWN, NO_ROW, WordTypes, get_table
from spacy_bilstm_tagger.lexicon.vectors import save_vectors


def set_brown(vocab, table):
    table.to_lookups(vocab.lookups, BROWN)


def save(paths, output):
    vocab = Vocab()
    set_brown(vocab, brown_table(paths))
    save_folder(vocab, output, kind=BROWN_FOLDER)


def token_paths(docs):
    """Whole numbers; 0 for none."""
    table, types = get_table(docs[0].vocab, BROWN), WordTypes.of(docs)
    rows = table.find_types(types, PATH_KEYS)[0][types.index]
    return np.where(rows == NO_ROW, 0, table.arrays["paths"][rows])


ROWS = b"0010\t<@MENTION>\t3220165\n00\tso\t316307\n0\tna\xc3\xafve\t12\n"
PATHS = {"<@MENTION>": "0010", "so": "00", "naïve": "0"}


@pytest.fixture
def write(tmp_path):
    def write_to(data):
        path = tmp_path / "paths"
        path.write_bytes(data)
        return path

    return write_to


@pytest.mark.parametrize(
    "data",
    [ROWS, ROWS[:-1], ROWS.replace(b"\n", b"\r\n"), gzip.compress(ROWS, mtime=0), b"\xef\xbb\xbf" + ROWS, ROWS + ROWS],
    ids=["plain", "no-last-line-end", "windows", "gzip", "byte-order-mark", "twice"],
)
def test_file(write, data):
    assert read_brown(write(data)) == PATHS


def test_words_may_hold_what_python_takes_for_a_line_end_or_a_space(write):
    assert read_brown(write("0\ta\u2028b\t1\n1\t\x85\t1\n".encode())) == {"a\u2028b": "0", "\x85": "1"}


BAD = {
    "empty": (b"", "found no Brown clusters, expected lines of bit path TAB word TAB count"),
    "no zeros": (
        b"1\tso\t3\n10\tok\t2\n",
        "no path begins with 0, so leading zeros were probably lost, as in a spreadsheet",
    ),
    "two columns": (ROWS + b"01\tword\n", r"line 4: found '01\\tword', expected a bit path, a word and a count"),
    "four columns": (
        b"01\tword\t1\t1\n",
        r"line 1: found '01\\tword\\t1\\t1', expected a bit path, a word and a count",
    ),
    "blank line": (ROWS + b"\n" + ROWS, "line 4: found an empty line, expected a bit path, a word and a count"),
    "words for a count": (ROWS + b"01\tword\tmany\n", "line 4: found the count 'many', expected a whole number"),
    "negative count": (b"01\tword\t-1\n", "line 1: found the count '-1', expected a whole number"),
    "no word": (b"01\t\t1\n", r"line 1: found '01\\t\\t1', expected a bit path, a word and a count"),
    "other digits": (
        ROWS + b"012\tword\t1\n",
        f"line 4: found the path '012', expected up to {MAX_BITS} of the digits",
    ),
    "other order": (b"word\t01\t1\n", "line 1: found the path 'word', expected up to"),
    "no path": (b"\tword\t1\n", "line 1: found the path '', expected up to"),
    "long path": (b"0" * (MAX_BITS + 1) + b"\tword\t1\n", "line 1: found the path '0000"),
    "twice": (ROWS + b"01\tso\t2\n", "line 4: 'so' has the path 01 here and 00 above; expected one path a word"),
    "not UTF-8": (ROWS + b"01\tna\xefve\t2\n", r"line 4: not utf-8; byte 0xef cannot be there"),
    "cut gzip": (gzip.compress(ROWS * 99, mtime=0)[:-9], r"cannot be read as a file of text \(EOFError"),
}


@pytest.mark.parametrize("name", BAD)
def test_file_that_is_wrong(write, name):
    data, message = BAD[name]
    with pytest.raises(DataError, match=f"paths(: |, ){message}") as error:
        read_brown(write(data))
    assert "\n" not in str(error.value)


def test_folder_in_the_place_of_a_file(tmp_path):
    save(PATHS, tmp_path / "out")
    for folder in (tmp_path, tmp_path / "out"):
        with pytest.raises(DataError, match=rf"{folder}: is a folder, expected a file of Brown clusters"):
            read_brown(folder)


def test_no_such_file(tmp_path):
    with pytest.raises(DataError, match=r"no such file. Expected Brown clusters .*; recipes also take a folder made of them by"):
        read_brown(tmp_path / "none")


def test_folder(tmp_path):
    save(PATHS, tmp_path / "out")
    nlp = spacy.blank("en")
    set_brown(nlp.vocab, load_brown(tmp_path / "out"))
    assert token_paths([nlp("so naïve zzz")]).tolist() == [0b100, 0b10, 0]


def test_folder_of_any_pipeline(tmp_path):
    nlp = spacy.blank("de")
    set_brown(nlp.vocab, brown_table({"ja": "1"}))
    nlp.to_disk(tmp_path)
    other = spacy.blank("en")
    set_brown(other.vocab, load_brown(tmp_path))
    assert token_paths([other("ja")]).tolist() == [0b11]


def test_folder_without_clusters(tmp_path):
    spacy.blank("en").to_disk(tmp_path)
    with pytest.raises(DataError, match="the pipeline in this folder has no Brown clusters"):
        load_brown(tmp_path)


def test_folder_that_is_damaged(tmp_path):
    save(PATHS, tmp_path / "out")
    (tmp_path / "out" / "vocab" / "lookups.bin").write_bytes(b"\x81")
    with pytest.raises(DataError, match=r"out: cannot be read as the lookups of a spaCy pipeline \("):
        load_brown(tmp_path / "out")


def test_folder_of_vectors_is_not_written_over(toy, tmp_path):
    save_vectors(toy.index_to_key, toy.vectors, tmp_path / "vectors", name="toy")
    with pytest.raises(DataError, match="vectors: exists and is not a folder made by this command"):
        save(PATHS, tmp_path / "vectors")
    save(PATHS, tmp_path / "brown")
    save(PATHS, tmp_path / "brown")
    with pytest.raises(DataError, match="brown: exists and is not a folder made by this command"):
        save_vectors(toy.index_to_key, toy.vectors, tmp_path / "brown", name="toy")


@pytest.mark.real_data
class TestPublishedClusters:
    @pytest.fixture(scope="class")
    def paths(self, pytestconfig):
        path = pytestconfig.rootpath / "assets" / "brown" / "6mpaths.tsv"
        if not path.is_file():
            pytest.skip("assets/brown/6mpaths.tsv is not there")
        return read_brown(path)

    def test_size(self, paths):
        assert (len(paths), len(set(paths.values()))) == (111_844, 800)
        assert {len(path) for path in paths.values()} == set(range(4, 18))

    def test_stand_ins_are_words_of_it(self, paths):
        assert set(STAND_INS.values()) <= set(paths)
        assert not set(STAND_INS) & set(paths)


WORDS = {"good": "0", "so": "00", "&": "11", "<@MENTION>": "0010", "not": "0111", "6": "1" * MAX_BITS}


@pytest.fixture
def nlp(tweet_nlp):
    set_brown(tweet_nlp.vocab, brown_table(WORDS))
    return tweet_nlp


def paths_of(doc):
    """As they stand in a file; None for no path."""
    return [f"{number:b}"[1:] if number else None for number in token_paths([doc]).tolist()]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("good", "0"),
        ("GOOD", "0"),
        ("SOOOO", "00"),  # through its NORM
        ("&amp;", "11"),
        ("@mara_lune", "0010"),  # through a stand-in for its NORM
        ("3.1415", "1" * MAX_BITS),
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
    set_brown(nlp.vocab, brown_table({"soooo": "1", "so": "00", "<user>": "01", "<@MENTION>": "0010"}))
    assert paths_of(nlp("soooo sooo @x")) == ["1", "00", "01"]


def test_stand_ins_are_keys_of_the_tokenizer(tweet_nlp):
    texts = ["@x", "bit.ly/x1", "#x", "7:77", "N'T", "'m", "’S", "'re", "'ve", "'ll", "'d"]
    assert [tweet_nlp.vocab[text].norm_ for text in texts] == list(STAND_INS)


def test_several_texts_and_empty_ones(nlp):
    docs = [nlp(""), nlp("so good"), nlp(""), nlp("zzz so")]
    assert token_paths(docs).tolist() == [0b100, 0b10, 0, 0b100]
    assert token_paths([nlp("")]).tolist() == []


def test_other_tokenizers(nlp):
    other = spacy.blank("en")
    set_brown(other.vocab, brown_table(WORDS))
    assert paths_of(other("So good don't")) == ["00", "0", None, "0111"]  # English's NORM of n't is not


def test_no_clusters_is_refused(tweet_nlp):
    with pytest.raises(ConfigError, match="has brown_prefixes, but the pipeline has no Brown clusters"):
        token_paths([tweet_nlp("so")])


def test_clusters_are_replaced_by_others(nlp):
    set_brown(nlp.vocab, brown_table({"zzz": "1"}))
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
        set_brown(nlp.vocab, brown_table({f"word{n}": f"{n:017b}" for n in range(10_000)}))
        table = get_table(nlp.vocab, BROWN)
        assert table.hashes.nbytes + sum(array.nbytes for array in table.arrays.values()) == 160_000
        assert len(nlp.vocab.strings) == before
