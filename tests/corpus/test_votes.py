"""Raters' votes on toxic spans: three files in, soft labels or the spans of a majority out."""

from pathlib import Path

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.tokens import DocBin

from spacy_bilstm_tagger.corpus import CharacterSpans, Notes, read_corpus, to_docbin
from spacy_bilstm_tagger.corpus.votes import majority, read_votes
from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.pipeline.soft_labels import get_soft_labels

COMMENTS = 'comment_id,comment_text\n7,"you idiot,\nyou fool"\n8,nice day\n'
ANNOTATIONS = "annotation,comment_id,worker,country,all toxic,not toxic\n" + "".join(
    f"{rater},{post},1,USA,{flags}\n"
    for rater, post, flags in [(1, 7, "False,False"), (2, 7, "False,False"), (3, 7, "True,True"), (4, 8, "True,True")]
)
SPANS = "annotation,type,start,end\n1,Insult,0,9\n1,Threat,15,19\n2,Insult,4,9\n"


@pytest.fixture
def write(tmp_path):
    def write_files(comments=COMMENTS, annotations=ANNOTATIONS, spans=SPANS):
        for name, content in (("comments", comments), ("annotations", annotations), ("spans", spans)):
            (tmp_path / f"{name}.csv").write_text(content, encoding="utf8")
        return tmp_path

    return write_files


def test_each_rater_s_ranges_are_read(write):
    notes = Notes()
    name, (toxic, nice) = read_corpus(write(), notes=notes)
    assert name == "toxic_votes"
    assert toxic.raw == "you idiot,\nyou fool"
    assert toxic.votes == [[(0, 9), (15, 19)], [(4, 9)], []]
    assert nice.votes == [[]]
    assert notes.lines == ["4 raters' votes, of which 2 mark nothing"]
    assert notes.warnings == []


def test_tokens_get_the_share_of_the_raters_who_marked_them(write):
    (toxic, nice) = read_votes(write())
    docs = list(DocBin().from_bytes(to_docbin(Path("x"), [toxic, nice]).to_bytes()).get_docs(spacy.blank("en").vocab))
    soft = get_soft_labels(docs[0], "toxic")
    assert [token.text for token in docs[0]] == ["you", "idiot", ",", "\n", "you", "fool"]
    assert soft.labels == ["O-toxic", "I-toxic"]
    assert_allclose(soft.rows[:, 1], [1 / 3, 2 / 3, 0, 0, 0, 1 / 3], atol=1e-3)
    assert_allclose(soft.rows.sum(axis=1), 1, atol=1e-3)
    # By rater: you idiot ... fool has II IO OO OO OI; idiot alone OI IO OO OO OO; nothing five times OO.
    assert_allclose(soft.pairs, np.array([[2 + 3 + 5, 1 + 1], [1 + 1, 1]]) / 3, atol=1e-2)
    assert_allclose(get_soft_labels(docs[1], "toxic").rows[:, 1], 0)
    assert "toxic" not in docs[0].spans


def test_white_space_at_the_ends_of_a_range_marks_nothing(write):
    """Raters often take the blank before or after a word along."""
    comments = "comment_id,comment_text\n7,you  idiot now\n"
    annotations = "annotation,comment_id\n1,7\n2,7\n"
    texts = read_votes(write(comments, annotations, "annotation,start,end\n1,3,11\n2,3,4\n"))
    counted = CharacterSpans()
    (doc,) = to_docbin(Path("x"), texts, spans=counted).get_docs(spacy.blank("en").vocab)
    marked = get_soft_labels(doc, "toxic").rows[:, 1]
    assert {token.text: float(share) for token, share in zip(doc, marked) if share} == {"idiot": 0.5}
    assert (counted.found, counted.blank) == (1, 1)


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ([[(0, 4)], [(2, 6)]], [(0, 6)]),
        ([[(0, 4)], [(2, 6)], [(3, 8)]], [(2, 6)]),
        ([[(0, 4)], [], []], [(0, 4)]),  # who marks nothing does not count
        ([[(0, 2)], [(3, 4)], [(5, 6)]], []),
        ([[], []], []),
    ],
)
def test_the_majority_of_those_who_marked_any(votes, expected):
    assert majority(votes) == expected


