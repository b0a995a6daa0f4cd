from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc
from spacy.util import registry

from spacy_bilstm_tagger.corpus import AnnotatedText
from spacy_bilstm_tagger.corpus.labels import make_tag_map, map_tags, read_tag_map
from spacy_bilstm_tagger.errors import DataError

MAP, SOURCE = Path("map.tsv"), Path("tweets")


def text_of(tags):
    return AnnotatedText(["x"] * len(tags or "x"), tags, None, None, [])


def test_a_line_is_a_tag_and_its_new_tag(tmp_path):
    path = tmp_path / "map.tsv"
    path.write_text("NN\tNOUN\n\n''\t\"\n # \tX \r\nHT\t-\n", encoding="utf-8")
    assert read_tag_map(path) == {"NN": "NOUN", "''": '"', "#": "X", "HT": "-"}


def test_an_attribute_ruler_is_initialized_with_a_map(project):
    """As `[initialize.components.attribute_ruler.tag_map]` of a config does: the first of several parts of speech."""
    path = project / "assets" / "tag_maps" / "ritter-to-upos.tsv"
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("attribute_ruler")
    tag_map = registry.resolve({"map": {"@readers": "spacy-bilstm-tagger.read_tag_map.v1", "path": str(path)}})["map"]
    ruler.initialize(lambda: [], nlp=nlp, tag_map=tag_map)
    doc = ruler(Doc(nlp.vocab, words=["so", "in", "x", "?"], tags=["RB", "IN", "USR", "O"]))
    assert [token.pos_ for token in doc] == ["ADV", "ADP", "PROPN", ""]


def test_a_map_to_what_is_no_part_of_speech_is_refused(tmp_path):
    path = tmp_path / "map.tsv"
    path.write_text("NN\tNOUN\nVB\tVERBUM|AUX\n", encoding="utf-8")
    with pytest.raises(DataError, match="VB becomes 'VERBUM'; expected universal parts of speech, such as NOUN"):
        make_tag_map(path)


@pytest.mark.parametrize("line", ["NN", "NN NOUN", "NN\t", "\tNOUN", "NN\tNOUN\tX", "NN\t \t"])
def test_a_line_of_another_form_is_named(tmp_path, line):
    path = tmp_path / "map.tsv"
    path.write_text(f"VB\tVERB\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_tag_map(path)
    assert str(error.value) == f"{path}, line 2: found {line!r}, expected two columns: tag TAB new tag"


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_a_map_without_entries_is_refused(tmp_path, content):
    path = tmp_path / "map.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"map.tsv: found no entries, expected lines of tag TAB new tag$"):
        read_tag_map(path)


def test_a_missing_map_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.tsv: no such file$"):
        read_tag_map(tmp_path / "nowhere.tsv")


def test_tags_are_renamed_and_missing_ones_stay_missing():
    texts = [text_of(["NN", "", "VB"]), text_of(None), text_of(["HT", "NN"])]
    map_tags(MAP, {"NN": "NOUN", "VB": "VERB", "HT": "-"}, SOURCE, texts)
    assert [text.tags for text in texts] == [["NOUN", "", "VERB"], None, ["", "NOUN"]]


def test_a_tag_can_become_one_of_several():
    texts = [text_of(["NOUN", "X"])]
    map_tags(MAP, {"NOUN": "NN|NNS|NNP", "X": "-"}, SOURCE, texts)
    assert texts[0].tags == ["NN|NNS|NNP", ""]


@pytest.mark.parametrize("new", ["NN|", "|NN", "NN||NNS", "NN|NN"])
def test_parts_that_are_empty_or_the_same_are_refused(tmp_path, new):
    path = tmp_path / "map.tsv"
    path.write_text(f"VERB\tVB\nNOUN\t{new}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"line 2: NOUN becomes .*; expected one label, or several different ones"):
        read_tag_map(path)


def test_a_map_in_another_encoding_has_to_be_saved_again(tmp_path):
    path = tmp_path / "map.tsv"
    path.write_bytes(b"NN\tNOUN\nVB\tV\xe9\n")
    with pytest.raises(
        DataError, match=r"line 2: not utf-8; byte 0xe9 cannot be there\. Save the file as UTF-8; it may be cp1252 "
    ):
        read_tag_map(path)


def test_new_names_are_not_mapped_again():
    texts = [text_of(["A", "B"])]
    map_tags(MAP, {"A": "B", "B": "A"}, SOURCE, texts)
    assert texts[0].tags == ["B", "A"]


def test_gaps_are_all_listed_with_their_counts_and_nothing_is_renamed():
    texts = [text_of(["NN", "UH", "RT"]), text_of(["RT", "", "NN"])]
    with pytest.raises(DataError) as error:
        map_tags(MAP, {"NN": "NOUN"}, SOURCE, texts)
    assert str(error.value) == "map.tsv: no entry for RT (2), UH (1); every tag of tweets needs one"
    assert [text.tags for text in texts] == [["NN", "UH", "RT"], ["RT", "", "NN"]]
