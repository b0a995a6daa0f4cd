import pickle

import pytest
import spacy
import srsly
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pipelines import renew_checksums
from spacy.vocab import Vocab

from spacy_bilstm_tagger.errors import ConfigError, DataError
from spacy_bilstm_tagger.tokenizer import create_tweet_tokenizer

CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
NLP = spacy.blank("en", config=CONFIG)
UD = create_tweet_tokenizer(scheme="ud", norms="lower")(spacy.blank("en"))
SINGLE = create_tweet_tokenizer(scheme="ud", hashtags="words", punct_runs="single", norms="lower")(spacy.blank("en"))

TWEETS = [
    (
        "RT @mara_lune: OMG the record is soooo good!! 😭😭 http://bit.ly/x7Qa2 #wow",
        "RT @mara_lune : OMG the record is soooo good !! 😭 😭 http://bit.ly/x7Qa2 #wow",
    ),
    ("It's fine, don't say I can't...", "It 's fine , do n't say I ca n't ..."),
    ("gonna pay $20 or 60% at 7pm :-) <3", "gonna pay $20 or 60% at 7pm :-) <3"),
    ("they’re not Dr. Wu’s (really)", "they ’re not Dr. Wu ’s ( really )"),
    ("👩‍👩‍👧 🇵🇹👍🏽 1️⃣", "👩‍👩‍👧 🇵🇹 👍🏽 1️⃣"),
    ("@user's dogs' #tag's", "@user 's dogs ' #tag 's"),
    ("mail jo@example.com, see www.example.org.", "mail jo@example.com , see www.example.org ."),
    ('he said "no"?!', 'he said " no " ?!'),
    ("tom &amp; jerry &lt;3", "tom &amp; jerry &lt;3"),
    ("don&#39;t say it&rsquo;s o&apos;clock", "do n&#39;t say it &rsquo;s o&apos;clock"),
    ("&#39;tis &#39;quoted&#39; dogs&#x27; y&#039;all", "&#39; tis &#39; quoted &#39; dogs &#x27; y&#039;all"),
    (
        "let's go w/ y'all, 'cause late-night and/or U.S.",
        "let 's go w/ y'all , 'cause late-night and/or U.S.",
    ),
    ("I'd've shouldn't've", "I 'd 've should n't 've"),
    ("RT@user text@user", "RT @user text @user"),
    ("नमस्ते दुनिया", "नमस्ते दुनिया"),
]


@pytest.mark.parametrize(("text", "expected"), TWEETS)
def test_tokens(text, expected):
    assert [token.text for token in NLP(text)] == expected.split(" ")


GLUED = [
    ("1", "1", "1"),
    ("7pm", "7pm", "7 pm"),
    ("a-b", "a-b", "a-b"),
    ("ab-cd", "ab-cd", "ab - cd"),
    ("a_b1", "a_b1", "a_b1"),
    ("can't", "ca n't", "ca n't"),
    ("it's", "it 's", "it 's"),
    ("f*ck", "f*ck", "f*ck"),
    ("photo-", "photo -", "photo -"),
    ("and/", "and /", "and /"),
    ("mara@x.com", "mara@x.com", "mara@x.com"),
    ("x.com", "x.com", "x.com"),
    ("@mara", "@mara", "@mara"),
    ("@mara@x.social", "@mara@x.social", "@mara@x.social"),
    ("$btc", "$btc", "$btc"),
    ("$20", "$20", "$ 20"),
    ("#wow", "#wow", "#wow"),
    ("lolhttp", "lolhttp", "lolhttp"),
]


@pytest.mark.parametrize("link", ["http://t.co/x", "HTTPS://t.co/x"])
@pytest.mark.parametrize(("text", "expected", "in_ud"), GLUED)
def test_a_link_right_after_a_token_is_one(text, expected, in_ud, link):
    for tokenizer, tokens in ((NLP, expected), (UD, in_ud)):
        assert [token.text for token in tokenizer(text + link)] == [*tokens.split(" "), link]


def test_a_picture_right_after_a_user():
    doc = NLP("@marapic.twitter.com/x pic.twitter.com/x")
    assert [token.text for token in doc] == ["@mara", "pic.twitter.com/x", "pic.twitter.com/x"]
    assert [token._.tweet_kind for token in doc] == ["user", "url", "url"]