def test_ranges_outside_of_their_post_and_posts_without_a_rater_are_left_out_and_counted(write):
    notes = Notes()
    folder = write(comments=COMMENTS + "9,alone\n", spans=SPANS + "3,Insult,0,99\n3,Insult,4,4\n4,Insult,-1,2\n")
    texts = read_votes(folder, notes=notes)
    assert [text.votes[-1] for text in texts] == [[], []]
    assert notes.warnings == [
        "Ranges that are not in their post, left out: 3",
        "Posts without a rater, left out: 1",
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"spans": SPANS + "99,Insult,0,1\n"}, r"spans.csv, line 5: the annotation 99 is not in annotations.csv"),
        ({"spans": SPANS + "1,Insult,a,1\n"}, r"spans.csv, line 5: found a, 1, expected two whole numbers"),
        (
            {"annotations": ANNOTATIONS + "5,99,1,USA,a,b\n"},
            r"annotations.csv, line 6: the comment 99 is not in comments.csv",
        ),
        (
            {"comments": "id,text\n"},
            r"comments.csv, line 1: found the columns id, text, expected comment_id, comment_text",
        ),
        ({"comments": COMMENTS + "9\n"}, r"comments.csv, line 5: found 1 cells, expected 2"),
        ({"spans": ""}, r"spans.csv, line 1: found the columns none, expected annotation, start, end"),
        ({"annotations": ANNOTATIONS.partition("\n")[0], "spans": SPANS.partition("\n")[0]}, "found no annotated text"),
    ],
)
def test_bad_files_are_named(write, files, message):
    with pytest.raises(DataError, match=message):
        read_votes(write(**files))


@pytest.mark.parametrize("name", ["spans.csv", "missing", "empty"])
def test_what_is_no_folder_with_the_files_is_named(write, name):
    folder = write()
    (folder / "empty").mkdir()
    with pytest.raises(DataError, match=rf"{name}: expected a folder with the files comments\.csv, annotations\.csv, spans\.csv"):
        read_corpus(folder / name, format="toxic_votes")


def test_the_command_writes_shares_or_the_majority(write, spacy_bilstm, tmp_path):
    folder = write()
    for votes in ("shares", "majority"):
        code, out, _ = spacy_bilstm("convert", folder, tmp_path / f"{votes}.spacy", "--votes", votes)
        assert code == 0
        assert "4 raters' votes, of which 2 mark nothing" in out
    (toxic, nice) = DocBin().from_disk(tmp_path / "majority.spacy").get_docs(spacy.blank("en").vocab)
    assert [span.text for span in toxic.spans["toxic"]] == ["you idiot", "fool"]
    assert list(nice.spans["toxic"]) == []
    (toxic, _) = DocBin().from_disk(tmp_path / "shares.spacy").get_docs(spacy.blank("en").vocab)
    assert get_soft_labels(toxic, "toxic") is not None


def test_texts_without_spans(tmp_path, spacy_bilstm):
    (tmp_path / "tweets.txt").write_text("so good\n\nnice day!\n", encoding="utf8")
    code, out, _ = spacy_bilstm("convert", tmp_path / "tweets.txt", tmp_path / "out.spacy", "--format", "text")
    assert code == 0
    assert "texts without spans: 2" in out
    docs = list(DocBin().from_disk(tmp_path / "out.spacy").get_docs(spacy.blank("en").vocab))
    assert [(doc.text, list(doc.spans["toxic"])) for doc in docs] == [("so good", []), ("nice day!", [])]
    (tmp_path / "tweets.txt").write_text("\n", encoding="utf8")
    _, _, err = spacy_bilstm("convert", tmp_path / "tweets.txt", tmp_path / "none.spacy", "--format", "text")
    assert "found no annotated text" in err
