import gzip
import pickle
import time

import pytest
import spacy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_bilstm_tagger.errors import ConfigError, DataError
from spacy_bilstm_tagger.lexicon.files import BROWN_FOLDER, GAZETTEERS_FOLDER, save_folder
from spacy_bilstm_tagger.lexicon.gazetteers import (
    MAX_TOKENS,
    find_names,
    fold,
    gazetteer_table,
    hash_texts,
    load_gazetteers,
    read_gazetteers,
    why_useless,
)
from spacy_bilstm_tagger.lexicon.table import GAZETTEERS, WordTypes, get_table


def set_gazetteers(vocab, table):
    table.to_lookups(vocab.lookups, GAZETTEERS)


def save(lists, output):
    vocab = Vocab()
    set_gazetteers(vocab, gazetteer_table(lists))
    save_folder(vocab, output, kind=GAZETTEERS_FOLDER)


def token_names(docs, lists=None):
    return find_names(get_table(docs[0].vocab, GAZETTEERS), WordTypes.of(docs), lists)


DATA = "New York\nÅrhus\n".encode()


@pytest.fixture
def write(tmp_path):
    def write_to(data, name="places"):
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write_to


@pytest.mark.parametrize(
    "data",
    [
        DATA,
        DATA[:-1],
        DATA.replace(b"\n", b"\r\n"),
        gzip.compress(DATA, mtime=0),
        b"\xef\xbb\xbf" + DATA,
        DATA + b"\n\nit\n",
    ],
    ids=["plain", "no-last-line-end", "windows", "gzip", "byte-order-mark", "useless"],
)
def test_file(write, data):
    assert read_gazetteers(write(data))[0] == {"places": ["New York", "Århus"]}


def test_folder_of_lists(write, tmp_path):
    write(b"York\n", "a.place.txt")
    write(gzip.compress(b"Ann\n"), "person.txt.gz")
    write(b"Bob\n", "film.film")
    write(b"\xff", ".hidden")
    (tmp_path / "more").mkdir()
    assert read_gazetteers(tmp_path)[0] == {"a.place": ["York"], "film.film": ["Bob"], "person": ["Ann"]}


@pytest.mark.parametrize(
    "data",
    [b"Blink 182\nSum 41\n", b"New York\n\nLos Angeles\n", b"Radio KEXP\nRadio WFMU\n", b"Apollo 11.5\nPi\nRoom O\n"],
)
def test_names_that_look_like_columns(write, data):
    assert read_gazetteers(write(data))[0]["places"] == [line for line in data.decode().split("\n") if line]


@pytest.mark.parametrize("name", ["York", "The Who's", "U2", "a b c d e f", "The Hague", "IBM", "Ó Riada", "#me2"])
def test_useful_name(name):
    assert why_useless(name) is None


USELESS = {
    "empty": ["", " "],
    "one character": ["x", "@x", "!"],
    "no letter": ["24", "300.", "!!", "_9"],
    "function words": ["It", "THE WHO", "any one"],
    "too many words": ["a b c d e f g"],
}


@pytest.mark.parametrize(("why", "name"), [(why, name) for why, names in USELESS.items() for name in names])
def test_useless_name(why, name):
    assert why_useless(name) == why


@pytest.mark.parametrize(
    "names",
    [
        ["#1 Single", "# 1 Record", "Oslo"],
        ["Smith, John", "Doe, Jane"],
        ["10,000 Maniacs", "20,000 Leagues", "2,4-D"],
        ["AT&amp;T", "R&amp;B"],
        ["Peter,Paul & Mary"],
        ["Scrubs (TV series)", "Lost (TV series)"],
        ['"Weird Al" Yankovic', '"Heroes"'],
        ["Title", "Type, the", "Label"],
        ["[[Oslo]]", "York"],
        ["Crosby, Stills", "Oslo"],
        ["[video] PBS", "Oslo"],
        ["<bold>Oslo</bold>", "York"],
        ["{curly}", "Oslo"],
        ["Alien: Covenant", "Alien: Resurrection"],
        ["7 Up", "8 Mile", "9 Lives"],
    ],
)
def test_names_with_signs_are_names(write, names):
    assert read_gazetteers(write("\n".join(names).encode()))[0]["places"] == names


