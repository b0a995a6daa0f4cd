from pathlib import Path

import pytest

from spacy_bilstm_tagger.corpus import Notes
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
    cat, underscore = row("1", "cat", upos="NOUN", xpos="NN"), row("2", "_", upos="_", xpos="SYM")
    (text,) = read(cat, underscore, row("3", "dog", upos="NOUN", xpos="NN"), tags=tags)
    assert text.words == ["cat", "_", "dog"]
    assert text.tags[:2] == expected


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
    with pytest.raises(DataError, match=r"^--tags pos: expected upos, xpos or none$"):
        read(row("1", "a"), tags="pos")


def test_the_columns_may_follow_other_comments_at_the_head_of_the_file():
    (text,) = read("# newdoc", "", "# license = CC0", "# global.columns = ID FORM NER", "1\tMia\tB-PER", "2\tran\tO")
    assert (text.words, text.ents) == (["Mia", "ran"], ["B-PER", "O"])


@pytest.mark.parametrize(("columns", "found"), [("ID UPOS", "ID UPOS"), ("", "none")])
def test_columns_without_form_are_refused(columns, found):
    with pytest.raises(DataError) as error:
        read("# a = b", f"# global.columns = {columns}", "1\tX")
    assert str(error.value) == f"ud.conllu, line 2: found the columns {found}, expected FORM, the words, among them"


@pytest.mark.parametrize("comment", ["# a note", "#x", "# newpar", "# text = b"])
def test_a_comment_between_the_words_of_a_sentence_is_refused(comment):
    with pytest.raises(DataError, match=rf"^ud.conllu, line 2: found the comment '{comment}' between tokens"):
        read(row("1", "a"), comment, "# another", row("2", "b"))
    (text,) = read(row("1", "a"), comment)
    assert (text.words, text.raw) == (["a"], "a")


@pytest.mark.parametrize("key", ["name", "ner", "NE", "NER", "Entity", "NamedEntity", "namedEntity"])
def test_entities_are_those_of_a_key_of_misc_in_any_letter_case(key):
    notes = Notes()
    lines = [
        row("1", "Mia", misc=f"SpaceAfter=No|{key}=B-PER"),
        row("2", "Lee", misc=f"{key}=I-PER|X=Y"),
        row("3", "ran"),
    ]
    (text,) = read_conllu(PATH, "\n".join(lines), notes=notes)
    assert text.ents == ["B-PER", "I-PER", "O"]
    assert (notes.lines, notes.warnings) == ([f"Entity tags: from the column MISC ({key.lower()}=)"], [])


@pytest.mark.parametrize("misc", ["NamedEntity=Yes", "Name=Mia", "NameType=Giv", "XName=B"])
def test_values_of_another_kind_are_left_alone(misc):
    notes = Notes()
    (text,) = read_conllu(PATH, row("1", "Mia", misc=misc), notes=notes)
    assert (text.ents, notes) == (None, Notes())


def test_the_key_whose_values_are_bio_is_read_beside_others():
    (text,) = read(row("1", "Mia", misc="Name=Mia|NER=B-PER"), row("2", "ran", misc="NamedEntity=No"))
    assert text.ents == ["B-PER", "O"]


@pytest.mark.parametrize("mark", ["_", "*"])
def test_a_file_is_refused_if_half_of_its_words_were_taken_out(mark):
    sentences = [row("1", mark), row("2", "."), "", row("1", mark), "", row("1", "a")]
    message = rf"^ud.conllu, line 1: 2 of 4 words are '\{mark}', so the text was taken out of the file, as in"
    with pytest.raises(DataError, match=message):
        read(*sentences)
    assert [text.words for text in read(*sentences, row("2", "b"))] == [[mark, "."], [mark], ["a", "b"]]


@pytest.mark.parametrize(
    ("entities", "line", "found"),
    [
        (["O", "B_PER"], 3, "'B_PER' in NER, with another sign than the hyphen"),
        (["_", "B_PER"], 3, "'B_PER' in NER, with another sign than the hyphen"),
        (["O", "PER-B"], 3, "'PER-B' in NER, with the prefix at the end"),
        (["O", "O", "O", "O", "PER", "O"], 6, "'PER' in NER, types without B or I"),
    ],
)
def test_entities_of_another_form_are_refused(entities, line, found):
    rows = [f"{i}\tw\t{entity}" for i, entity in enumerate(entities, 1)]
    with pytest.raises(DataError, match=f"^ud.conllu, line {line}: found entity tags such as {found}; expected O, B-TYPE"):
        read("# global.columns = ID FORM NER", *rows)