@given(st.text())
@settings(max_examples=300)
def test_text_is_never_changed(text):
    if any("\ud800" <= char <= "\udfff" for char in text):
        return
    for tokenizer in (NLP.tokenizer, UD, SINGLE):
        doc = tokenizer(text)
        assert doc.text == text
        assert "".join(token.text_with_ws for token in doc) == text


@given(st.text(alphabet="ab1 .:/@#'’-!?()<3_&;%$😂\u200d\ufe0f\u0301\n", max_size=40))
@settings(max_examples=500)
def test_text_of_tweet_marks_is_never_changed(text):
    for tokenizer in (NLP.tokenizer, UD, SINGLE):
        assert tokenizer(text).text == text
        assert [token for _, token in tokenizer.explain(text)] == [t.text for t in tokenizer(text) if not t.text.isspace()]


def test_lone_surrogate_is_one_clear_error():
    with pytest.raises(ValueError, match=r"lone surrogate U\+D83D at position 3"):
        NLP.make_doc("ok \ud83d")


def test_norms_are_glove_keys_or_lower_case():
    assert [token.norm_ for token in NLP("@x SOOO!!")] == ["<user>", "so", "!"]
    config = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1", "norms": "lower"}}}
    assert [token.norm_ for token in spacy.blank("en", config=config)("@X SOOO!!")] == ["@x", "sooo", "!!"]


def test_norm_is_computed_once_a_word_type(monkeypatch):
    from spacy_bilstm_tagger.tokenizer import tweet_tokenizer

    calls = []
    monkeypatch.setitem(tweet_tokenizer.NORMS, "lower", lambda text: calls.append(text) or text.lower())
    config = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1", "norms": "lower"}}}
    nlp = spacy.blank("en", config=config)
    for _ in range(3):
        nlp("same words same words")
    assert sorted(calls) == ["same", "words"]


def test_special_cases_of_the_user_win(tweet_nlp):
    tweet_nlp.tokenizer.add_special_case("gonna", [{"ORTH": "gon"}, {"ORTH": "na"}])
    assert [token.text for token in tweet_nlp("gonna! (gonna)")] == ["gon", "na", "!", "(", "gon", "na", ")"]


def test_saved_with_the_pipeline(tweet_nlp, tmp_path):
    tweet_nlp.to_disk(tmp_path)
    text = TWEETS[0][0]
    for other in (
        spacy.load(tmp_path),
        pickle.loads(pickle.dumps(tweet_nlp)),
        tweet_nlp.from_bytes(tweet_nlp.to_bytes()),
    ):
        assert [(t.text, t.norm_) for t in other(text)] == [(t.text, t.norm_) for t in tweet_nlp(text)]
        assert type(other.tokenizer).__name__ == "TweetTokenizer"


def test_norms_reach_words_the_vocabulary_knew_before(tweet_nlp, tmp_path):
    tweet_nlp.to_disk(tmp_path)
    vocab = spacy.blank("en").vocab
    assert vocab["SOOO"].norm_ == "sooo"
    nlp = spacy.load(tmp_path, vocab=vocab)
    assert nlp("SOOO")[0].norm_ == "so"


def test_explain_names_the_rule_of_each_token(tweet_nlp):
    tweet_nlp.tokenizer.add_special_case("gonna", [{"ORTH": "gon"}, {"ORTH": "na"}])
    assert tweet_nlp.tokenizer.explain("@x  don't\ngonna (gonna) :)") == [
        ("user", "@x"),
        ("negated", "do"),
        ("negation", "n't"),
        ("SPECIAL-1", "gon"),
        ("SPECIAL-2", "na"),
        ("punct", "("),
        ("SPECIAL-1", "gon"),
        ("SPECIAL-2", "na"),
        ("punct", ")"),
        ("face", ":)"),
    ]


def test_explain_names_a_special_case_of_one_token(tweet_nlp):
    tweet_nlp.tokenizer.add_special_case("lol", [{"ORTH": "lol", "NORM": "laugh"}])
    tweet_nlp.tokenizer.add_special_case("imma", [{"ORTH": "i"}, {"ORTH": "mma"}])
    assert tweet_nlp.tokenizer.explain("lol imma lol!") == [
        ("SPECIAL-1", "lol"),
        ("SPECIAL-1", "i"),
        ("SPECIAL-2", "mma"),
        ("SPECIAL-1", "lol"),
        ("exclamation", "!"),
    ]
    assert [token.norm_ for token in tweet_nlp("lol lol!")] == ["laugh", "laugh", "!"]


