import pytest

from spacy_bilstm_tagger.tokenizer.word_types import word_type


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("So", "so"),
        ("ÉTÉ", "été"),
        ("#YesWeCan", "yeswecan"),
        ("＃yes", "yes"),
        ("##yes", "#yes"),
        ("#", "#"),
        ("@Mara_Lune", "<user>"),
        ("<user>", "<user>"),
        ("@", "@"),
        ("https://t.co/x1", "<url>"),
        ("mara@lune.org", "<url>"),
        ("7pm", "7pm"),
        (":)", ":)"),
        ("SOOOO", "soooo"),
    ],
)
def test_word_type(text, expected):
    assert word_type(text) == expected
