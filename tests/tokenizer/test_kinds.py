import pickle

import pytest
import spacy

from spacy_bilstm_tagger.tokenizer import create_tweet_tokenizer

KINDS = {
    "word": ["hello", "n't", "'s", "U.S.", "日本", "late-night", "'em"],
    "number": ["7", "3.5", "7pm", "$20", "3-1", "2nd", "-5"],
    "punct": [".", "!!!", "...", "(", "—"],
    "symbol": ["+", "=", "°"],
    "user": ["@mara_lune"],
    "hashtag": ["#wow", "#東京"],
    "cashtag": ["$AAPL"],
    "url": ["http://bit.ly/x1", "t.co/ab12", "www.example.org"],
    "email": ["jo@example.com"],
    "emoji": ["😂", "👍🏽", "♥"],
    "emoticon": [":)", "xD", "<3", "^_^"],
    "arrow": ["-->", "→"],
    "retweet": ["RT"],
    "html": ["&amp;", "&#39;"],
    "space": ["\n", "\t"],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in KINDS.items() for text in texts])
def test_kind(tweet_nlp, kind, text):
    (token,) = tweet_nlp(text)
    assert token._.tweet_kind == kind


def test_kind_of_a_pattern_of_the_user():
    tokenizer = create_tweet_tokenizer(patterns={"ticket": "[A-Z]+-[0-9]+"})(spacy.blank("en"))
    assert [token._.tweet_kind for token in tokenizer("AB-1 ab RT")] == ["pattern", "word", "retweet"]


def test_kind_is_found_out_once_for_each_word_type(tweet_nlp, monkeypatch):
    from spacy_bilstm_tagger.tokenizer.kinds import KindReader

    calls = []
    monkeypatch.setattr(KindReader, "_read", lambda self, text: calls.append(text) or 1)
    for _ in range(2):
        assert [token._.tweet_kind for token in tweet_nlp("x1 x2 x1")] == ["word"] * 3
    assert sorted(calls) == ["x1", "x2"]


def test_words_of_another_tokenizer_have_no_kind(tweet_nlp):
    assert spacy.blank("en")("word")[0]._.tweet_kind == ""


ATTRIBUTES = {
    "like_url": (["http://x.org/a", "t.co/ab12", "www.x.org"], ["end.", "jo@example.com", ":/"]),
    "like_email": (["jo@example.com"], ["@jo", "x.org"]),
    "like_num": (["7", "ten", "7pm", "$20", "60%", "1,000"], ["gr8", "#1st", "a"]),
    "is_punct": (["!", "...", "(", "--", "&quot;", "&amp;"], [":)", "-_-", "<3", "&lt;", "@x", "a", "+"]),
}


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_attributes(tweet_nlp, attribute):
    yes, no = ATTRIBUTES[attribute]
    for texts, expected in ((yes, True), (no, False)):
        for text in texts:
            assert getattr(tweet_nlp.vocab[text], attribute) is expected, text


def test_kinds_reach_words_the_vocabulary_knew_before():
    nlp = spacy.blank("en")
    lexeme = nlp.vocab[":)"]
    assert lexeme.is_punct
    create_tweet_tokenizer()(nlp)
    assert not lexeme.is_punct


def test_kinds_are_saved_with_the_pipeline(tmp_path):
    settings = {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1", "patterns": {"ticket": "[A-Z]+-[0-9]+"}}
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": settings}})
    nlp.to_disk(tmp_path)
    for other in (spacy.load(tmp_path), pickle.loads(pickle.dumps(nlp))):
        assert [token._.tweet_kind for token in other("AB-1 @x :)")] == ["pattern", "user", "emoticon"]


@pytest.mark.parametrize("text", ["\u200f", "\ufe0f", "\x07", "\ufeff", "\u2066"])
def test_invisible_characters_are_white_space(tweet_nlp, text):
    token = tweet_nlp(f"so {text} good")[1]
    assert (token.text, token.is_space, token._.tweet_kind) == (text, True, "space")