def test_zero_point_zero_is_a_number_and_no_face():
    assert [(token.text, token._.tweet_kind, token.like_num) for token in NLP("0.0 0_0 o.O")] == [
        ("0.0", "number", True),
        ("0_0", "emoticon", False),
        ("o.O", "emoticon", False),
    ]


def test_options_are_saved_with_the_tokenizer():
    settings = {"scheme": "ud", "hashtags": "words", "patterns": {"ticket": "[A-Z]+-[0-9]+"}, "norms": "lower"}
    tokenizer = create_tweet_tokenizer(**settings)(spacy.blank("en"))
    tokenizer.add_special_case("gimme", [{"ORTH": "gim"}, {"ORTH": "me"}])
    text = "AB-1 #TopTen dont gimme 7pm late-night"
    expected = tokenizer.explain(text)
    assert expected[0] == ("ticket", "AB-1")
    other = create_tweet_tokenizer()(spacy.blank("en")).from_bytes(tokenizer.to_bytes())
    assert other.explain(text) == expected
    assert pickle.loads(pickle.dumps(tokenizer)).explain(text) == expected
    assert other.to_bytes(exclude=["vocab"]) == tokenizer.to_bytes(exclude=["vocab"])


def test_pipe_gives_the_same_tokens():
    texts = [text for text, _ in TWEETS]
    assert [doc.to_bytes() for doc in NLP.pipe(texts, n_process=1)] == [NLP(text).to_bytes() for text in texts]


def test_the_cache_is_bounded():
    tokenizer = create_tweet_tokenizer()(spacy.blank("en"))
    assert tokenizer.max_cache_size == 100_000
    assert pickle.loads(pickle.dumps(tokenizer)).max_cache_size == 100_000


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: srsly.msgpack_dumps({"a": 1}),
        lambda data: srsly.msgpack_dumps([1, 2]),
        lambda data: srsly.msgpack_dumps({**srsly.msgpack_loads(data), "infix_finditer": "("}),
        lambda data: srsly.msgpack_dumps({**srsly.msgpack_loads(data), "kinds": 3}),
    ],
    ids=["empty", "cut off", "another file", "a list", "no expression", "no kinds"],
)
def test_damaged_file_is_one_clear_error_and_changes_nothing(tweet_nlp, tmp_path, damage):
    tweet_nlp.to_disk(tmp_path)
    path = tmp_path / "tokenizer"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=r"nlp: cannot load .*tokenizer\. It does not agree with the checksum"):
        spacy.load(tmp_path)
    renew_checksums(tmp_path)
    with pytest.raises(DataError, match=r"tokenizer: cannot load .*tokenizer\. It cannot be read"):
        spacy.load(tmp_path)
    tokenizer = tweet_nlp.tokenizer
    tokenizer.add_special_case("gonna", [{"ORTH": "gon"}, {"ORTH": "na"}])
    before = tokenizer.explain("gonna don't :) #x")
    with pytest.raises(DataError, match="tokenizer: cannot load the given bytes"):
        tokenizer.from_bytes(path.read_bytes())
    assert tokenizer.explain("gonna don't :) #x") == before
    assert tweet_nlp(":)")[0]._.tweet_kind == "emoticon"


def test_a_setting_of_the_rules_cannot_change(tweet_nlp):
    with pytest.raises(ConfigError, match="has no setting 'hashtag'; did you mean 'hashtags'"):
        tweet_nlp.tokenizer.hashtag = "words"
    with pytest.raises(ConfigError, match="hashtags goes with the rules"):
        tweet_nlp.tokenizer.hashtags = "words"
    tweet_nlp.tokenizer = create_tweet_tokenizer(hashtags="words")(tweet_nlp)
    assert [token.text for token in tweet_nlp("#NowPlaying")] == ["#", "Now", "Playing"]


def test_a_vocabulary_without_a_language_is_refused():
    config = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
    with pytest.raises(ConfigError, match=r"the vocabulary is a bare Vocab\(\), which knows no small letters"):
        spacy.blank("en", config=config, vocab=Vocab())
    assert [token.lower_ for token in spacy.blank("en", config=config, vocab=spacy.blank("en").vocab)("Hi")] == ["hi"]
