import pickle

import pytest
import spacy
import srsly
from spacy.tokens import Doc, Span

from spacy_bilstm_tagger.errors import ConfigError, DataError
from spacy_bilstm_tagger.pipeline.sentences import _Tokens

CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}


@pytest.fixture(scope="module")
def nlp():
    nlp = spacy.blank("en", config=CONFIG)
    nlp.add_pipe("tweet_sentencizer")
    return nlp


@pytest.mark.parametrize(
    "text",
    [
        "RT @mara: sooo happy!!|see you .|Bye",
        "so happy 😭😭|We did it",
        "so happy 😭 and tired",
        "I ❤️ NY",
        "We💜 Lisbon <3|Bye",
        "love you ❤️|Bye",
        "wait for it ... here it comes",
        "wait for it ...|Here it comes",
        "no way!!! :)|really?!|yes.",
        "great show http://bit.ly/x #nowplaying @mara",
        "great show. http://bit.ly/x #nowplaying",
        "Read this: http://bit.ly/x|It is good",
        'He said "no way!" to me.|Then he left',
        'He said "no way."|Then he left',
        "the U.S. is big, Mr. Smith lives at 3.5 Main St. |".rstrip("|"),
        "thx mara.lune and liketoknow.it for it.|bye",
        "wow!!!1!|so good",
        "omg!!!11|So good",
        "one line\n|another",
        "#only #hashtags",
        "@mara @lune hi there",
        "RT @mara: .@lune is here",
        ".@lune is here.|Bye",
        "so good! #happy #lisbon|We did it",
        "so good.|#happy people are here",
        "so good. http://bit.ly/x|We did it",
        "so good!| .".replace("|", ""),
        "so good! : @mara",
        "hand? / of a friend",
        "so good  |We did it",
        "this is the  New York",
        'so good  |"We did it" she said',
        "so good 😭|(We did it)",
        "😭",
        "   ",
        "",
    ],
)
def test_sentences(nlp, text):
    doc = nlp(text.replace("|", " ").replace("\n ", "\n"))
    expected = [part.strip() for part in text.split("|")] if text.strip() else ([text] if text else [])
    assert [sent.text.strip() for sent in doc.sents] == [part.strip() for part in expected]


def test_a_long_run_of_hashtags_is_read_once(nlp):
    """Twice as many take twice as long: the words that are looked at are counted."""
    doc = nlp.make_doc("so good! " + "#a " * 5000 + "we did it")
    looked_at = 0

    class Kinds(list):
        def __getitem__(self, i):
            nonlocal looked_at
            looked_at += 1
            return super().__getitem__(i)

    tokens = _Tokens(doc)
    tokens.kinds = Kinds(tokens.kinds)
    assert not any(tokens.is_apart(i) for i in range(3, 5003))
    assert looked_at < 3 * len(doc)


def test_a_word_that_begins_sentences_does_so_without_a_blank_too(nlp):
    assert [sent.text for sent in nlp("good morning.how are you").sents] == ["good morning.", "how are you"]


@pytest.mark.parametrize("text", ["  so happy! Bye", "\n so happy! Bye"])
def test_white_space_before_the_first_sentence_belongs_to_it(nlp, text):
    assert [sent.text.strip() for sent in nlp(text).sents] == ["so happy!", "Bye"]


def test_no_sentence_begins_inside_of_an_entity(nlp):
    doc = nlp.make_doc("I asked Yahoo! Answers. Nobody knew")
    doc.ents = [Span(doc, 2, 5, label="corporation")]
    assert [sent.text for sent in nlp.get_pipe("tweet_sentencizer")(doc).sents] == [
        "I asked Yahoo! Answers.",
        "Nobody knew",
    ]
    assert [sent.text for sent in nlp("I asked Yahoo! Answers.").sents] == ["I asked Yahoo!", "Answers."]


def test_starts_that_are_set_stay_unless_overwritten(nlp):
    doc = Doc(nlp.vocab, words=["so", "happy", "!", "Bye"], sent_starts=[True, True, False, False])
    sentencizer = nlp.get_pipe("tweet_sentencizer")
    assert [sent.text for sent in sentencizer(doc).sents] == ["so", "happy ! Bye"]
    sentencizer.overwrite = True
    try:
        assert [sent.text for sent in sentencizer(doc).sents] == ["so happy !", "Bye"]
    finally:
        sentencizer.overwrite = False


def test_is_saved_and_pickled(nlp, tmp_path):
    nlp.to_disk(tmp_path / "saved")
    for again in (spacy.load(tmp_path / "saved"), pickle.loads(pickle.dumps(nlp))):
        assert [sent.text for sent in again("no!! yes").sents] == ["no!!", "yes"]


def test_its_setting_is_saved_and_checked(nlp, tmp_path):
    nlp = pickle.loads(pickle.dumps(nlp))
    sentencizer = nlp.get_pipe("tweet_sentencizer")
    sentencizer.overwrite = True
    nlp.to_disk(tmp_path)
    assert spacy.load(tmp_path).get_pipe("tweet_sentencizer").overwrite is True
    again = spacy.blank("en", config={"nlp": {"tokenizer": nlp.config["nlp"]["tokenizer"]}})
    again.add_pipe("tweet_sentencizer")
    assert again.from_bytes(nlp.to_bytes()).get_pipe("tweet_sentencizer").overwrite is True
    with pytest.raises(ConfigError, match="tweet_sentencizer: has no setting 'overwrte'; did you mean 'overwrite'"):
        sentencizer.overwrte = True
    with pytest.raises(ConfigError, match="tweet_sentencizer: overwrite = 'no'; expected true or false"):
        sentencizer.overwrite = "no"


@pytest.mark.parametrize("data", [b"", b"xx", srsly.msgpack_dumps({}), srsly.msgpack_dumps([1])])
def test_foreign_bytes_are_one_line(nlp, data):
    with pytest.raises(DataError, match=r"^the given bytes: cannot be read as a tweet_sentencizer"):
        nlp.get_pipe("tweet_sentencizer").from_bytes(data)


def test_scores(nlp):
    from spacy.training import Example

    reference = Doc(nlp.vocab, words=["no", "!", "yes"], sent_starts=[True, False, True])
    assert nlp.evaluate([Example(Doc(nlp.vocab, words=["no", "!", "yes"]), reference)])["sents_f"] == 1.0


def test_texts_of_one_token_say_nothing_of_sentences(nlp):
    from spacy.training import Example

    golds = [Doc(nlp.vocab, words=["yes"]), Doc(nlp.vocab, words=["no", "!", "yes"])]  # without sentences
    assert nlp.evaluate([Example(Doc(nlp.vocab, words=[t.text for t in gold]), gold) for gold in golds])["sents_f"] is None


def test_another_tokenizer_is_told(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("tweet_sentencizer")
    with pytest.raises(ConfigError, match=r"set it in \[nlp.tokenizer\], make docs with nlp.make_doc, or use spaCy's sentencizer"):
        nlp("Hello there. It works!")
