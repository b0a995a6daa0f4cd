import pytest
from corpus_rows import read_rows

from spacy_bilstm_tagger.corpus import Columns
from spacy_bilstm_tagger.errors import DataError


def test_ritter_layout_has_a_token_and_a_tag_on_a_line_and_a_blank_line_between_texts():
    first, second = read_rows("so RB\ngood JJ\n\n:) UH\n")
    assert (first.words, first.tags, first.lines) == (["so", "good"], ["RB", "JJ"], [1, 2])
    assert (second.words, second.tags, second.lines) == ([":)"], ["UH"], [4])
    assert (first.ents, first.raw) == (None, None)


@pytest.mark.parametrize("quote", ['"', "'", "''", "``", '""', '"no', "`"])
def test_quotes_are_ordinary_characters(quote):
    (text,) = read_rows(f"{quote} ''\nyes UH\n{quote} ''\n")
    assert text.words == [quote, "yes", quote]
    assert text.tags == ["''", "UH", "''"]


@pytest.mark.parametrize("blank", ["", "\t", " ", " \t ", "\r"])
def test_any_line_of_white_space_alone_parts_texts(blank):
    texts = read_rows(f"a\tX\n{blank}\nb\tY\n", separator="\t")
    assert [(text.words, text.tags, text.lines) for text in texts] == [
        (["a"], ["X"], [1]),
        (["b"], ["Y"], [3]),
    ]


@pytest.mark.parametrize("content", ["a X\n\nb Y", "\n\na X\n\n\n\nb Y\n\n\n", "a X\r\n\r\nb Y\r\n"])
def test_blank_lines_at_the_ends_repeated_ones_and_windows_line_ends_add_no_texts(content):
    assert [(text.words, text.tags) for text in read_rows(content)] == [(["a"], ["X"]), (["b"], ["Y"])]


def test_tab_separated_tokens_may_hold_spaces():
    (text,) = read_rows("New York\tNNP\nrocks\tVBZ\n", separator="\t")
    assert text.words == ["New York", "rocks"]


def test_conll_2003_takes_its_tag_from_the_second_column_and_its_entities_from_the_last():
    content = "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects   VBZ\tB-VP O\n"
    (text,) = read_rows(content, separator=None)
    assert text.words == ["EU", "rejects"]
    assert text.tags == ["NNP", "VBZ"]
    assert text.ents == ["B-ORG", "O"]


def test_two_columns_whose_last_looks_like_bio_are_tokens_and_entities():
    (text,) = read_rows("at\tO\nParis\tB-geo-loc\nCity\tI-geo-loc\n", separator="\t")
    assert text.tags is None
    assert text.ents == ["O", "B-geo-loc", "I-geo-loc"]


def test_one_misspelt_entity_tag_is_refused_and_not_taken_for_a_part_of_speech():
    with pytest.raises(DataError, match=r"^tweets, line 3: found entity tag 'I_person', expected O or B-, I-"):
        read_rows("hey O\nBob B-person\nRoss I_person\n")


def test_the_tags_of_ritter_include_an_o_and_stay_tags():
    (text,) = read_rows("a O\nb NN\n")
    assert (text.tags, text.ents) == (["O", "NN"], None)


def test_roles_name_the_columns():
    (text,) = read_rows("B-x NN a ?\nI-x JJ b ?\n", roles=["ent", "tag", "token", "-"])
    assert (text.words, text.tags, text.ents) == (["a", "b"], ["NN", "JJ"], ["B-x", "I-x"])


def test_columns_tell_what_they_were_taken_for_and_which_are_not_used():
    guessed, named = Columns(), Columns(["token", "-", "tag"])
    for columns in (guessed, named):
        read_rows("a NN per\nb NN O\n", columns=columns)
    assert (guessed.roles, guessed.guessed, guessed.unused) == (["token", "tag", "-"], True, {3: {"per": 1, "O": 1}})
    assert (named.roles, named.guessed, named.unused) == (["token", "-", "tag"], False, {2: {"NN": 2}})


@pytest.mark.parametrize("names", ["token tag", "Word POS", "TOKEN tag ner"])
def test_a_line_of_the_names_of_the_columns_is_no_token(names):
    width = len(names.split())
    with pytest.raises(DataError, match=r"^tweets, line 2: found \['.+'\], names of columns, expected a token and its tag"):
        read_rows(f"\n{names}\n" + " ".join("aX"[:width].ljust(width, "O")) + "\n")
    (text,) = read_rows("text NN\nform NN\n")
    assert text.words == ["text", "form"]


@pytest.mark.parametrize("missing", ["-", ""])
def test_a_dash_or_nothing_is_a_missing_tag(missing):
    (text,) = read_rows(f"a\tX\nb\t{missing}\n", separator="\t")
    assert text.tags == ["X", ""]


def test_a_text_comment_gives_the_raw_text_of_the_tokens_under_it_alone():
    first, second = read_rows("# text = do n't \ndo VB\nn't RB\n\nok UH\n")
    assert (first.raw, first.words, first.lines) == ("do n't", ["do", "n't"], [2, 3])
    assert second.raw is None


def test_a_lone_hash_is_a_token():
    (text,) = read_rows("a X\n# Y\n")
    assert (text.words, text.tags) == (["a", "#"], ["X", "Y"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a X\nb\n", r"tweets, line 2: found 1 column\(s\) in 'b', expected 2 \(token, tag\)"),
        ("a X\nb Y Z\n", r"tweets, line 2: found 3 column\(s\) in 'b Y Z', expected 2 \(token, tag\)"),
        ("a X Z\nb Y\nc Y\n", r"tweets, line 1: found 3 column\(s\) in 'a X Z', expected 2 \(token, tag\)"),
        ("a\nb\n", r"tweets, line 1: found 1 column\(s\) in 'a', expected at least 2: a token and a tag"),
        (
            "a X\n Y\n",
            r"tweets, line 2: the token is empty, expected a word before the separator; remove the line, or give.*",
        ),
        ("\n \n\t\n", r"tweets: found no annotated text, expected at least one token"),
        ("# text = alone\n\n", r"tweets: found no annotated text, expected at least one token"),
    ],
)
def test_bad_lines_are_named(content, message):
    with pytest.raises(DataError, match=f"^{message}$"):
        read_rows(content)


def test_a_bad_line_is_shown_with_its_tabs():
    with pytest.raises(DataError, match=r"found 3 column\(s\) in 'b\\tY\\tZ', expected 2"):
        read_rows("a\tX\nb\tY\tZ\n", separator="\t")


def test_the_number_of_columns_must_be_that_of_the_roles():
    with pytest.raises(DataError, match=r"line 1: found 2 column\(s\) in 'a X', expected 3 \(token, -, tag\)"):
        read_rows("a X\n", roles=["token", "-", "tag"])


@pytest.mark.parametrize("roles", ["tag,ent", "token,token", "token,pos", "token", "token,tag,tag", "token,-"])
def test_other_roles_are_refused(roles):
    with pytest.raises(DataError) as error:
        Columns(roles.split(","))
    assert str(error.value) == (
        f"--columns {roles}: expected each of token, tag and ent at most once (token in any case) and - for the others"
    )
