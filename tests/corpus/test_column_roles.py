"""Which column is the token, the tag and the entity, where nobody names them."""

import re

import pytest
from corpus_rows import lines_of, read_file, read_rows

from spacy_bilstm_tagger.corpus import Columns, Notes, read_corpus
from spacy_bilstm_tagger.errors import DataError

WORDS = [
    *("Mia", "ran", "to", "the", "small", "green", "house", "on", "a", "hill", "and", "then", "she", "sat", "down"),
    *("there", "to", "eat", "her", "bread", "with", "some", "cheese"),
]
LONG = [f"{word}{i}" for i in range(3) for word in WORDS]


def table(*columns):
    return "".join("\t".join(cells) + "\n" for cells in zip(*columns))


@pytest.mark.parametrize(
    "numbers",
    [
        ["0", "0", "0", "0"],
        ["1.", "2.", "3.", "4."],
        ["2", "3", "4", "9"],
        ["doc7", "doc7", "doc7", "doc7"],
        ["s1-1", "s1-2", "s1-3", "s1-4"],
        ["Sentence: 1"] * 4,
    ],
)
def test_a_first_column_that_counts_is_no_token(tmp_path, numbers):
    texts = read_file(tmp_path, table(numbers, ["Mia", "Lee", "runs", "off"], ["B-PER", "I-PER", "O", "O"]))
    assert [(text.words, text.ents) for text in texts] == [(["Mia", "Lee", "runs", "off"], ["B-PER", "I-PER", "O", "O"])]


@pytest.mark.parametrize("numbers", [["0", "0", "1", "1"], ["1", "2", "1", "2"], ["s1-1", "s1-2", "s2-1", "s2-2"]])
def test_numbers_show_that_a_blank_line_is_missing(tmp_path, numbers):
    with pytest.raises(DataError, match=r"line 3: column 1 counts, and a new text begins .* blank line .* is missing"):
        read_file(tmp_path, table(numbers, ["Mia", "Lee", "runs", "off"], ["B-PER", "I-PER", "O", "O"]))


