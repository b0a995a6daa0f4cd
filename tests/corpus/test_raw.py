import gzip
import json
import re

import pytest

from spacy_bilstm_tagger.corpus import AnnotatedText, to_docbin
from spacy_bilstm_tagger.corpus.raw import exclude, in_fold, read_raw_texts
from spacy_bilstm_tagger.errors import DataError

TEXTS = ["so good!!", "é 😭 http://bit.ly/x"]
LINES = "  so good!! \n\n é 😭 http://bit.ly/x\r\n \n".encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("tweets.txt", LINES),
        ("tweets", LINES),
        ("tweets.gz", gzip.compress(LINES, mtime=0)),
        ("tweets.json", json.dumps([{"id": 1, "text": text} for text in [*TEXTS, " "]]).encode()),
        ("tweets.csv", "".join(["id,Text\n", *(f'1,"{text}"\n\n' for text in TEXTS)]).encode()),
        ("tweets.tsv", "".join(["text\tid\r\n", *(f"{text}\t1\r\n" for text in TEXTS)]).encode()),
        ("tweets.jsonl", "".join(json.dumps({"id": 1, "text": text}) + "\r\n\n" for text in TEXTS).encode()),
    ],
)
def test_texts_are_stripped_and_blank_ones_left_out(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    assert read_raw_texts(path) == TEXTS


def test_a_json_text_may_hold_every_line_separator_of_unicode(tmp_path):
    path = tmp_path / "tweets.jsonl"
    path.write_text('{"text": "a\u2028b\u0085c\\nd"}\n', encoding="utf-8")
    assert read_raw_texts(path) == ["a\u2028b\u0085c\nd"]


@pytest.mark.parametrize(("escape", "found"), [("\\ud83d", "half of a surrogate pair"), ("\\u0000", "a NUL character")])
def test_a_string_that_is_no_text_is_named(tmp_path, escape, found):
    path = tmp_path / "tweets.jsonl"
    path.write_text(f'{{"text": "a"}}\n{{"text": "so {escape}"}}\n', encoding="utf-8")
    with pytest.raises(DataError, match=f"line 2: the text has {found}, which is no text; remove it"):
        read_raw_texts(path)


def test_the_whole_of_a_tweet_that_was_cut(tmp_path):
    """As Twitter's first interface gave those of more than 140 characters."""
    path = tmp_path / "tweets.jsonl"
    tweet = {"text": "RT @m: so go…", "truncated": True, "extended_tweet": {"full_text": "RT @m: so good"}}
    path.write_text(json.dumps(tweet) + "\n" + json.dumps({"text": "ok", "extended_tweet": None}), encoding="utf-8")
    assert read_raw_texts(path) == ["RT @m: so good", "ok"]


def test_docs_give_their_text(tmp_path):
    texts = [AnnotatedText(["do", "n't"], None, None, "don't", [1, 2])]
    to_docbin(tmp_path, texts).to_disk(tmp_path / "tweets.spacy")
    assert read_raw_texts(tmp_path / "tweets.spacy") == ["don't"]


def test_annotated_text_is_its_raw_text_or_else_its_tokens_with_spaces(tmp_path):
    path = tmp_path / "tweets.conll"
    path.write_text("# text = don't\ndo VB\nn't RB\n\nca MD\nn't RB\n", encoding="utf-8")
    assert read_raw_texts(path) == ["don't", "ca n't"]


@pytest.mark.parametrize("line", ["{x", "[1]", '"a"', '{"body": "a"}', '{"text": null}', '{"text": 1}'])
def test_a_line_that_is_no_json_object_with_a_text_is_named(tmp_path, line):
    path = tmp_path / "tweets.jsonl"
    path.write_text(f'{{"text": "a"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_raw_texts(path)
    assert str(error.value).startswith(f"{path}, line 2: found {line!r}, expected a JSON object with ")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.gz", b"not zipped"),
        ("a.gz", gzip.compress(LINES, mtime=0)[:-9]),
        ("a.spacy", b"not a DocBin"),
        ("a.spacy", b""),
    ],
    ids=["not-gzip", "gzip-cut-off", "no-docbin", "nothing"],
)
def test_damaged_files_are_named(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DataError) as error:
        read_raw_texts(path)
    assert str(error.value).startswith(f"{path}: cannot be read as a")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("name", "pack"), [("a.txt", bytes), ("a.gz", gzip.compress)])
