import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.lang.en import English
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.pipeline.gold import (
    aligned_ner,
    aligned_tags,
    allowed_tags,
    gold_tags,
    known_tags,
    set_annotated_pos,
    set_annotated_types,
    single_tags,
)

INDEX = {"A": 0, "B": 1, "C": 2}


def test_a_tag_allows_itself_a_missing_one_all_and_alternatives_theirs():
    assert allowed_tags(["A", "", None, "A|C"], INDEX).tolist() == [
        [True, False, False],
        [True, True, True],
        [True, True, True],
        [True, False, True],
    ]
    assert allowed_tags([], INDEX).shape == (0, 3)


def test_a_dash_is_a_missing_label_unless_it_is_a_label():
    assert allowed_tags(["-", "A"], INDEX).tolist() == [[True, True, True], [True, False, False]]
    assert allowed_tags(["-"], {"-": 0, "A": 1}).tolist() == [[True, False]]


@pytest.mark.parametrize("label", ["D", "A|D", "A|", "|"])
def test_unknown_labels(label):
    with pytest.raises(KeyError, match=label.replace("|", r"\|")):
        allowed_tags(["A", label], INDEX)


def test_a_label_that_has_the_sign_of_alternatives_in_its_name():
    assert allowed_tags(["N|soort"], {"N|soort": 0, "V": 1}).tolist() == [[True, False]]
    assert known_tags("N|soort", {"N|soort", "N", "soort"}) == ["N|soort"]


def test_single_tags_stand_for_themselves():
    assert single_tags({"A", "B", "A|B", "A|D", "-", "", None}) == {"A", "B", "A|D"}


@given(data=st.data())
def test_annotation_of_the_same_tokens_is_that_of_spacy_s_alignment(data):
    words = data.draw(st.lists(st.sampled_from(["so", "Lisbon", "\n\n", "😭", "İ", "e\u0301"]), min_size=1, max_size=6))
    ents = data.draw(st.lists(st.sampled_from(["O", "", "B-place", "I-place", "B-person"]), **_as_many(words)))
    ents = ["B-place" if tag == "I-place" and (i == 0 or ents[i - 1][2:] != "place") else tag for i, tag in enumerate(ents)]
    tags = data.draw(st.lists(st.sampled_from(["", "NN", "NN|VB"]), **_as_many(words)))
    vocab = Vocab()
    gold = Doc(vocab, words=words, ents=data.draw(st.sampled_from([None, ents])), tags=tags)
    example = Example(Doc(vocab, words=words), gold)
    assert aligned_ner(example) == example.get_aligned_ner()
    assert [tag or None for tag in aligned_tags(example, "tag")] == [
        tag or None for tag in example.get_aligned("TAG", as_string=True)
    ]


def _as_many(words):
    return {"min_size": len(words), "max_size": len(words)}


def test_the_tag_of_white_space_is_set_by_rule_and_not_learned():
    vocab = English().vocab
    doc = Doc(vocab, ["hi", "\n", "you"], tags=["UH", "_SP", "PRP"], pos=["INTJ", "SPACE", "PRON"])
    assert gold_tags(doc, "tag") == ["UH", "", "PRP"]
    assert gold_tags(doc, "pos") == ["INTJ", "", "PRON"]


def test_parts_of_speech_of_several_are_left_out_where_tokens_have_changed():
    doc = Doc(Vocab(), ["New", "York", "runs", "fast"], pos=["PROPN", "", "VERB", "ADV"])
    set_annotated_pos(doc, ["PROPN", "PROPN|NOUN", "VERB", "ADV"])
    assert gold_tags(doc, "pos") == ["PROPN", "PROPN|NOUN", "VERB", "ADV"]
    doc[1].pos_ = "ADJ"
    assert gold_tags(doc, "pos") == ["PROPN", "ADJ", "VERB", "ADV"]
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2], attrs={"POS": "PROPN"})
    assert gold_tags(doc, "pos") == ["PROPN", "VERB", "ADV"]


def test_a_string_is_no_list_of_entity_types():
    with pytest.raises(ConfigError, match=r"found 'PER', expected a list of entity types, such as \['PER'\]"):
        set_annotated_types(Doc(Vocab(), ["so"]), "PER")


@pytest.mark.parametrize(("factory", "attr"), [("bilstm_tagger", "tag"), ("bilstm_tagger", "pos"), ("hmm_tagger", "tag")])
def test_what_a_pipeline_writes_can_be_learned(tweet_nlp, factory, attr):
    tweet_nlp.add_pipe(factory, name="it", config={"attr": attr} if factory == "bilstm_tagger" else {})
    words, tags = ["hi", "\n\n", "you"], {"tag": ["UH", "_SP", "PRP"], "pos": ["INTJ", "SPACE", "PRON"]}
    gold = Doc(tweet_nlp.vocab, words, **{f"{name}{'s' * (name == 'tag')}": values for name, values in tags.items()})
    examples = [Example(tweet_nlp.make_doc(gold.text), gold) for _ in range(4)]
    tweet_nlp.initialize(lambda: examples)
    assert set(tweet_nlp.get_pipe("it").labels) == {"tag": {"UH", "PRP"}, "pos": {"INTJ", "PRON"}}[attr]
    tweet_nlp.update(examples)
    doc = tweet_nlp(gold.text)
    assert getattr(doc[1], f"{attr}_") == {"tag": "_SP", "pos": "SPACE"}[attr]
    tweet_nlp.update([Example(tweet_nlp.make_doc(doc.text), doc)])