@pytest.mark.parametrize(
    "features",
    [["ne", "lang1", "other"], ["GAZ", "NOGAZ"], ["Cap", "low", "UP", "num"], ["EN", "ES", "NE", "OTHER", "MIXED"]],
)
def test_features_of_tokens_are_no_tags(tmp_path, features):
    """As the languages of LinCE's tweets: beside entities, and before real tags."""
    n = 48
    words, column = [f"{LONG[i % 60]}{i}" for i in range(n)], [features[i % len(features)] for i in range(n)]
    ents, tags = ["B-PER", "O"] * (n // 2), ["NN", "VB", "JJ", "UH"] * (n // 4)
    assert [(each.tags, each.ents) for each in read_file(tmp_path, table(words, column, ents))] == [(None, ents)]
    assert [(each.tags, each.ents) for each in read_file(tmp_path, table(words, column, tags, ents))] == [(tags, ents)]
    assert [each.tags for each in read_file(tmp_path, table(words, column, tags))] == [tags]


def test_a_header_of_three_columns_is_named():
    with pytest.raises(DataError, match=r"line 1: found \['word', 'tag', 'ent'\], names of columns"):
        read_rows("word tag ent\nso RB O\n")


def test_dependencies_in_capitals_are_no_tags():
    (text,) = read_rows("Mia NSUBJ n-prop\nsees ROOT v-pres\nthe DET art\nsea DOBJ n-com\nnow ADVMOD adv\n")
    assert text.tags == ["n-prop", "v-pres", "art", "n-com", "adv"]


@pytest.mark.parametrize("place", [0, -1])
def test_first_and_last_characters_of_tokens_are_no_tags(tmp_path, place):
    words = [f"{chr(97 + i % 26)}word{chr(97 + (7 * i) % 26)}" for i in range(52)]
    column, tags = [word[place] for word in words], ["NN", "VB"] * 26
    assert [each.tags for each in read_file(tmp_path, table(words, column, tags))] == [tags]


@pytest.mark.parametrize("types", [["B", "I", "O", "O", "B"], ["B", "L", "O", "O", "U"]])
def test_entity_tags_without_their_types_are_no_tags(tmp_path, types):
    words, ents = ["Mia", "Lee", "lives", "in", "Rome"], ["B-PER", "I-PER", "O", "O", "B-LOC"]
    for columns in ([types, ents], [ents, types]):
        (text,) = read_file(tmp_path, table(words, *columns))
        assert (text.tags, text.ents) == (None, ents)


def test_a_tag_behind_the_id_of_an_image_does_not_make_it_a_token():
    first, second = read_rows("IMGID:47100\tO\nMia\tB-PER\n\nIMGID:9\tO\nran\tO\n", separator="\t")
    assert (first.words, second.words) == (["Mia"], ["ran"])


NUMBERS = {
    "exponents": ["1e-05", "0.93", "2E-6", "0.93", "1.5e+3", "0"],
    "shares": ["95%", "12.5 %".replace(" ", ""), "0%", "95%", "3%", "95%"],
    "pairs": ["(0,3)", "(4,7)", "[0:3]", "(0,3)", "{5;6}", "(4,7)"],
    "in brackets": ["[5]", "(7)", "[5]", "[6]", "[5]", "(7)"],
    "no numbers": ["nan", "inf", "-inf", "NaN", "0.5", "inf"],
    "signs": ["+1", "-1", "~0.5", "<1", ">=3", "+1"],
    "now and then a word": ["1e-5", "none", "0.3", "2e-7", "0.3", "none"],
}


@pytest.mark.parametrize("numbers", NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_no_tags(tmp_path, numbers):
    tags = ["NN", "VB", "JJ", "UH", "NN", "VB"]
    texts = read_file(tmp_path, table(LONG[:6], numbers, tags))
    assert [text.tags for text in texts] == [tags]
    with pytest.raises(DataError, match="no column looks like tags"):
        read_file(tmp_path, table(LONG[:6], numbers))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (table(["1", "2", "3"], ["NN", "NN", "VB"]), "found numbers in the place of tokens|no column looks like"),
        (table(["O", "B-GENRE", "O"], ["show", "comedy", "now"]), "line 1: column 1 looks like entity tags"),
        (table(["NN", "VB", "JJ"] * 22, LONG[:66]), "column 1 has 3 different values and column 2 has 63"),
        (table(LONG[:6], ["PER"] + ["O"] * 5), "line 1: found entity tags such as 'PER', types without B or I"),
        (table(LONG[:6], ["person-actor"] + ["O"] * 5), "types without B or I"),
        (table(LONG[:6], ["NN", "VB"] * 3, ["<PER>"] + ["O"] * 5), "types without B or I"),
        (table(LONG[:3], ["B_PER", "I_PER", "O"], ["NN", "NN", "VB"]), "another sign than the hyphen"),
        (
            table(LONG[:3], ["NN", "NN", "VB"], ["B_PER", "I_PER", "O"], ["0.9", "0.8", "1"]),
            "another sign than the hyphen",
        ),
        (table(LONG[:2], ["B–PER", "O"]), "another sign than the hyphen"),
        (table(LONG[:3], ["B=PER", "O", "O"]), "such as 'B=PER', with another sign than the hyphen"),
        (table(LONG[:3], ["PER:B", "O", "LOC:B"]), "such as 'PER:B', with the prefix at the end"),
        (table(LONG[:3], ["[B-PER]", "O", "[I-PER]"]), "such as '.B-PER.', in brackets"),
        (table(LONG[:3], ["NN", "VB", "JJ"], ["*", "(PER*", "*)"]), r"line 2: found '\(PER\*', entities in brackets"),
        (table(LONG[:20], ["en"] * 20, ["twitter"] * 20), "no column looks like tags"),
        (
            table(["17", "18"], ["positive", "negative"], ["so good to be here", "this is very bad"]),
            "table of whole texts",
        ),
        ("Mia/NNP runs/VBZ\nso/RB good/JJ\n", "words with their tags behind a '/'"),
        ("Mia|B-PER\nruns|O\n\nok|O\n", "found one token a line with '|'"),
        ("1 Mia Mia PROPN NNP _ 2 nsubj _ _\n2 runs run VERB VBZ _ 0 root _ _\n", "looks like CoNLL-U with blanks"),
        ("so\tRB\n# newpar\ngood\tJJ\n", "line 2: found the comment '# newpar' between tokens"),
        ("so\tRB\tO\n# id 2\ngood\tJJ\tO\n", "line 2: found the comment '# id 2' between tokens"),
    ],
)
def test_columns_that_would_be_guessed_wrong_are_refused(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_file(tmp_path, content)


def test_an_o_that_is_a_part_of_speech_is_a_tag(tmp_path):
    (text,) = read_file(tmp_path, table(["i", "you", "we", "he", "it", "run"], ["O", "O", "O", "O", "O", "V"]))
    assert text.tags == ["O", "O", "O", "O", "O", "V"]


def test_numbered_comments_before_texts_are_no_tokens(tmp_path):
    texts = read_file(tmp_path, "# 1\nso RB\n\n# 2\ngood JJ\n\n# 2.\nbad JJ\n")
    assert [text.words for text in texts] == [["so"], ["good"], ["bad"]]


@pytest.mark.parametrize(
    ("content", "warning"),
    [
        (table(LONG, ["NN", "VB", "JJ"] * 22) * 4 + "\nso\tRB\n", "The text that begins in line 1 has 264 tokens"),
        ("so\tRB\n\ngood\tJJ\n\nbad\tJJ\n", "Every text is one token"),
    ],
)
def test_blank_lines_that_are_missing_or_too_many_are_warned_of(tmp_path, content, warning):
    notes = Notes()
    read_file(tmp_path, content, notes)
    assert warning in "\n".join(notes.warnings)


@pytest.mark.parametrize("header", ["tokens pos_tags", "Word POS_Tag", "words labels", "sentence_id tokens ner_tags"])
def test_a_header_is_named(header):
    width = len(header.split())
    row = "a X" if width == 2 else "1 a O"
    with pytest.raises(DataError, match="names of columns, expected a token and its tag; remove the line"):
        read_rows(
            lines_of(header, *[row] * 3),
            separator="\t",
            columns=Columns(["token", "tag"] if width == 2 else ["-", "token", "ent"]),
        )


def test_an_underscore_is_a_missing_tag():
    (text,) = read_rows(lines_of("Mia NNP", "is _", "here RB"), separator="\t")
    assert text.tags == ["NNP", "", "RB"]


@pytest.mark.parametrize("outside", ["_", "OTHER", "NONE"])
def test_types_without_b_or_i_are_named_whatever_stands_for_no_entity(outside):
    with pytest.raises(DataError, match="types without B or I"):
        read_rows(lines_of("Mia PER", *[f"w{i} {outside}" for i in range(6)]), separator="\t")


def test_a_name_of_the_text_is_no_token_at_any_size():
    (text,) = read_rows(lines_of("bc/cctv 0 Hong NNP", "bc/cctv 1 Kong NNP", "bc/cctv 2 is VBZ"), separator="\t")
    assert (text.words, text.tags) == (["Hong", "Kong", "is"], ["NNP", "NNP", "VBZ"])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a B-NP", "b I-NP", "c B-VP"], r"entity types are those of chunks \(NP, VP\)"),
        (
            ["d the", "n dog", "d a", "n cat", "v saw", "n him"],
            "3 different values and the tags 6; if the tokens stand in another column",
        ),
    ],
)
def test_what_is_probably_not_meant_is_warned_of(rows, message):
    notes = Notes()
    read_rows(lines_of(*rows), separator="\t", notes=notes)
    assert any(re.search(message, warning) for warning in notes.warnings)