def test_entities_of_another_form_in_misc_are_refused():
    with pytest.raises(DataError, match=r"^ud.conllu, line 2: found entity tags such as 'B_PER' in MISC \(ner=\), with"):
        read(row("1", "so"), row("2", "Mia", misc="NER=B_PER"))


@pytest.mark.parametrize("kind", ["lines", "warnings"])
def test_other_columns_are_noted_with_a_warning_where_they_may_be_entities(kind):
    notes, outside = Notes(), "O" if kind == "warnings" else "*"
    rows = f"# global.columns = ID FORM X\n1\ta\t{outside}\n2\tb\tPER\n3\tc\tPER"
    (text,) = read_conllu(PATH, rows, notes=notes)
    message = f"The column X is not read: PER 2, {outside} 1; entities are read in BIO"
    assert text.ents is None
    assert notes == Notes(**{kind: [message]})


@pytest.mark.parametrize("misc", ["NER=PERSON", "NE=PER_1", "iob=B-PER"])
def test_entities_in_misc_that_are_not_read_are_named(misc):
    notes = Notes()
    (text,) = read_conllu(PATH, row("1", "Mia", misc=misc) + "\n" + row("2", "ran"), notes=notes)
    assert text.ents is None
    assert len(notes.warnings) == 1
    assert f"MISC has {misc.partition('=')[0]}= ({misc.partition('=')[2]} 1), which is not read" in notes.warnings[0]


def test_blanks_behind_cells_are_no_part_of_them_and_parts_of_speech_may_be_small():
    (text,) = read(row("1", "Mara ", upos="propn "), row("2", "left", upos="VERB"))
    assert (text.words, text.tags, text.pos) == (["Mara", "left"], ["propn", "VERB"], ["PROPN", "VERB"])


def test_entity_tags_in_another_place_are_named():
    notes = Notes()
    read_conllu(PATH, row("1", "Mara", misc="B-PER") + "\n" + row("2", "left", misc="O") + "\n", notes=notes)
    assert notes.warnings == ["MISC holds entity tags (B-PER 1, O 1), which are not read; expected name=B-TYPE in MISC"]
    notes = Notes()
    read_conllu(PATH, row("1", "Mara", misc="NER=B-PER|Entity=B-LOC") + "\n", notes=notes)
    assert "Entities in MISC (entity=) are not read: B-LOC 1; entities are read in BIO" in notes.lines


def test_tags_that_are_all_in_the_other_column_are_named():
    notes = Notes()
    read_conllu(PATH, "1\thi\t_\t_\tUH\t_\t_\t_\t_\t_\n", notes=notes)
    assert notes.warnings == ["UPOS holds no tags, and XPOS does; pass --tags xpos to read those"]


@pytest.mark.parametrize(
    "misc", ["SpaceAfter=no", "spaceafter=No", "SpaceAfter = No", "Lang=en | SpaceAfter=No", "SpaceAfter=No;Lang=en"]
)
def test_no_space_however_it_is_written(misc):
    (text,) = read(row("1", "Hi", misc=misc), row("2", "!"))
    assert text.raw == "Hi!"


def test_spaces_that_no_text_has_are_not_known():
    lines = [row("1", "Hi"), row("2", "!"), ""] * 3
    notes = Notes()
    texts = read_conllu(PATH, "\n".join(lines), notes=notes)
    assert [text.raw for text in texts] == [None] * 3
    assert notes.lines == ["Neither '# text' nor SpaceAfter=No: where spaces are is not known"]
    assert read(*lines, row("1", "you", misc="SpaceAfter=No"), row("2", "!"))[0].raw == "Hi !"


@pytest.mark.parametrize("is_exchanged", [False, True])
def test_forms_in_the_place_of_lemmas_are_warned_of(is_exchanged):
    pairs = [("The", "the"), ("cats", "cat"), ("saw", "see"), ("a", "a"), ("cat", "cat")]
    rows = [row(str(i), form).split("\t") for i, (form, _) in enumerate(pairs, 1)]
    for cells, (form, lemma) in zip(rows, pairs):
        cells[1:3] = (lemma, form) if is_exchanged else (form, lemma)
    notes = Notes()
    read_conllu(PATH, "\n".join(map("\t".join, rows)) + "\n", notes=notes)
    assert [each for each in notes.warnings if "were the columns FORM and LEMMA exchanged?" in each] == notes.warnings
    assert len(notes.warnings) == is_exchanged
