"""The sample corpus is what its README says, and consistent with itself."""

from collections import Counter

import pytest
from spacy.training.iob_utils import iob_to_biluo, tags_to_entities

from spacy_bilstm_tagger.corpus import read_corpus

TAGS = {
    *(
        "NN",
        "NNS",
        "NNP",
        "NNPS",
        "VB",
        "VBD",
        "VBG",
        "VBN",
        "VBP",
        "VBZ",
        "MD",
        "JJ",
        "JJR",
        "JJS",
        "RB",
        "RBR",
        "RBS",
    ),
    *("PRP", "PRP$", "WP", "WP$", "WDT", "WRB", "DT", "PDT", "EX", "IN", "TO", "CC", "CD", "RP", "POS", "UH", "FW"),
    *("SYM", "LS", ".", ",", ":", "(", ")", "''", "USR", "HT", "RT", "URL"),
}
TYPES = {"person", "location", "corporation", "product", "creative-work", "group"}
ALWAYS = {
    "to": "TO",
    "the": "DT",
    "lol": "UH",
    "!": ".",
    "?": ".",
    ",": ",",
    "n't": "RB",
    "and": "CC",
    "rt": "RT",
}


@pytest.fixture(scope="module")
def parts(pytestconfig):
    folder = pytestconfig.rootpath / "assets" / "sample"
    return {part: read_corpus(folder / f"{part}.conll")[1] for part in ("train", "dev")}


@pytest.fixture(scope="module")
def texts(parts):
    return parts["train"] + parts["dev"]


def test_size_and_split(parts, texts):
    assert len(texts) >= 300
    assert sum(len(text.words) for text in texts) >= 4500
    assert len(parts["dev"]) / len(texts) == pytest.approx(0.2, abs=0.01)


def test_no_tweet_occurs_twice(texts):
    assert not [raw for raw, n in Counter(text.raw for text in texts).items() if n > 1]


def test_tags_and_types(texts):
    assert {tag for text in texts for tag in text.tags} <= TAGS
    labels = Counter(label for text in texts for label in text.entity_types)
    assert set(labels) == TYPES
    assert min(labels.values()) >= 30


def test_tokens_spell_the_text(parts, project):
    for part, texts in parts.items():
        for text in texts:
            text.gaps(project / "assets" / "sample" / f"{part}.conll")


def test_tokenizer_makes_the_gold_tokens(texts, tweet_nlp):
    tokens = [[token.text for token in tweet_nlp.make_doc(text.raw)] for text in texts]
    assert [(found, text.words) for found, text in zip(tokens, texts) if found != text.words] == []


def test_marks_have_their_tags(texts):
    for text in texts:
        for word, tag, ent in zip(text.words, text.tags, text.ents):
            if len(word) > 1 and word[0] in "@#" and word[1].isalnum():
                assert (tag, ent) == ({"@": "USR", "#": "HT"}[word[0]], "O"), text.raw
            if word.startswith(("http", "www.")):
                assert (tag, ent) == ("URL", "O"), text.raw
            if word.lower() in ALWAYS and tag != "NNP":
                assert tag == ALWAYS[word.lower()], text.raw


def test_an_entity_keeps_its_type_where_it_has_the_same_words(texts):
    types: dict[str, Counter] = {}
    for text in texts:
        for label, start, last in tags_to_entities(iob_to_biluo(text.ents)):
            name = " ".join(text.words[start : last + 1]).lower()
            types.setdefault(name, Counter())[label] += 1
    several = {name: dict(labels) for name, labels in types.items() if len(labels) > 1}
    # A firm and what it makes may share a name.
    assert all(set(labels) == {"corporation", "product"} for labels in several.values()), several