@pytest.mark.parametrize(
    ("separator", "content", "columns"),
    [
        ("\t", "a\tX\n\u00a0\tY\n\n\tZ\n", Columns(skip_blank=True)),
        ("\t", "1\ta\tX\n2\t\u00a0\tY\n", Columns(["-", "token", "tag"], skip_blank=True)),
        (None, "a X\n\u00a0 Y\n", Columns(skip_blank=True)),
    ],
)
def test_blank_tokens_are_left_out_in_any_column(separator, content, columns):
    (text,) = read_rows(content, separator=separator, columns=columns)
    assert (text.words, text.tags) == (["a"], ["X"])
    assert columns.skipped == content.count("\u00a0") + content.count("\n\t")


@pytest.mark.parametrize("indent", [" ", "\t", "  \t"])
def test_indented_rows_of_conll_are_read(indent):
    (text,) = read_rows(f"{indent}a X\n{indent}b Y\n", separator=None)
    assert (text.words, text.tags) == (["a", "b"], ["X", "Y"])


def test_dates_are_no_tags(tmp_path):
    path = tmp_path / "dates.tsv"
    path.write_text("Mara\t2020-01-01\tNNP\nleft\t2020-01-02\tVBD\nus\t12:30\tPRP\n", encoding="utf8")
    _, (text,) = read_corpus(path)
    assert text.tags == ["NNP", "VBD", "PRP"]


