from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bilstm_tagger.corpus import Columns, EntityTags, read_corpus
from spacy_bilstm_tagger.corpus.bio import looks_like_bio
from spacy_bilstm_tagger.errors import DataError

PATH = Path("ents")
TAGS = ["O", "-", *(f"{prefix}-{label}" for prefix in "BIESLU" for label in ("per", "geo-loc"))]


def to_bio(tags, *, repair=False):
    entities = EntityTags(repair=repair)
    return entities.to_bio(PATH, tags.split(" "), list(range(1, tags.count(" ") + 2))), entities.repaired


@pytest.mark.parametrize(
    ("tags", "bio"),
    [
        ("O B-per I-per O B-loc", "O B-per I-per O B-loc"),
        ("B-per B-per I-per", "B-per B-per I-per"),
        ("B-geo-loc I-geo-loc", "B-geo-loc I-geo-loc"),
        ("S-per B-per I-per E-per O", "B-per B-per I-per I-per O"),
        ("U-per B-per I-per L-per O", "B-per B-per I-per I-per O"),
        ("B-per E-per B-per L-per", "B-per I-per B-per I-per"),
        ("- B-per - O", "- B-per - O"),
    ],
    ids=["BIO", "adjacent", "dash-in-type", "BIOES", "BILUO", "two-tokens", "missing"],
)
def test_every_scheme_becomes_bio(tags, bio):
    assert to_bio(tags) == (bio.split(" "), 0)


def test_an_empty_tag_is_missing():
    assert EntityTags().to_bio(PATH, ["", "O"], [1, 2]) == ["-", "O"]


CANNOT_FOLLOW = [
    ("O I-per", "I-per", "O", "O B-per"),
    ("I-per", "I-per", "O", "B-per"),
    ("- I-per", "I-per", "-", "- B-per"),
    ("B-per I-loc", "I-loc", "B-per", "B-per B-loc"),
    ("B-per E-per I-per", "I-per", "E-per", "B-per I-per B-per"),
    ("U-per L-per", "L-per", "U-per", "B-per B-per"),
    ("S-per E-per", "E-per", "S-per", "B-per B-per"),
]


@pytest.mark.parametrize(("tags", "tag", "previous", "_repaired"), CANNOT_FOLLOW)
def test_a_tag_inside_an_entity_must_follow_that_entity(tags, tag, previous, _repaired):
    line = tags.count(" ") + 1
    wrong = f"cannot follow {previous}" if line > 1 else "cannot begin a text"
    expected = f"ents, line {line}: {tag} {wrong}; expected B-{tag[2:]} or O; or pass --repair-bio"
    with pytest.raises(DataError) as error:
        to_bio(tags)
    assert str(error.value) == expected


@pytest.mark.parametrize(("tags", "_tag", "_previous", "repaired"), CANNOT_FOLLOW)
def test_repair_begins_an_entity_there(tags, _tag, _previous, repaired):
    assert to_bio(tags, repair=True) == (repaired.split(" "), 1)


def test_repair_goes_on_with_the_entity_it_began_and_counts_over_texts():
    entities = EntityTags(repair=True)
    assert entities.to_bio(PATH, ["O", "I-x", "I-x", "I-y"], [1, 2, 3, 4]) == ["O", "B-x", "I-x", "B-y"]
    assert entities.to_bio(PATH, ["I-y"], [6]) == ["B-y"]
    assert entities.repaired == 3


@pytest.mark.parametrize("tag", ["per", "B", "B-", "X-per", "b-per", "BI-per", "o", "-per", "B_per"])
@pytest.mark.parametrize("repair", [False, True])
def test_a_tag_of_another_form_is_refused_with_repair_too(tag, repair):
    hint = "(; write (O for 'o'|B-per for 'b-per'))?"
    message = rf"^ents, line 2: found entity tag '{tag}', expected O or B-, I- .* and a type, such as B-person{hint}$"
    with pytest.raises(DataError, match=message):
        to_bio(f"O {tag}", repair=repair)


@given(st.lists(st.sampled_from(TAGS), min_size=1))
def test_repaired_tags_are_valid_bio_and_need_no_repair(tags):
    lines = list(range(len(tags)))
    bio = EntityTags(repair=True).to_bio(PATH, tags, lines)
    assert EntityTags().to_bio(PATH, bio, lines) == bio
    assert [tag[2:] for tag in bio if tag not in "O-"] == [tag[2:] for tag in tags if tag not in "O-"]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"O"}, True),
        ({"O", "B-per", "I-per", "-"}, True),
        ({"S-per", "U-per", "E-per", "L-per"}, True),
        ({"O", "B-per", "I-per", "I_per"}, True),
        ({"NN", "VB", "O"}, False),
        ({"NN", "VB", "B-per"}, False),
        ({"-", ""}, False),
    ],
)
def test_columns_that_look_like_bio(tags, expected):
    assert looks_like_bio(tags) is expected


@pytest.fixture
def write(tmp_path):
    def write(*tags):
        path = tmp_path / "x.tsv"
        path.write_text("".join(f"w{i}\t{tag}\n" for i, tag in enumerate(tags)), encoding="utf8")
        return path

    return write


@pytest.mark.parametrize(
    ("tags", "line", "expected"),
    [
        (["B-P", "L-P", "B-P", "O"], 3, "U-P"),
        (["B-P", "I-P", "O", "U-P"], 2, "L-P"),
        (["B-P", "E-P", "B-P"], 3, "S-P"),
        (["B-P", "B-P", "E-P"], 1, "S-P"),
    ],
)
def test_an_entity_without_an_end_is_refused_where_ends_are_marked(write, tags, line, expected):
    path = write(*tags)
    with pytest.raises(DataError, match=f"line {line}: .*expected {expected}; or pass --repair-bio"):
        read_corpus(path)
    entities = EntityTags(repair=True)
    assert read_corpus(path, entities=entities)[1]
    assert entities.repaired == 1


@pytest.mark.parametrize(
    ("tags", "line", "expected"),
    [(["B-P", "O", "B-P", "S-P"], 4, "B-P"), (["B-P", "O", "B-P", "L-P", "B-P", "I-P"], 4, "I-P")],
)
def test_one_end_that_is_marked_in_a_file_of_bio_is_refused_itself(write, tags, line, expected):
    with pytest.raises(DataError, match=f"line {line}: .* 2 other entities have no such mark; expected {expected}; or"):
        read_corpus(write(*tags))


def test_entity_tags_in_quotes_name_the_way_out(write):
    with pytest.raises(DataError, match=r"line 1: .*write the file again without quotes"):
        read_corpus(write('"B-P"', '"O"'), columns=Columns(["token", "ent"]))


def test_bio_marks_no_ends(write):
    assert read_corpus(write("B-P", "I-P", "O", "B-P"))[1][0].ents == ["B-P", "I-P", "O", "B-P"]
