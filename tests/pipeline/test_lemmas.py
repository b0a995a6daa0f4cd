"""The `tweet_lemmatizer` component."""

import copy
import pickle

import pytest
import spacy
import srsly
from catalogue import REGISTRY
from small_pipelines import TWEETS
from spacy.lookups import Lookups
from spacy.tokens import Doc
from spacy.util import registry

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.pipeline.lemmas import WordList


@pytest.fixture
def nlp():
    lookups = Lookups()
    lookups.add_table("lemma_index", {"verb": ["hop", "hope", "saw", "see"], "noun": ["job", "medium"], "adj": []})
    lookups.add_table("lemma_exc", {"verb": {"are": ["be"], "saw": ["see"]}, "noun": {"media": ["medium"]}, "adj": {}})
    lookups.add_table("lemma_rules", {"verb": [["ing", ""], ["ing", "e"]], "noun": [["s", ""]], "adj": [["er", ""], ["est", ""]]})
    nlp = spacy.blank("en", config=TWEETS)
    nlp.add_pipe("tweet_lemmatizer").initialize(lookups=lookups)
    return nlp


@pytest.mark.parametrize(
    ("word", "pos", "morph", "lemma"),
    [
        ("#Jobs", "NOUN", "", "#jobs"),
        ("#NowPlaying", "VERB", "", "#nowplaying"),
        ("@MaraHoping", "PROPN", "", "@marahoping"),
        ("http://t.co/AbCing", "VERB", "", "http://t.co/AbCing"),
        ("jobs", "NOUN", "Number=Plur", "job"),
        ("hoping", "VERB", "VerbForm=Part", "hope"),  # the last of the forms that are known
        ("livetweeting", "VERB", "VerbForm=Part", "livetweet"),  # the first of those that are not
        ("are", "VERB", "Tense=Pres|VerbForm=Fin", "be"),
        ("saw", "VERB", "VerbForm=Inf", "saw"),
        ("saw", "VERB", "Tense=Past|VerbForm=Fin", "see"),
        ("media", "NOUN", "Number=Sing", "media"),
        ("jobs", "NOUN", "Number=Sing|VerbForm=Fin", "job"),  # the tag is that of a verb
        ("Killer", "ADJ", "Number=Sing", "killer"),
        ("smaller", "ADJ", "Degree=Cmp", "small"),
        ("west", "ADJ", "Degree=Sup", "west"),  # no word is that short
        ("Swing", "VERB", "VerbForm=Part", "swing"),
        ("Breathtaking", "VERB", "Number=Sing", "breathtaking"),
        ("Internet", "NOUN", "", "Internet"),
        ("Gettinn", "VERB", "VerbForm=Part", "gettinn"),
        ("JOB", "NOUN", "Number=Sing", "job"),
        ("Hopin'", "VERB", "Aspect=Prog|VerbForm=Part", "hope"),
        ("hopin", "VERB", "VerbForm=Inf", "hopin"),
        (":D", "SYM", "", ":D"),
        ("#", "NOUN", "", "#"),
        ("@", "ADP", "", "@"),
        ("hopinggg", "VERB", "VerbForm=Part", "hope"),
        ("&amp;", "CCONJ", "", "&"),
        ("&nbsp;", "SYM", "", "&nbsp;"),
        ("hop&#105;ng", "VERB", "VerbForm=Part", "hope"),
        ("Seeeeee", "VERB", "VerbForm=Inf", "see"),
        ("jjjoooob", "NOUN", "Number=Sing", "job"),
        ("SOOOO", "ADV", "", "so"),  # there are no tables of adverbs
        ("alllll", "DET", "", "all"),
        ("seeee", "INTJ", "", "see"),
        ("xxxeva@gmail.com", "X", "", "xxxeva@gmail.com"),
        ("哈哈哈", "X", "", "哈哈哈"),
        ("XXX", "NOUN", "", "XXX"),
        ("jobbb", "INTJ", "", "job"),
        ("III", "PROPN", "", "III"),
        ("aaabbbcccdddeeefffggg", "NOUN", "", "abcdefg"),
    ],
)
def test_lemmas(nlp, word, pos, morph, lemma):
    doc = Doc(nlp.vocab, words=[word], pos=[pos], morphs=[morph])
    assert nlp.get_pipe("tweet_lemmatizer")(doc)[0].lemma_ == lemma


def test_lemmas_that_are_set_stay_unless_they_are_overwritten(nlp):
    doc = Doc(nlp.vocab, words=["jobs"], pos=["NOUN"], lemmas=["work"])
    assert nlp.get_pipe("tweet_lemmatizer")(doc.copy())[0].lemma_ == "work"
    nlp.get_pipe("tweet_lemmatizer").overwrite = True
    assert nlp.get_pipe("tweet_lemmatizer")(doc)[0].lemma_ == "job"


