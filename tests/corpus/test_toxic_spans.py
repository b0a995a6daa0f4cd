"""Toxic spans from CSV to Docs: characters in, spans of whole tokens out, and the characters kept."""

import csv
import io
from pathlib import Path

import pytest
import spacy
from hypothesis import example, given
from hypothesis import strategies as st
from spacy.tokens import DocBin
from spacy.training import Corpus

from spacy_bilstm_tagger.corpus import AnnotatedText, CharacterSpans, Notes, read_corpus, to_docbin
from spacy_bilstm_tagger.corpus.csv_formats import read_toxic_spans
from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.tokenizer import create_tweet_tokenizer

PATH = Path("posts.csv")
HEADER = "spans,text\n"


def read(rows, *, header=HEADER):
    return read_toxic_spans(PATH, header + rows)


def docs_of(*texts, spans=None):
    """Docs of (text, ranges), read back from bytes with another vocabulary."""
    annotated = [AnnotatedText([], None, None, text, [], spans=ranges) for text, ranges in texts]
    data = to_docbin(PATH, annotated, spans=spans).to_bytes()
    return list(DocBin().from_bytes(data).get_docs(spacy.blank("en").vocab))


class TestRead:
    def test_runs_of_offsets_are_ranges(self):
        (text,) = read('"[0, 1, 4, 5]",so bad\n')
        assert (text.raw, text.spans) == ("so bad", [(0, 2), (4, 6)])
        assert (text.words, text.tags, text.ents) == ([], None, None)

    def test_texts_keep_quotes_commas_line_breaks_and_runs_of_blanks(self):
        first, second = read('[],"a, ""b""\n\n  c "\n\n[0],d\n')
        assert (first.raw, first.spans) == ('a, "b"\n\n  c ', [])
        assert (second.raw, second.spans) == ("d", [(0, 1)])

    def test_the_order_does_not_matter_and_an_offset_counts_once(self):
        (text,) = read('"[4, 0, 5, 4, 0]",so bad\n')
        assert text.spans == [(0, 1), (4, 6)]

    @pytest.mark.parametrize("cell", ["[0,1]", "[0, 1]", "  [ 0 ,1 ]\n"])
    def test_blanks_in_the_list_do_not_matter(self, cell):
        (text,) = read(f'"{cell}",so bad\n')
        assert text.spans == [(0, 2)]

    def test_other_columns_are_left_out(self):
        (text,) = read('7,so bad,"[0, 1]",x\n', header="id,text,spans,note\n")
        assert (text.raw, text.spans) == ("so bad", [(0, 2)])

    def test_a_line_break_is_one_character_however_lines_end(self, tmp_path):
        path = tmp_path / "posts.csv"
        path.write_bytes(b'spans,text\r\n"[3, 4]","a\r\n\r\nbc"\r\n')
        _, (text,) = read_corpus(path)
        assert (text.raw, text.spans) == ("a\n\nbc", [(3, 5)])

    @pytest.mark.parametrize(
        ("end", "inner", "found"),
        [("\n", "\r\n", "\r\n"), ("\r\n", "\n", "\n"), ("\r\n", "\r\n", "\n"), ("\r\r\n", "\r\r\n", "\n")],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_texts_keep_line_breaks_unless_all_of_the_file_are_of_one_other_kind(self, tmp_path, end, inner, found, encoding):
        path, start = tmp_path / "posts.csv", len(f"so{found}")
        offsets = list(range(start, start + 5))
        path.write_bytes(f'spans,text{end}"{offsets}","so{inner}idiot you"{end}[],ok{end}'.encode(encoding))
        notes = Notes()
        _, (text, _) = read_corpus(path, encoding=encoding, notes=notes)
        assert text.raw == f"so{found}idiot you"
        assert text.raw[slice(*text.spans[0])] == "idiot"
        warned = ["1 spans are behind line breaks"] if end == inner else []
        assert [warning[:30] for warning in notes.warnings] == warned

    def test_a_byte_order_mark_is_no_part_of_the_header(self, tmp_path):
        path = tmp_path / "posts.csv"
        path.write_bytes((HEADER + "[3],café\n").encode("utf-8-sig"))
        format, (text,) = read_corpus(path)
        assert (format, text.raw, text.spans) == ("toxic_spans", "café", [(3, 4)])

    def test_offsets_count_characters_not_bytes(self):
        (text,) = read("[2],😭 é\n")
        assert text.spans == [(2, 3)]


# What follows the name of the file, for a record that begins on line 4 after one of two lines.
BAD_RECORDS = {
    "outside": (
        "[6],so bad",
        "the offset 6 is outside the text, whose characters are 0 to 5; correct it, or remove it from the list",
    ),
    "negative": (
        '"[0, -1]",so bad',
        "the offset -1 is outside the text, whose characters are 0 to 5; correct it, or remove it from the list",
    ),
    **{
        f"spans {cell}": (
            f'"{cell}",so bad',
            f"found {cell!r} in the column spans, expected a list of whole numbers such as [4, 5, 6], or [] for none",
        )
        for cell in ("", "3", "none", "(1, 2)", "{1: 2}", "[1.0]", "[true]", "[[1]]", "[1, 2", "[1;2]", "[x]", "NaN")
    },
    "deep": (
        "[" * 60_000 + ",so bad",
        f"found {'[' * 60!r} in the column spans, expected a list of whole numbers such as [4, 5, 6], or [] for none",
    ),
    "many-digits": (
        f"[{'9' * 60_000}],so bad",
        f"found {'[' + '9' * 59!r} in the column spans, expected a list of whole numbers such as [4, 5, 6], or [] for none",
    ),
    "empty": ("[],", "the text is empty, expected at least one word; remove the record"),
    "blank": ('[],"\n  "', "the text is empty, expected at least one word; remove the record"),
    "one-cell": ("so bad", "found 1 column(s) in 'so bad', expected 2 (spans, text)"),
    "three-cells": ('[],"so\n",bad', "found 3 column(s) in '[],so\\n,bad', expected 2 (spans, text)"),
    "open-quote": (
        '[],"so\nbad',
        "the record that begins here is not CSV (unexpected end of data); expected quotes in pairs around a cell "
        'that holds quotes, commas or line breaks, and "" for a quote mark inside them',
    ),
    "quote-inside": (
        '[],"so "bad"',
        "the record that begins here is not CSV (',' expected after '\"'); expected quotes in pairs around a cell "
        'that holds quotes, commas or line breaks, and "" for a quote mark inside them',
    ),
    "endless-cell": (
        f'[],"{"so bad " * 20_000}"',
        "the record that begins here is not CSV (field larger than field limit (131072)); expected quotes in pairs "
        'around a cell that holds quotes, commas or line breaks, and "" for a quote mark inside them',
    ),
}


@pytest.mark.parametrize(("record", "message"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_bad_record_is_named_by_the_line_on_which_it_begins(record, message):
    with pytest.raises(DataError) as error:
        read(f'[0],"two\nlines"\n{record}\n')
    assert str(error.value) == f"posts.csv, line 4: {message}"
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("header", "found"),
    [("spans,post\n", "spans, post"), ("text\n", "text"), ("spans,text,text\n", "spans, text, text"), ("x\n", "x")],
)
def test_missing_and_doubled_columns_are_refused(header, found):
    message = f"posts.csv, line 1: found the columns {found}, expected spans and text, each once"
    with pytest.raises(DataError) as error:
        read("[],a\n", header=header)
    assert str(error.value) == message


@pytest.mark.parametrize("header", ["", "\n\n", HEADER, HEADER + "\n"])
def test_no_posts_at_all_are_refused(header):
    with pytest.raises(DataError, match=r"^posts.csv: found no annotated text, expected at least one token$"):
        read("", header=header)


def test_wrong_bytes_are_named_by_their_own_line(tmp_path):
    path = tmp_path / "posts.csv"
    path.write_bytes(HEADER.encode() + b'[],"two\nlin\xe9s"\n')
    with pytest.raises(DataError, match=r"posts.csv, line 3: not utf-8; byte 0xe9 cannot be there"):
        read_corpus(path)


class TestSpans:
    @pytest.mark.parametrize(
        ("text", "ranges", "expected", "widened", "blank"),
        [
            ("you utter fool !", [(4, 14)], ["utter fool"], 0, 0),
            ("you utter fool !", [(4, 9), (10, 14)], ["utter", "fool"], 0, 0),
            ("you utter fool !", [(3, 15)], ["utter fool"], 0, 0),
            ("you utter fool !", [(5, 12)], ["utter fool"], 1, 0),
            ("you utter fool !", [(4, 5), (7, 8), (10, 14)], ["utter", "fool"], 2, 0),
            ("you utter fool !", [(4, 6), (8, 12)], ["utter fool"], 2, 0),
            ("a\n\n  b", [(0, 6)], ["a\n\n  b"], 0, 0),
            ("a\n\n  b", [(1, 6)], ["b"], 0, 0),
            ("a\n\n  b", [(1, 4)], [], 0, 1),
            ("a b", [(1, 2), (2, 3)], ["b"], 0, 1),
            ("", [], [], 0, 0),
        ],
        ids=["whole", "two", "blanks", "cut", "one-token", "overlap", "line", "line-break", "gap", "blank", "no-text"],
    )
    def test_ranges_become_whole_tokens(self, text, ranges, expected, widened, blank):
        spans = CharacterSpans()
        (doc,) = docs_of((text, ranges), spans=spans)
        assert [span.text for span in doc.spans["toxic"]] == expected
        assert (spans.found, spans.widened, spans.blank) == (len(expected), widened, blank)
        assert doc.text == text

    @pytest.mark.parametrize("ranges", [[(0, 2)], [(2, 3)], [(1, 4)]])
    def test_numbers_that_are_no_offsets_of_characters(self, ranges):
        spans = CharacterSpans()
        docs_of(*[("horrible idea", ranges)] * 3, spans=spans)
        assert spans.warning().startswith("3 ranges begin or end inside of a token, for 3 spans; expected offsets")
        right = CharacterSpans()
        docs_of(*[("horrible idea", [(0, 8)])] * 3, spans=right)
        assert right.warning() == ""

    def test_the_key_is_the_label_and_the_characters_are_kept(self):
        (doc,) = docs_of(("utter fool", [(1, 3), (6, 10)]), spans=CharacterSpans("rude"))
        assert list(doc.spans) == ["rude"]
        assert [(span.text, span.label_) for span in doc.spans["rude"]] == [("utter", "rude"), ("fool", "rude")]
        assert doc.spans["rude"].attrs == {"characters": [[1, 3], [6, 10]]}

    def test_texts_without_spans_have_an_empty_group(self):
        spans = CharacterSpans()
        first, second = docs_of(("good", []), ("bad", [(0, 3)]), spans=spans)
        assert (list(first.spans["toxic"]), first.spans["toxic"].attrs) == ([], {"characters": []})
        assert (len(second.spans["toxic"]), spans.found) == (1, 1)

    def test_an_empty_key_is_refused(self):
        with pytest.raises(DataError, match=r"^--spans-key '': expected a name, such as toxic$"):
            CharacterSpans("")

    def test_spacy_s_corpus_keeps_spans_and_characters(self, tmp_path, tweet_nlp):
        texts = read('"[0, 1, 2, 6]","utter\tfool  !"\n[],"fine\n\nday"\n')
        to_docbin(PATH, texts).to_disk(tmp_path / "posts.spacy")
        first, second = Corpus(tmp_path / "posts.spacy")(tweet_nlp)
        assert first.predicted.text == first.reference.text == "utter\tfool  !"
        assert [token.text for token in first.predicted] == [token.text for token in first.reference]
        assert [span.text for span in first.reference.spans["toxic"]] == ["utter", "fool"]
        assert first.reference.spans["toxic"].attrs == {"characters": [[0, 3], [6, 7]]}
        assert list(second.reference.spans["toxic"]) == []

    def test_texts_of_all_kinds_live_in_one_docbin(self):
        texts = [AnnotatedText(["do", "n't"], ["VB", "RB"], None, None, [1, 2]), *read("[0],a\n")]
        words, characters = to_docbin(PATH, texts).get_docs(spacy.blank("en").vocab)
        assert (words.has_unknown_spaces, dict(words.spans)) == (True, {})
        assert (characters.has_unknown_spaces, len(characters.spans["toxic"])) == (False, 1)


TOKENIZER = create_tweet_tokenizer()(spacy.blank("xx"))
ALPHABET = st.sampled_from("ab.,'\"#@😭é[] \n\t\xa0\u200d")
TEXTS = st.text(ALPHABET | st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), min_size=1)
POSTS = TEXTS.filter(str.strip).flatmap(
    lambda text: st.tuples(st.just(text), st.sets(st.integers(0, len(text) - 1)) | st.just(set(range(len(text)))))
)


@given(POSTS)
@example(("a/b c\n\n d", {0, 5, 6, 8}))
def test_spans_cover_the_characters_and_the_text_is_kept(post):
    text, offsets = post
    file = io.StringIO()
    csv.writer(file).writerows([["spans", "text"], [sorted(offsets), text]])
    (annotated,) = read_toxic_spans(PATH, file.getvalue())
    spans = CharacterSpans()
    doc = TOKENIZER(annotated.raw)
    spans.set_spans(doc, annotated.spans)
    group = doc.spans["toxic"]
    assert doc.text == text
    assert {i for start, end in group.attrs["characters"] for i in range(start, end)} == offsets
    covered = [i for span in group for i in range(span.start_char, span.end_char)]
    assert len(covered) == len(set(covered))
    assert {i for i in offsets if not text[i].isspace()} <= set(covered)
    for span in group:  # no wider than the tokens of its characters
        assert not span[0].text.isspace()
        assert not span[-1].text.isspace()
        for token in (span[0], span[-1]):
            assert offsets & set(range(token.idx, token.idx + len(token)))
    if not spans.widened:
        assert {i for i in covered if not text[i].isspace()} <= offsets


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "n_texts", "n_spans", "n_widened", "n_without"),
    [
        pytest.param("train", 7939, 10293, 278, 485, marks=pytest.mark.slow),
        pytest.param("trial", 690, 903, 26, 43),
    ],
)
def test_the_published_posts(asset, name, n_texts, n_spans, n_widened, n_without):
    path = asset(f"toxic_spans/{name}.csv")
    spans = CharacterSpans()
    format, texts = read_corpus(path)
    docs = list(to_docbin(path, texts, spans=spans).get_docs(spacy.blank("xx").vocab))
    assert (format, len(texts), sum(not text.spans for text in texts)) == ("toxic_spans", n_texts, n_without)
    assert (spans.found, spans.widened, spans.blank) == (n_spans, n_widened, 0)
    assert [doc.text for doc in docs] == [text.raw for text in texts]