@pytest.mark.parametrize(
    ("content", "words", "ents"),
    [
        ("Ann|B-PER runs|O\nBob|B-PER a|b|O\n", [["Ann", "runs"], ["Bob", "a|b"]], [["B-PER", "O"], ["B-PER", "O"]]),
        ("Ann|NNP|B-PER runs|VBZ|O\nso||RB|O\n", [["Ann", "runs"], ["so|"]], [["B-PER", "O"], ["O"]]),
    ],
)
def test_bars_inside_of_tokens_of_iob(tmp_path, content, words, ents):
    texts = read_file(tmp_path, content)
    assert ([text.words for text in texts], [text.ents for text in texts]) == (words, ents)


@pytest.mark.parametrize(
    ("name", "content", "item"),
    [
        ("a.txt", 20 * "so|RB|O good|JJ|O\n" + "a|O x|NN|O\n", "a|O"),
        ("a.iob", "Ann|NNP|B-PER\u00a0x runs|VBZ|O\n", "x"),
    ],
)
def test_an_item_of_iob_without_its_parts_is_named(tmp_path, name, content, item):
    path = tmp_path / name
    path.write_text(content, encoding="utf8")
    with pytest.raises(DataError, match=rf"found \d column\(s\) in '{re.escape(item)}', expected 3 \(token, tag, ent\)"):
        read_corpus(path)


def test_columns_of_tweeboparser(tmp_path):
    rows = [
        "1 RT _ ~ ~ _ -1 _",
        "2 I _ O O _ 3 _",
        "3 love _ V V _ 0 _",
        "4 cats _ N N _ 5 CONJ",
        "5 and _ & & _ 3 COORD",
    ]
    (text,) = read_file(tmp_path, lines_of(*rows, "6 dogs _ N N _ 5 CONJ"))
    assert (text.words, text.tags) == (["RT", "I", "love", "cats", "and", "dogs"], ["~", "O", "V", "N", "&", "N"])


def test_ids_beside_entities_are_no_tags(tmp_path):
    rows = ["0 Ann B-PER bn:00001n", "1 runs O bn:00002n", "", "0 Bob B-PER bn:00002n", "1 sat O bn:00003n"]
    texts = read_file(tmp_path, lines_of(*rows))
    assert [(text.tags, text.ents) for text in texts] == [(None, ["B-PER", "O"])] * 2


def test_marks_of_documents_are_left_out(tmp_path):
    content = "<DOCSTART> -X- O\n\nAnn NNP B-PER\nruns VBZ O\n\n-DOCEND- -X- O\n"
    (text,) = read_file(tmp_path, content)
    assert (text.words, text.tags) == (["Ann", "runs"], ["NNP", "VBZ"])


