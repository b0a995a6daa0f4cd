from pathlib import Path

import pytest

from spacy_bilstm_tagger.corpus.conllu import read_conllu
from spacy_bilstm_tagger.errors import DataError

PATH = Path("ud.conllu")


def row(id, form, *, upos="X", xpos="_", misc="_"):
    return "\t".join([id, form, "_", upos, xpos, "_", "_", "_", "_", misc])


def read(*lines, tags="upos"):
    return read_conllu(PATH, "\n".join(lines) + "\n", tags=tags)


def test_one_text_a_sentence_with_its_raw_text_and_lines():
    first, second = read(
        "# sent_id = 1",
        "# text = Hi, you",
        row("1", "Hi", upos="INTJ", misc="SpaceAfter=No"),
        row("2", ",", upos="PUNCT"),
        row("3", "you", upos="PRON"),
        "",
        row("1", "ok", upos="_"),
    )
    assert (first.words, first.tags, first.ents) == (["Hi", ",", "you"], ["INTJ", "PUNCT", "PRON"], None)
    assert (first.raw, first.lines) == ("Hi, you", [3, 4, 5])
    assert (second.words, second.tags, second.raw, second.lines) == (["ok"], [""], "ok", [7])


@pytest.mark.parametrize(("tags", "expected"), [("upos", ["NOUN", ""]), ("xpos", ["NN", "SYM"])])
def test_tags_come_from_upos_or_xpos_and_an_underscore_is_missing(tags, expected):
    (text,) = read(row("1", "cat", upos="NOUN", xpos="NN"), row("2", "_", upos="_", xpos="SYM"), tags=tags)
    assert text.words == ["cat", "_"]
    assert text.tags == expected


def test_raw_text_is_put_together_by_space_after_where_there_is_no_text_comment():
    (text,) = read(
        row("1", "(", misc="Lang=en|SpaceAfter=No"),
        row("2", "a"),
        row("3", "b", misc="SpaceAfter=No"),
        row("4", ")"),
    )
    assert text.raw == "(a b)"
    assert text.gaps(PATH) == ["", " ", "", ""]


def test_a_multiword_token_that_its_words_spell_becomes_its_words():
    (text,) = read(
        row("1-2", "don't"),
        row("1", "do", upos="AUX"),
        row("2", "n't", upos="PART"),
        row("3", "go", upos="VERB"),
    )
    assert (text.words, text.tags, text.raw) == (["do", "n't", "go"], ["AUX", "PART", "VERB"], "don't go")


def test_a_multiword_token_that_its_words_do_not_spell_stays_whole_with_its_tag_missing():
    (text,) = read(
        "# text = Va au lac.",
        row("1", "Va", upos="VERB"),
        row("2-3", "au"),
        row("2", "à", upos="ADP"),
        row("3", "le", upos="DET"),
        row("4", "lac", upos="NOUN", misc="SpaceAfter=No"),
        row("5", ".", upos="PUNCT"),
    )
    assert text.words == ["Va", "au", "lac", "."]
    assert text.tags == ["VERB", "", "NOUN", "PUNCT"]
    assert text.lines == [2, 4, 6, 7]
    assert text.gaps(PATH) == [" ", " ", "", ""]


def test_several_multiword_tokens_keep_their_own_spaces():
    (text,) = read(
        row("1-2", "du", misc="SpaceAfter=No"),
        row("1", "de"),
        row("2", "le"),
        row("3-4", "can't"),
        row("3", "ca"),
        row("4", "n't"),
        row("5-6", "aux"),
        row("5", "à"),
        row("6", "les"),
        row("7", "x"),
    )
    assert text.words == ["du", "ca", "n't", "aux", "x"]
    assert text.raw == "ducan't aux x"


def test_empty_nodes_are_left_out():
    (text,) = read(row("1", "Sue"), row("1.1", "likes"), row("2", "tea"), row("0.1", "and"))
    assert (text.words, text.raw) == (["Sue", "tea"], "Sue tea")


def test_words_may_hold_spaces_and_the_last_sentence_needs_no_blank_line():
    (text,) = read_conllu(PATH, row("1", "10 000") + "\r\n" + row("2", "km"))
    assert (text.words, text.raw) == (["10 000", "km"], "10 000 km")


@pytest.mark.parametrize("width", [1, 9, 11])
def test_other_than_ten_columns_are_refused(width):
    line = "\t".join("abcdefghijk"[:width])
    with pytest.raises(
        DataError,
        match=rf"^ud.conllu, line 2: found {width} column\(s\) in .* expected 10, separated by TAB$",
    ):
        read(row("1", "a"), line)


@pytest.mark.parametrize("id", ["x", "", "1-x", "1-", "-2", "1.1.1"])
def test_an_id_of_another_form_is_refused(id):
    with pytest.raises(DataError, match=rf"^ud.conllu, line 2: found the id '{id}', expected a number, a range"):
        read(row("1", "a"), row(id, "b"))


def test_a_word_without_a_form_is_refused():
    with pytest.raises(DataError, match=r"^ud.conllu, line 1: the token is empty"):
        read(row("1", ""))


@pytest.mark.parametrize("content", ["", "\n\n", "# text = nothing\n"])
def test_no_words_at_all_are_refused(content):
    with pytest.raises(DataError, match=r"^ud.conllu: found no annotated text"):
        read_conllu(PATH, content)


def test_tags_of_another_name_are_refused():
    with pytest.raises(DataError, match=r"^--tags pos: expected upos or xpos$"):
        read(row("1", "a"), tags="pos")
