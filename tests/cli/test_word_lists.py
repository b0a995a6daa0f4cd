"""What a file is taken for, and its words."""

import gzip

import pytest
import spacy

from spacy_bilstm_tagger.cli.word_lists import read_words
from spacy_bilstm_tagger.errors import DataError

TWEET = "@mara_lune so good!! #yes"
TWEET_WORDS = ["@mara_lune", "so", "good", "!!", "#yes"]
BROWN = "0010\tso\t3\n01\t#yes\t2\n"
GLOVE = "so 1 -2.5\n<user> .5 1e-3\n"
CONLLU = "# text = so good\n" + "".join(
    f"{n}\t{word}\t{word}\tX\t_\t_\t0\troot\t_\t_\n" for n, word in enumerate(["so", "good"], 1)
)
FILES = {
    "list": (b"so\nGood\ndo n't\n\xc3\xa9t\xc3\xa9", ("word list", ["so", "Good", "été", "do", "n't"])),
    "one word": (b"so", ("word list", ["so"])),
    "list with columns": (b"so\t3\tx\nnew york\t2\n#yes\n", ("word list", ["so", "#yes", "new", "york"])),
    "list with a byte order mark": (b"\xef\xbb\xbfso\r\ngood\r\n", ("word list", ["so", "good"])),
    "list of names": (b"anna lee\nbo yu\ncher\n", ("texts", ["anna", "lee", "bo", "yu", "cher"])),
    "texts": (f"{TWEET}\n\n{TWEET} x".encode(), ("texts", [*TWEET_WORDS, *TWEET_WORDS, "x"])),
    "two columns": (b"so\tRB\ngood\tJJ\n\nso\tRB\n", ("corpus", ["so", "good", "so"])),
    "two columns, a space between": (b"so RB\ngood JJ\n\nso RB\n", ("corpus", ["so", "good", "so"])),
    "CoNLL-U": (f"{CONLLU}\n{CONLLU}\n".encode(), ("corpus", ["so", "good"] * 2)),
    "CSV of words": (b"Sentence #,Word,POS,Tag\nSentence: 1,so,RB,O\n,good,JJ,O\n", ("corpus", ["so", "good"])),
    "CSV of texts": (f'spans,text\n"[0, 1]",{TWEET}\n'.encode(), ("corpus", TWEET_WORDS)),
    "Brown clusters": (BROWN.encode(), ("Brown clusters", ["so", "#yes"])),
    "packed Brown clusters": (gzip.compress(BROWN.encode(), mtime=0), ("Brown clusters", ["so", "#yes"])),
    "GloVe": (GLOVE.encode(), ("vectors", ["so", "<user>"])),
    "word2vec": (f"2 2\n{GLOVE}".encode(), ("vectors", ["so", "<user>"])),
    "<unk> is no word": (f"{GLOVE}<unk> 1 1\n".encode(), ("vectors", ["so", "<user>"])),
}


@pytest.mark.parametrize("name", FILES)
def test_guess(write, name):
    data, expected = FILES[name]
    assert read_words(write("file.10000", data)) == expected


def test_files_known_by_their_names(write, tweet_nlp, tmp_path):
    assert read_words(write("a.jsonl", f'{{"text": "{TWEET}"}}\n')) == ("texts", TWEET_WORDS)
    assert read_words(write("a.txt.gz", gzip.compress(TWEET.encode()))) == ("texts", TWEET_WORDS)
    from spacy.tokens import DocBin

    DocBin(docs=[tweet_nlp(TWEET)]).to_disk(tmp_path / "a.spacy")
    assert read_words(tmp_path / "a.spacy") == ("texts", TWEET_WORDS)
    assert read_words(tmp_path) == ("texts", TWEET_WORDS)  # the folder of such files


def test_long_file_is_guessed_from_its_beginning(write):
    path = write("list.txt", "word\n" * 20_000 + "two words\n")
    kind, words = read_words(path)
    assert (kind, len(words)) == ("word list", 20_002)


def test_folder_of_vectors(tmp_path, write, spacy_bilstm):
    assert spacy_bilstm("vectors", write("glove.txt", GLOVE), tmp_path / "out")[0] == 0
    kind, words = read_words(tmp_path / "out")
    assert (kind, sorted(words)) == ("vectors", ["<user>", "so"])


def test_bad_input(write, tmp_path):
    with pytest.raises(DataError, match="none: no such file"):
        read_words(tmp_path / "none")
    with pytest.raises(DataError, match="empty: found no word, read as texts; expected at least one"):
        read_words(write("empty", " \n\n"))
    with pytest.raises(DataError, match="a folder without vectors; expected one made by 'spacy-bilstm vectors'"):
        read_words(tmp_path)
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(DataError, match="blank: the pipeline in this folder has no vectors"):
        read_words(tmp_path / "blank")
    with pytest.raises(DataError, match=r"latin, line 2: not utf-8; byte 0xe9 cannot be there"):
        read_words(write("latin", b"so\n\xe9t\xe9\n"))
    with pytest.raises(DataError, match="toy: cannot be read as"):
        read_words(write("toy", b"\x80\0\0"))
