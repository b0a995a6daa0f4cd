import pytest

from spacy_bilstm_tagger.corpus import EntityTags, read_corpus
from spacy_bilstm_tagger.corpus.tag_map import read_tag_map
from spacy_bilstm_tagger.errors import DataError


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


def test_bio_marks_no_ends(write):
    assert read_corpus(write("B-P", "I-P", "O", "B-P"))[1][0].ents == ["B-P", "I-P", "O", "B-P"]


@pytest.mark.parametrize("new", ["a|", "|a", "a|a"])
def test_a_type_with_an_empty_or_double_part_is_refused(tmp_path, new):
    (tmp_path / "map").write_text(f"P\t{new}\n", encoding="utf-8")
    with pytest.raises(DataError, match="or several different ones"):
        read_tag_map(tmp_path / "map")