def test_wrong_bytes_are_named_by_line(tmp_path, name, pack):
    path = tmp_path / name
    path.write_bytes(pack(b"a\nb\xe9\n"))
    with pytest.raises(DataError, match=rf"{name}, line 2: not utf-8; byte 0xe9 cannot be there"):
        read_raw_texts(path)


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a"])
def test_a_file_without_text_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_text(" \n\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"found no text, expected at least one line$"):
        read_raw_texts(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.txt: no such file$"):
        read_raw_texts(tmp_path / "nowhere.txt")


def test_texts_of_other_files_are_excluded_with_their_place(tmp_path):
    texts = [AnnotatedText(["do", "n't"], None, None, None, [1, 2]), AnnotatedText(["ok"], None, None, None, [4])]
    other, path = tmp_path / "dev.tsv", tmp_path / "train.tsv"
    other.write_text("x\tX\n\nDON'T\tVB\n", encoding="utf-8")
    assert exclude(path, texts, [other]) == ([texts[1]], [(texts[0], f"{other}, line 3")])
    assert exclude(path, texts, []) == (texts, [])
    with pytest.raises(DataError, match=r"train.tsv: all 1 texts are also in the files of --exclude"):
        exclude(path, texts[:1], [other])


class TestFolds:
    def test_parts_are_disjoint_and_together_all(self):
        texts = [AnnotatedText([f"w{i}", "b"], None, None, None, [1, 2]) for i in range(500)]
        parts = [in_fold(texts, f"{k}/5") for k in range(5)]
        assert sum(map(len, parts)) == 500
        assert all(70 < len(part) < 130 for part in parts)
        others = in_fold(texts, "2/5", inverted=True)
        assert [text for text in texts if text not in parts[2]] == others

    def test_the_part_follows_from_the_text_alone(self):
        texts = [AnnotatedText([f"w{i}", "b"], None, None, None, [1, 2]) for i in range(100)]
        raw = [AnnotatedText([f"W{i}", "B"], None, None, f"W{i}  b", [7, 8]) for i in reversed(range(100))]
        parts = [in_fold(texts + raw, f"{k}/3") for k in range(3)]
        for part in parts:
            assert {text.words[0] for text in part if text.raw is None} == {
                text.words[0].lower() for text in part if text.raw is not None
            }

    @pytest.mark.parametrize("fold", ["5/5", "1", "a/b", "-1/5", "0/0"])
    def test_another_form_is_refused(self, fold):
        with pytest.raises(DataError, match=r"expected K/N with K below N, such as 0/5"):
            in_fold([], fold)

    def test_nothing_left(self):
        with pytest.raises(DataError, match=r"fold 0/5: none of the 0 texts"):
            in_fold([], "0/5")


def test_blank_tokens_do_not_matter_where_texts_are_compared(tmp_path):
    (tmp_path / "dev.tsv").write_text("a\tX\n\u00a0\tY\nb\tX\n", encoding="utf8")
    assert read_raw_texts(tmp_path / "dev.tsv") == ["a b"]


@pytest.mark.parametrize(
    ("data", "likely"),
    [
        ("so good\nso bad\n".encode("utf-16"), "is utf-16"),
        ("café\nso bad\n".encode("utf-16-be"), "is utf-16-be"),
        ("so good\n".encode("utf-32"), "is utf-32"),
        ("so good\ncafé\n".encode("cp1252"), "may be cp1252 (Windows, Western Europe) or cp1251 (Cyrillic)"),
    ],
    ids=["utf-16", "utf-16-be", "utf-32", "cp1252"],
)
def test_the_likely_encoding_is_named(tmp_path, data, likely):
    path = tmp_path / "texts.txt"
    path.write_bytes(data)
    with pytest.raises(DataError) as error:
        read_raw_texts(path)
    assert str(error.value).endswith(f"Save the file as UTF-8; it {likely}")


def test_rows_whose_first_token_is_text_are_columns(tmp_path):
    path = tmp_path / "tweets.tsv"
    path.write_text("text\tNN\nmessages\tNNS\n\nso\tRB\ngood\tJJ\n", encoding="utf8")
    assert read_raw_texts(path) == ["text messages", "so good"]


def test_a_row_of_other_width_is_named(tmp_path):
    path = tmp_path / "tweets.csv"
    path.write_text("id,text\n1,so good\n2,so, good\n", encoding="utf8")
    with pytest.raises(DataError, match="line 3: found 3 column"):
        read_raw_texts(path)


COLUMNS = {
    "bio": "Mara B-PER\nleft O\n\nI O\n",
    "tags": "Mara NNP\nleft VBD\n\nI PRP\n",
    "tabs": "Mara\tX1\nleft\tX2\n\nI\tX3\n",
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_columns_are_read_as_a_corpus_though_their_name_is_that_of_raw_texts(kind, tmp_path):
    (tmp_path / "a.txt").write_text(COLUMNS[kind])
    assert read_raw_texts(tmp_path / "a.txt") == ["Mara left", "I"]


@pytest.mark.parametrize(
    "text",
    [
        "500 Days of Summer is so good\n",
        "so good\nwe left\nme too\n",
        "a b\nB-PER O\n",
        "1\tso good\n2\tok then\n3\tso it is\n",
    ],
)
def test_texts_that_look_a_bit_like_columns_stay_texts(text, tmp_path):
    (tmp_path / "a.txt").write_text(text)
    assert read_raw_texts(tmp_path / "a.txt") == text.splitlines()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("404: Not Found", "found '404: Not Found', the error message of a web server"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a pointer of Git LFS"),
        ("<html><body>404</body></html>\n", "a web page"),
        ("text,id\nhi you,1\n", "begins with 'text,id', the names of columns; name the file .csv or .tsv"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(text, expected, tmp_path):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(DataError, match=re.escape(expected)):
        read_raw_texts(tmp_path / "a.txt")
