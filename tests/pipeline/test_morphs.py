"""`token.morph` by the tags of a `bilstm_tagger`, as an `attribute_ruler` would set it."""

import pytest
import spacy
from spacy.tokens import Doc

TEXTS = ["RT @mara_lune: so good !!", "do n't go there", "", "   ", "the new record"]


@pytest.fixture
def trained(tweet_nlp, make_examples):
    tweet_nlp.add_pipe("bilstm_tagger")
    examples = make_examples(tweet_nlp)
    optimizer = tweet_nlp.initialize(lambda: examples)
    optimizer.learn_rate = 0.01
    for _ in range(30):
        tweet_nlp.update(examples, sgd=optimizer)
    return tweet_nlp


def test_are_those_of_the_tags(trained):
    tagger = trained.get_pipe("bilstm_tagger")
    tag = tagger.labels[0]
    plain = [[token.tag_ for token in doc] for doc in trained.pipe(TEXTS)]
    assert not any(str(token.morph) for doc in trained.pipe(TEXTS) for token in doc)
    tagger.morphs = {tag: "VerbForm=Fin|Tense=Past", "no such tag": "Number=Sing"}
    docs = list(trained.pipe(TEXTS))
    assert [[token.tag_ for token in doc] for doc in docs] == plain
    expected = {tag: "Tense=Past|VerbForm=Fin"}
    assert all(str(token.morph) == expected.get(token.tag_, "") for doc in docs for token in doc)
    assert any(token.morph.get("Tense") == ["Past"] for doc in docs for token in doc)


def test_of_words_with_an_apostrophe_of_either_form(trained):
    tagger = trained.get_pipe("bilstm_tagger")
    tagger.overwrite = False
    tag = tagger.labels[0]
    tagger.morphs = {f"{tag} n't": "Polarity=Neg"}
    doc = Doc(trained.vocab, words=["n't", "n’t", "not"], tags=[tag] * 3)
    assert [str(token.morph) for token in tagger(doc)] == ["Polarity=Neg", "Polarity=Neg", ""]


def test_what_is_set_stays_unless_overwrite(trained):
    tagger = trained.get_pipe("bilstm_tagger")
    tagger.morphs = dict.fromkeys(tagger.labels, "Number=Sing")
    doc = trained.make_doc("so good")
    doc[0].set_morph("Degree=Pos")
    assert [str(token.morph) for token in tagger(doc)] == ["Degree=Pos", "Number=Sing"]
    tagger.overwrite = True
    assert [str(token.morph) for token in tagger(doc)] == ["Number=Sing", "Number=Sing"]


def test_of_a_tag_that_was_set_before_are_its_own(trained):
    tagger = trained.get_pipe("bilstm_tagger")
    first, second = tagger.labels[:2]
    tagger.morphs = {first: "Number=Sing", second: "Number=Plur"}
    for tag, features in tagger.morphs.items():
        doc = trained.make_doc("so good")
        doc[0].tag_ = tag
        doc = tagger(doc)
        assert (doc[0].tag_, str(doc[0].morph)) == (tag, features)


def test_by_parts_of_speech(tweet_nlp, make_examples):
    pos = tweet_nlp.add_pipe("bilstm_tagger", config={"attr": "pos", "morphs": {"NOUN": "Number=Sing"}})
    for label in ("NOUN", "VERB"):
        pos.add_label(label)
    tweet_nlp.initialize()
    doc = tweet_nlp.make_doc("so good")
    doc[0].pos_, doc[1].pos_ = "NOUN", "VERB"
    assert [str(token.morph) for token in pos(doc)] == ["Number=Sing", ""]


def test_each_tagger_has_its_own():
    first = spacy.blank("en").add_pipe("bilstm_tagger")
    first.morphs["NN"] = "Number=Sing"
    assert spacy.blank("en").add_pipe("bilstm_tagger").morphs == {}


def test_features_of_others_stay_where_the_tag_has_none(trained):
    tagger = trained.get_pipe("bilstm_tagger")
    tagger.morphs, tagger.overwrite = {"no such tag": "Number=Sing"}, True
    doc = trained.make_doc("so good")
    doc[0].set_morph("Degree=Pos")
    assert [str(token.morph) for token in tagger(doc)] == ["Degree=Pos", ""]


def test_features_of_what_is_no_label_are_warned_of(tweet_nlp, make_examples):
    tweet_nlp.add_pipe("bilstm_tagger", config={"morphs": {"nope": "Number=Sing"}})
    examples = make_examples(tweet_nlp)
    with pytest.warns(UserWarning, match="morphs of nope, which are no labels of it"):
        tweet_nlp.initialize(lambda: examples)


def test_those_of_a_word(trained):
    tagger = trained.get_pipe("bilstm_tagger")
    first, second = tagger.labels[:2]
    tagger.morphs = {first: "Number=Sing", f"{first} she": "Gender=Fem", f"{second} good": "Degree=Pos"}
    words = [("She", first), ("he", first), ("she", second), ("good", second), ("good", first)]
    doc = Doc(trained.vocab, words=[word for word, _ in words], tags=[tag for _, tag in words])
    assert [str(token.morph) for token in tagger(doc)] == ["Gender=Fem", "Number=Sing", "", "Degree=Pos", "Number=Sing"]