def test_the_setting_is_saved(nlp, tmp_path):
    nlp.get_pipe("tweet_lemmatizer").overwrite = True
    nlp.to_disk(tmp_path)
    other = spacy.blank("en", config=TWEETS)
    other.add_pipe("tweet_lemmatizer")
    for loaded in (spacy.load(tmp_path), other.from_bytes(nlp.to_bytes()), copy.deepcopy(nlp)):
        assert loaded.get_pipe("tweet_lemmatizer").overwrite is True
    with pytest.raises(ConfigError, match="did you mean 'overwrite'"):
        nlp.get_pipe("tweet_lemmatizer").overwrit = False
    with pytest.raises(ConfigError, match="overwrite = 'yes'"):
        nlp.get_pipe("tweet_lemmatizer").overwrite = "yes"


def test_saves_its_tables(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), spacy.blank("en", config=TWEETS), copy.deepcopy(nlp)):
        if not loaded.pipe_names:
            loaded.add_pipe("tweet_lemmatizer", source=nlp)
        doc = Doc(loaded.vocab, words=["hoping", "#jobs"], pos=["VERB", "NOUN"])
        assert [token.lemma_ for token in loaded.get_pipe("tweet_lemmatizer")(doc)] == ["hope", "#jobs"]


def test_forms_that_spacy_s_tables_lack(tmp_path, monkeypatch):
    """They are added to those of spacy-lookups-data, which need not be installed here."""
    tables = {"lemma_index": {"verb": ["follow"]}, "lemma_exc": {"verb": {}}, "lemma_rules": {"verb": [["ed", "e"]]}}
    for name, table in tables.items():
        srsly.write_json(tmp_path / f"{name}.json", table)
    paths = {name: tmp_path / f"{name}.json" for name in tables}
    monkeypatch.setitem(REGISTRY, (*registry.lookups.namespace, "en"), paths)
    own = spacy.blank("en", config=TWEETS)
    own.add_pipe("tweet_lemmatizer").initialize(nlp=own)
    words = {
        "were": "AUX",
        "n't": "PART",
        "I": "PRON",
        "them": "PRON",
        "unfollowed": "VERB",
        "spamming": "VERB",
        "vibing": "VERB",
        "yassified": "VERB",
        "streamed": "VERB",
        "thanks": "NOUN",
        "’s": "VERB",
        "w/": "ADP",
        "w/o": "ADP",
        "2": "PART",
        "'em": "PRON",
        "cuz": "SCONJ",
        "n": "CCONJ",
        "And": "CCONJ",
    }
    doc = own.get_pipe("tweet_lemmatizer")(Doc(own.vocab, words=list(words), pos=list(words.values())))
    assert [token.lemma_ for token in doc] == [
        "be",
        "not",
        "I",
        "they",
        "unfollow",
        "spam",
        "vibe",
        "yassify",
        "stream",
        "thanks",
        "be",
        "with",
        "without",
        "to",
        "they",
        "because",
        "and",
        "and",
    ]


def test_the_cache_is_bounded(nlp, monkeypatch):
    monkeypatch.setattr("spacy_bilstm_tagger.pipeline.lemmas.MOST_CACHED", 10)
    lemmatizer = nlp.get_pipe("tweet_lemmatizer")
    for number in range(100):
        doc = lemmatizer(Doc(nlp.vocab, words=[f"word{number}s"], pos=["NOUN"]))
        assert doc[0].lemma_ == f"word{number}"
        assert max(len(lemmatizer.cache), len(lemmatizer._found)) <= 10


def test_lists_of_words_that_are_found_as_in_a_set(nlp):
    words = WordList(["hop", "hope"])
    for each in (words, pickle.loads(pickle.dumps(words)), copy.deepcopy(words)):
        assert each == ["hop", "hope"]
        assert "hope" in each
        assert "hops" not in each
        each.append("hops")
        assert "hops" in each
    lookups = nlp.get_pipe("tweet_lemmatizer").lookups
    saved = Lookups().from_bytes(lookups.to_bytes())
    assert saved.get_table("lemma_index") == lookups.get_table("lemma_index")


def test_nothing_of_other_tables_is_remembered(nlp, tmp_path):
    lemmatizer, doc = nlp.get_pipe("tweet_lemmatizer"), Doc(nlp.vocab, words=["jobs"], pos=["NOUN"])
    lemmatizer.to_disk(tmp_path)
    before = lemmatizer.to_bytes()
    assert lemmatizer(doc.copy())[0].lemma_ == "job"
    lemmatizer.lookups.get_table("lemma_exc")["noun"] = {"jobs": ["work"]}
    after = lemmatizer.to_bytes()
    for load, data, lemma in (
        (lemmatizer.from_bytes, after, "work"),
        (lemmatizer.from_disk, tmp_path, "job"),
        (lemmatizer.from_bytes, before, "job"),
    ):
        load(data)
        assert lemmatizer(doc.copy())[0].lemma_ == lemma


def test_without_a_part_of_speech_or_tables(nlp):
    with pytest.warns(UserWarning, match="W108"):
        assert nlp("Hoping")[0].lemma_ == "hoping"
    empty = spacy.blank("en")
    empty.add_pipe("tweet_lemmatizer")
    doc = Doc(empty.vocab, words=["are"], pos=["VERB"])
    with pytest.raises(ValueError, match="E1004"):
        empty.get_pipe("tweet_lemmatizer")(doc)