def test_columns_under_the_name_of_conllu_are_columns(tmp_path):
    path = tmp_path / "train.conllu"
    path.write_text("0\tThis\tO\n1\tPaul\tB-PER\n\n0\tUS\tB-ORG\n1\tis\tO\n", encoding="utf8")
    assert [text.words for text in read_corpus(path)[1]] == [["This", "Paul"], ["US", "is"]]


@pytest.mark.parametrize(
    "tags",
    [
        ["LID(bep,stan,rest)", "N(soort,ev,basis)", "WW(pv,tgw,ev)", "LET()", "BW()"],  # CGN
        ["名詞,一般", "助詞,係助詞", "動詞,自立", "助動詞", "記号"],  # MeCab
        ["NN/VB", "VBD", "DT", "JJ", "IN"],
        ["det", "noun", "aux", "verb", "punct"],
        ["at", "nn", "in", "to", "pps"],  # Brown, in small letters
    ],
)
def test_tags_of_other_sets(tmp_path, tags):
    words = ["De", "man", "loopt", "...", "nu"]
    (text,) = read_file(tmp_path, "".join(f"{word}\t{tag}\n" for word, tag in zip(words, tags)))
    assert (text.words, text.tags) == (words, tags)


def test_tags_of_claws_beside_entities(tmp_path):
    rows = ["I PPIS1 O", "saw VV0 O", "Ann NP1 B-PER", "on II O", "Monday NPD1 O", "all DB O", "day NNT1 O"]
    (text,) = read_file(tmp_path, lines_of(*rows))
    assert text.tags == ["PPIS1", "VV0", "NP1", "II", "NPD1", "DB", "NNT1"]


def test_tokens_in_capitals_that_are_tags_too(tmp_path):
    (text,) = read_file(tmp_path, lines_of("RT ~", "USA ^", "URL U", "TO P", "HT #"))
    assert text.words == ["RT", "USA", "URL", "TO", "HT"]


@pytest.mark.parametrize(
    "cells",
    [("0.61", "-0.2"), ("61%", "0,35"), ("12:48:28", "9e-1"), ("5d7d255f", "aa7d2551"), ("nsubj", "root")],
    ids=str,
)
def test_numbers_ids_and_relations_are_no_tokens(cells):
    words = ["Mia NNP B-PER", "eats VBZ O", "figs NNS O", "now RB O"]
    rows = [f"{cells[i % 2]} {row}" for i, row in enumerate(words)]
    with pytest.raises(DataError, match=rf"column 1 holds numbers, ids or relations such as '{cells[0]}', where the tokens"):
        read_rows(lines_of(*rows), separator="\t")


def test_languages_of_words_are_no_tags():
    (text,) = read_rows(lines_of("Me lang1 O", "gusta lang2 O", "York lang1 B-LOC", "lol ne O"), separator="\t")
    assert (text.tags, text.ents) == (None, ["O", "O", "B-LOC", "O"])


def test_the_raw_text_may_stand_right_behind_the_sign_of_comments(tmp_path):
    (text,) = read_file(tmp_path, "#text = hi  there\nhi\tUH\nthere\tRB\n")
    assert text.text == "hi  there"


def test_links_of_entities_are_no_tags(tmp_path):
    """As of MultiNERD; and the types alone."""
    (text,) = read_file(tmp_path, "Mia\tB-PER\tPER\nleft\tO\tO\nLisbon\tB-LOC\tLOC\n")
    assert (text.tags, text.ents) == (None, ["B-PER", "O", "B-LOC"])
    rows = "0\tMia\tB-PER\tO\n1\tleft\tO\tO\n2\tLisbon\tB-LOC\tbn:00015540n\n"
    (text,) = read_file(tmp_path, rows)
    assert (text.words, text.tags, text.ents) == (["Mia", "left", "Lisbon"], None, ["B-PER", "O", "B-LOC"])
