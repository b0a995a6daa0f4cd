import pytest

from spacy_bilstm_tagger.tokenizer import glove_key

KEYS = {
    "<user>": ["@mara_lune", "@X"],
    "<hashtag>": ["#nowplaying", "#東京"],
    "<url>": ["http://bit.ly/x7Qa2", "www.example.org", "t.co/ab12", "jo@example.com"],
    "<number>": ["7", "1,000", "3.5", "10/4", "3-1", "7:30", "60%", "$20", "-5", "2010", "7pm", "2nd", "20k"],
    "<smile>": [":)", ":-)", ";)", ":D", "8)", "8D", "D:", "):", ":))"],
    "<lolface>": [":P", ":-p", ";P"],
    "<sadface>": [":(", ":-(", ":(("],
    "<neutralface>": [":/", ":|", ":-/"],
    "<heart>": ["<3", "<33", "&lt;3"],
    "(:": ["(:"],
    "xd": ["xD", "XD"],
    "^_^": ["^_^"],
    "@@": ["@@"],
    "##": ["##"],
    "@": ["@"],
    "gr8": ["gr8"],
    "!": ["!", "!!!!", "?!"],
    "?": ["??", "!?"],
    ".": [".", "...", ".."],
    "so": ["so", "SO", "soooo", "SOOOO"],
    "good": ["good", "Good"],
    "lol": ["lolll", "lol"],
    "n't": ["n't", "n’t", "N'T", "n&#39;t", "N&#X27;T", "n&rsquo;t"],
    "'s": ["'s", "’s"],
    "&": ["&amp;", "&"],
    "q&a": ["Q&A", "Q&amp;A"],
    "a&copy": ["a&copy"],
    "rock&notroll": ["rock&notroll"],
    "&nbsp;": ["&nbsp;"],
    "late-night": ["Late-Night"],
    "😂": ["😂"],
    "-": ["-"],
    "...x": ["...x"],
}


@pytest.mark.parametrize(("key", "text"), [(key, text) for key, texts in KEYS.items() for text in texts])
def test_key(key, text):
    assert glove_key(text) == key


@pytest.mark.parametrize("text", ["", " ", "\n", "\0", "\u200d"])
def test_other_characters_stay(text):
    assert glove_key(text) == text