BAD = {
    "empty": (b"", "found no names, expected one a line"),
    "blank": (b"\n \n\r\n", "found no names, expected one a line"),
    "columns": (DATA + b"Oslo\tNorway\n", r"line 3: found 'Oslo\\tNorway', expected one name and no TABs"),
    "binary": (DATA + b"\0\1\n", r"line 3: found '\\x00\\x01', expected one name"),
    "not UTF-8": (DATA + b"na\xefve\n", r"line 3: not utf-8; byte 0xef cannot be there"),
    "UTF-16": ("New York\n".encode("utf-16"), r"line 1: not utf-8; byte 0xff cannot be there"),
    "useless": (b"the\n7\na b c d e f g\n", "found no name to look for, expected at least one of up to 6 words"),
    "CSV": (b"Paris,city\nOslo,city\n", r"line 1: found columns separated by ',' \('Paris,city'\), expected one name"),
    "semicolons": (b"\nname;type\nOslo;city\n", r"line 2: found columns separated by ';' \('name;type'\)"),
    "quoted cells": (b'"Doe, Jane",x\nOslo,city\n', r"""line 1: found columns separated by ',' \('"Doe, Jane",x'\)"""),
    "a broken row": (
        b"Washington, D.C.,city\n" + b"Oslo,city\n" * 9,
        r"line 2: found columns separated by ',' \('Oslo,city'\)",
    ),
    "bars": (b"Oslo|2|city\nParis|1|city\n", r"line 1: found columns separated by '\|'"),
    "titles": (b"Name, Type\nOslo, city\n", r"line 1: found columns separated by ',' \('Name, Type'\)"),
    "JSON": (b'{"city": [\n"Paris"]}', r"""line 1: found JSON \('{"city": \['\), expected one name a line"""),
    "JSON lines": (b'{"name": "Paris"}\n{"name": "Oslo"}\n', "line 1: found JSON"),
    "JSON cut off": (b'[\n  {"name": "Oslo"},\n', r"line 1: found JSON \('\['\)"),
    "JSON without an end": (b"[" * 100_000, "line 1: found JSON"),
    "XML head": (b'<?xml version="1.0"?>\n<name v="Oslo"/>\n', "line 1: found XML"),
    "XML": (b"<names>\n<name>Oslo</name>\n</names>\n", r"line 1: found XML \('<names>'\)"),
    "comment": (b"\n# cities\nOslo\n", r"line 2: found a comment \('# cities'\)"),
    "merge": (b"Oslo\n<<<<<<< HEAD\nRome\n=======\n>>>>>>> x\n", r"line 2: found the mark of a conflict that a merge"),
    "error": (b"404: Not Found\n", "found '404: Not Found', the error message of a web server"),
    "pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
        "found 'version https.*, a pointer of Git LFS",
    ),
    "entity tags": (b"Rome B-loc\nis O\nParis B-loc\n", r"line 1: found tokens with entity tags \('Rome B-loc'\)"),
    "vectors": (b"Rome 0.1 -2.0e-3\nParis 1.5 0.25\n", r"line 1: found word vectors"),
    "bullets": (b"- Oslo\n- Rome\n", r"line 1: found names with bullets \('- Oslo'\)"),
    "quotes": (b'"Oslo"\n"New York"\n', r"""line 1: found names in quotes \('"Oslo"'\)"""),
    "values": (
        b"Oslo: city\nFaro: town\nRome: city\n",
        r"line 1: found names with a colon and a value \('Oslo: city'\)",
    ),
    "numbers": (b"1. Oslo\n2. Rome\n3. Faro\n", r"line 1: found numbered names \('1\. Oslo'\)"),
    "tags": (b"\nso RB\ngood JJ\n! .\n\nhis PRP$\nday NN\n", r"line 2: found tokens with tags \('so RB'\)"),
    "repr": (b"['Oslo', 'Rome']\n", r"line 1: found JSON"),
    "addresses": (b"https://a.example/Oslo\nhttps://a.example/Rome\n", r"line 1: found web addresses"),
    "identifiers": (b"Q585\nQ220\n", r"line 1: found numbers or identifiers \('Q585'\)"),
    "cut gzip": (gzip.compress(DATA * 99, mtime=0)[:-9], r"cannot be read as a file of text \(EOFError"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("in_folder", [False, True])
def test_file_that_is_wrong(write, tmp_path, name, in_folder):
    data, message = BAD[name]
    path = write(data)
    with pytest.raises(DataError, match=f"places(: |, ){message}") as error:
        read_gazetteers(tmp_path if in_folder else path)
    assert "\n" not in str(error.value)


def test_no_such_source(tmp_path):
    with pytest.raises(DataError, match=r"no such file or folder. Expected a list with one name a line, a folder"):
        read_gazetteers(tmp_path / "none")


def test_folder_without_lists(tmp_path):
    (tmp_path / ".hidden").write_text("York")
    with pytest.raises(DataError, match="found no files in this folder"):
        read_gazetteers(tmp_path)


def test_two_files_of_a_list(write, tmp_path):
    write(DATA, "places")
    write(DATA, "places.txt")
    with pytest.raises(DataError, match=r"places\.txt: a second file of the list 'places'"):
        read_gazetteers(tmp_path)


def test_folder_that_was_written(tmp_path):
    save({"place": ["New York"]}, tmp_path / "out")
    save({"place": ["New York"]}, tmp_path / "out")
    nlp = spacy.blank("en")
    set_gazetteers(nlp.vocab, load_gazetteers(tmp_path / "out"))
    assert token_names([nlp("in new york")])[0].tolist() == [[False], [True], [False]]


def test_folder_of_any_pipeline(tmp_path):
    nlp = spacy.blank("de")
    set_gazetteers(nlp.vocab, gazetteer_table({"ort": ["Ulm"]}))
    nlp.to_disk(tmp_path)
    other = spacy.blank("en")
    set_gazetteers(other.vocab, load_gazetteers(tmp_path))
    assert token_names([other("Ulm")], ["ort"])[0].tolist() == [[True]]


def test_folder_without_gazetteers(tmp_path):
    save_folder(Vocab(), tmp_path / "brown", kind=BROWN_FOLDER)
    with pytest.raises(DataError, match="the pipeline in this folder has no gazetteers"):
        load_gazetteers(tmp_path / "brown")
    with pytest.raises(DataError, match="brown: exists and is not a folder made by this command"):
        save({"place": ["New York"]}, tmp_path / "brown")


def test_folder_that_is_damaged(tmp_path):
    save({"place": ["New York"]}, tmp_path / "out")
    (tmp_path / "out" / "vocab" / "lookups.bin").write_bytes(b"\x81")
    with pytest.raises(DataError, match=r"out: cannot be read as the lookups of a spaCy pipeline \("):
        load_gazetteers(tmp_path / "out")


def test_many_names_are_read_fast(write, tmp_path):
    """100,000 names take half a second; the published lists, half a million, are to take a few."""
    path = write("".join(f"name{n} of{n % 1000} place\n" for n in range(100_000)).encode())
    start = time.process_time()
    save(read_gazetteers(path)[0], tmp_path / "out")
    assert time.process_time() - start < 5


LISTS = {
    "place": ["New York", "York", "New York City", "Århus", "AT&T Center"],
    "paper": ["New York Times", "Times Square Post", "L'Express"],
}


@pytest.fixture
def nlp(tweet_nlp):
    set_gazetteers(tweet_nlp.vocab, gazetteer_table(LISTS))
    return tweet_nlp


def marks(nlp, text, column=0):
    """B where a name begins, I where one goes on, X for both."""
    begins, inside = token_names([nlp(text)])
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
    begins, inside = token_names([nlp("New York Times")])
    assert begins.tolist() == [[True, True], [False, False], [False, False]]
    assert inside.tolist() == [[False, False], [True, True], [False, True]]


@pytest.mark.parametrize("scheme", ["ptb", "ud"])
def test_tokenizers_may_cut_a_name_differently(scheme):
    tokenizer = {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1", "scheme": scheme, "hashtags": "words"}
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": tokenizer}})
    set_gazetteers(nlp.vocab, gazetteer_table({"names": ["Jean-Luc Picard's Log", "Top Ten"]}))
    for text in ("Jean-Luc Picard's Log", "#TopTen"):
        doc = nlp(text)
        expected = "B" + "I" * (len(doc) - 1) if text[0] != "#" else "BI" if len(doc) == 2 else "-BI"
        assert marks(nlp, text) in (expected, "B" * (len(doc) == 1)), [token.text for token in doc]


def test_names_do_not_reach_over_texts_or_white_space(nlp):
    begins, _ = token_names([nlp("new"), nlp(""), nlp("york")])
    assert begins[:, 0].tolist() == [False, True]
    assert marks(nlp, "new \n york") == "--B"


def test_names_have_a_longest_length(tweet_nlp):
    words = [f"w{'abcdefgh'[n]}" for n in range(MAX_TOKENS + 1)]
    set_gazetteers(tweet_nlp.vocab, gazetteer_table({"long": [" ".join(words[:MAX_TOKENS]), " ".join(words)]}))
    assert marks(tweet_nlp, " ".join(words)) == "B" + "I" * (MAX_TOKENS - 1) + "-"


def test_some_of_the_lists_in_an_order(nlp):
    begins, _ = token_names([nlp("York Times")], ["paper", "place"])
    assert begins.tolist() == [[False, True], [False, False]]
    assert token_names([nlp("York")], ["paper"])[0].tolist() == [[False]]
    with pytest.raises(ConfigError, match="no gazetteer city, x; expected some of: place, paper"):
        token_names([nlp("York")], ["city", "paper", "x"])


def test_more_lists_than_a_byte_has_bits(tweet_nlp):
    set_gazetteers(tweet_nlp.vocab, gazetteer_table({f"list{n}": ["both", f"name{n}"] for n in range(11)}))
    begins, _ = token_names([tweet_nlp("both name9 none")])
    assert begins.sum(axis=1).tolist() == [11, 1, 0]
    assert begins[1, 9]


def test_nothing_to_read(nlp):
    assert token_names([nlp("")], ["place"])[0].shape == (0, 1)


def test_no_gazetteers_are_refused(tweet_nlp):
    with pytest.raises(ConfigError, match=r"has gazetteers, but the pipeline has none\. Set gazetteers in"):
        token_names([tweet_nlp("so")])


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
        assert token_names([Doc(vocab, words=["York"])])[0].tolist() == [[True, False]]

    def test_size(self, nlp):
        """10 bytes for each name, and no string of it in the vocabulary."""
        before = len(nlp.vocab.strings)
        set_gazetteers(nlp.vocab, gazetteer_table({"names": [f"name{n}" for n in range(10_000)]}))
        table = get_table(nlp.vocab, GAZETTEERS)
        assert table.hashes.nbytes + sum(array.nbytes for array in table.arrays.values()) == 100_000
        assert len(nlp.vocab.strings) == before
