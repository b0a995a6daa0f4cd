import pytest
import spacy
from thinc.api import ConfigValidationError

from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.tokenizer import create_tweet_tokenizer
from spacy_bilstm_tagger.tokenizer.options import check_pattern

TEXT = "i dont like late-night #TopTen shows at 7pm!! 😂😂 It's $20"


def tokens(text=TEXT, **settings):
    return " ".join(token.text for token in create_tweet_tokenizer(**settings)(spacy.blank("en"))(text))


def blank(**settings):
    settings["@tokenizers"] = "spacy-bilstm-tagger.TweetTokenizer.v1"
    return spacy.blank("en", config={"nlp": {"tokenizer": settings}})


SETTINGS = [
    ({}, "i dont like late-night #TopTen shows at 7pm !! 😂 😂 It 's $20"),
    ({"scheme": "ud"}, "i do nt like late - night #TopTen shows at 7 pm !! 😂😂 It 's $ 20"),
    ({"contractions": "whole"}, "i dont like late-night #TopTen shows at 7pm !! 😂 😂 It's $20"),
    ({"contractions": "split_all"}, "i do nt like late-night #TopTen shows at 7pm !! 😂 😂 It 's $20"),
    ({"hyphens": "split"}, "i dont like late - night #TopTen shows at 7pm !! 😂 😂 It 's $20"),
    ({"units": "split"}, "i dont like late-night #TopTen shows at 7 pm !! 😂 😂 It 's $ 20"),
    ({"emoji_runs": "whole"}, "i dont like late-night #TopTen shows at 7pm !! 😂😂 It 's $20"),
    ({"punct_runs": "single"}, "i dont like late-night #TopTen shows at 7pm ! ! 😂 😂 It 's $20"),
    ({"hashtags": "sign"}, "i dont like late-night # TopTen shows at 7pm !! 😂 😂 It 's $20"),
    ({"hashtags": "words"}, "i dont like late-night # Top Ten shows at 7pm !! 😂 😂 It 's $20"),
    (
        {"scheme": "ud", "hyphens": "whole", "contractions": "whole", "units": "whole", "emoji_runs": "single"},
        "i dont like late-night #TopTen shows at 7pm !! 😂 😂 It's $20",
    ),
]


@pytest.mark.parametrize(("settings", "expected"), SETTINGS)
def test_settings(settings, expected):
    assert tokens(**settings) == expected


UD = [
    ("its 15.5 °C, 50% off; £4.5k", "it s 15.5 °C , 50 % off ; £ 4.5 k"),
    ("won 3-0, 6-8 inches, 2015-2016 on 10/27/2010", "won 3-0 , 6 - 8 inches , 2015 - 2016 on 10/27/2010"),
    ("im gonna lemme y'all cannot ur", "i m gon na lem me y 'all can not u r"),
    ("anti-war T-shirt Kool-Aid AC/DC pros/cons", "anti-war T-shirt Kool - Aid AC/DC pros / cons"),
    ("goin' Ph.D. AT&T ._. (http://x.org/a_(b))", "goin' Ph.D. AT&T ._. ( http://x.org/a_(b) )"),
    ("#wowhttps://t.co/x1 a\u200d 👩\u200d👧❤️", "#wow https://t.co/x1 a \u200d 👩\u200d👧❤️"),
]


@pytest.mark.parametrize(("text", "expected"), UD)
def test_ud(text, expected):
    assert tokens(text, scheme="ud") == expected


@pytest.mark.parametrize("hashtags", ["whole", "sign", "words"])
def test_patterns_of_the_user_go_first(hashtags):
    settings = {"hashtags": hashtags, "patterns": {"ticket": r"[A-Z]{2,5}-\d+", "room": "#[0-9]{3}"}}
    assert tokens("see ABC-17! #1234 ABC", **settings) == "see ABC-17 ! #123 4 ABC"


@pytest.mark.parametrize("pattern", ["a ?b", r"a\s*b", "[ab c]", "ab|b c", r"a\\s", "(?:b c)?ab", "ab(?! )", "(?:b c){0,1}ab"])
def test_patterns_whose_white_space_can_be_left_out(pattern):
    check_pattern("ours", pattern)


WRONG = [
    ({"scheme": "twitter"}, "scheme = 'twitter'; expected one of ptb, ud"),
    ({"hashtags": "letters"}, "hashtags = 'letters'; expected one of whole, sign, words"),
    ({"norms": "upper"}, "norms = 'upper'; expected one of glove, lower"),
    ({"patterns": {"a b": "x"}}, "patterns has the name 'a b'"),
    ({"patterns": {"url": "x"}}, "patterns has the name 'url'"),
    ({"patterns": {"ours": "("}}, "the pattern ours = '\\(' is not a regular expression"),
    ({"patterns": {"ours": "x*"}}, "matches the empty string"),
    ({"patterns": {"ours": "(x)"}}, "has groups"),
    (
        {"patterns": {"ours": "New York"}},
        "'New York' holds white space, which is in no token; expected a pattern of one token",
    ),
    ({"patterns": {"ours": r"(?i:so\s+x)"}}, "holds white space"),
    ({"patterns": {"ours": "(?i)x"}}, "is not a regular expression \\(global flags"),
    ({"patterns": {"ours": 3}}, "the pattern ours = 3 is not a regular expression"),
    ({"patterns": {"samepunct": "x"}}, "patterns has the name 'samepunct'"),
]


@pytest.mark.parametrize(("settings", "message"), WRONG)
def test_wrong_settings(settings, message):
    with pytest.raises(ConfigError, match=message):
        create_tweet_tokenizer(**settings)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"scheme": "twitter"}, "scheme at root: 'twitter' is not typing.Literal['ptb', 'ud']"),
        ({"norms": "upper"}, "norms at root: 'upper' is not typing.Literal['glove', 'lower']"),
        ({"hashtags": "letters"}, "hashtags at root: 'letters' is not typing.Literal['whole', 'sign', 'words']"),
        ({"patterns": {"ours": 3}}, "patterns at ours: 3 is not <class 'str'>"),
        ({"emoji": "whole"}, "emoji unexpected argument: 'emoji'"),
    ],
)
def test_wrong_settings_in_a_config_are_one_line_of_the_registry(settings, problem):
    """The line gives the setting, the value and the choices."""
    with pytest.raises(ConfigValidationError) as error:
        blank(**settings)
    (found,) = error.value.errors
    assert f"{found['loc'][-1]} {found['msg']}" == problem
    assert len([line for line in str(error.value).splitlines() if line.startswith("tokenizer -> ")]) == 1


def test_a_pattern_that_cannot_be_used_is_one_line_in_a_config_too():
    with pytest.raises(ConfigError) as error:
        blank(patterns={"ours": "x*"})
    assert str(error.value) == (
        "TweetTokenizer.v1: the pattern ours = 'x*' matches the empty string; expected at least one character"
    )


def test_settings_in_a_config():
    nlp = blank(scheme="ud", patterns={"x": "abc"})
    assert [token.text for token in nlp("dont abcd")] == ["do", "nt", "abc", "d"]


@pytest.mark.parametrize("scheme", ["ptb", "ud"])
def test_parting_hashtags_changes_no_other_word(scheme):
    text = "I don't, DON'T, don’t it's y'all w/o 20k #TopTen isn't"
    whole = tokens(text, scheme=scheme)
    assert tokens(text, scheme=scheme, hashtags="words") == whole.replace("#TopTen", "# Top Ten")
    assert "do n't , DO N'T , do n’t" in whole
