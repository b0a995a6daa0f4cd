"""The pipeline that lies in wheels/: whole, small, and with the labels and scores that it promises."""

import hashlib
import shlex
import zipfile

import pytest
import spacy
import srsly
from spacy.scorer import Scorer
from spacy.training import Corpus, Example

from benchmarks.plan import PROJECT
from spacy_bilstm_tagger.cli.card import SCORES

WHEELS = PROJECT / "wheels"
EXPECTED = srsly.read_json(PROJECT / "tests" / "en_tweet_sm.json")
# Each with a score, and a floor below which it must not fall.
DEVS = {
    "T-POS dev": ("tag_acc", 0.915),
    "Tweebank dev": ("pos_acc", 0.9),
    "EWT dev": ("lemma_acc", 0.94),
    "WNUT 2017 dev": ("ents_f", 0.55),
    "Broad Twitter Corpus dev": ("ents_f", 0.6),
    "W-NUT 2016, a fifth of test": ("ents_f", 0.6),
    "Tweebank-NER dev": ("ents_f", 0.65),
}


def test_files_are_those_of_the_checksums():
    sums = dict(reversed(line.split()) for line in (WHEELS / "SHA256SUMS").read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in WHEELS.glob("*.whl")}
    assert found == sums
    (wheel,) = WHEELS.glob("en_tweet_sm-*.whl")
    assert wheel.stat().st_size <= 12_000_000
    with zipfile.ZipFile(wheel) as members:
        inside = next(members.read(name).decode() for name in members.namelist() if name.endswith("LICENSES_SOURCES"))
    assert all(each in inside for each in ("CC BY-SA 4.0", "Permission is hereby granted", "WordNet Release 3.0"))


def test_labels_are_the_expected_ones(en_tweet_sm):
    assert len(EXPECTED) == 10
    nlp = spacy.load("en_tweet_sm")
    for expected, doc in zip(EXPECTED, nlp.pipe(text["text"] for text in EXPECTED)):
        found = [{"text": t.text, "tag": t.tag_, "pos": t.pos_, "lemma": t.lemma_} for t in doc]
        assert found == [{key: token[key] for key in found[0]} for token in expected["tokens"]]
        assert [(ent.text, ent.label_) for ent in doc.ents] == [(ent["text"], ent["label"]) for ent in expected["ents"]]
        assert [ent._.score for ent in doc.ents] == pytest.approx([ent["score"] for ent in expected["ents"]], abs=1e-3)
        assert [{"start": sent.start_char, "end": sent.end_char} for sent in doc.sents] == expected["sents"]


def test_labels_are_explained_and_what_users_of_other_pipelines_read_is_there(en_tweet_sm):
    nlp = spacy.load("en_tweet_sm")
    labels = {label for name in ("tagger", "pos", "ner") for label in nlp.get_pipe(name).labels}
    assert all(spacy.explain(label) for label in labels)
    doc = nlp("RT @mara: she loved cities!! http://bit.ly/x")
    assert [doc[1].pos_, doc[3].pos_, doc[4].lemma_, doc[5].lemma_] == ["X", "PRON", "love", "city"]
    assert str(doc[5].morph) == "Number=Plur"
    doc = nlp("I don&#39;t own $AAPL")
    assert [doc[2].text, doc[2].lemma_, doc[4].tag_, doc[4].pos_] == ["n&#39;t", "not", "NNP", "PROPN"]
    assert nlp("").text == ""
    assert nlp.meta["license"]
    assert nlp.meta["sources"]
    assert nlp.meta["performance"]["by_corpus"]
    assert not any(nlp.analyze_pipes()["problems"].values())


def test_command_takes_it_by_default(en_tweet_sm, spacy_bilstm):
    code, output, error = spacy_bilstm("tag", "RT @mara: sooo happy in Lisbon!! 😭")
    assert code == 0, error
    assert {"tag", "pos", "lemma", "probability", "location", "Lisbon"} <= set(output.split())
    finnish = (
        "Eilen kävimme yhdessä naapureidemme luona syömässä vaikka kukaan meistä ollut enää kovinkaan nälkäinen koska olimme "
        "syöneet päivällisen jo aikaisemmin kotonamme mummolan pihalla lastenlasten kanssa sateisena iltapäivänä"
    )
    code, _, error = spacy_bilstm("tag", finnish)
    assert code == 0
    assert "More than half of the words are unknown" in error


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (
            "Hoy es un día muy bonito y quiero ir a la playa con mis amigos porque hace mucho calor y no tengo que trabajar",
            "es",
        ),
        (
            "Je ne sais pas pourquoi tu dis toujours la même chose quand on se parle le soir après le travail avec mes amis",
            "fr",
        ),
        (
            "Das ist ein sehr schönes Wetter heute und ich gehe mit meinem Hund in den Park um dort zu spielen und danach zu",
            "de",
        ),
        ("Ik heb echt geen zin om morgen weer naar school te gaan", "nl"),
        ("Guten Morgen Welt! Heute ist ein schöner Tag in Berlin", "de"),
        ("La La Land @ Griffith Park Observatory - Los Angeles, CA", None),
        (
            "so happy that we are in Paris, la vie en rose and all that, but I am not going to the Louvre with you this time",
            None,
        ),
    ],
)
def test_command_warns_of_other_languages(en_tweet_sm, spacy_bilstm, text, language):
    code, _, error = spacy_bilstm("tag", text)
    assert code == 0
    message = f"The texts look like the language {language!r}, and the pipeline is made for 'en'"
    assert (message in error) if language else ("language" not in error)


@pytest.mark.parametrize(
    ("text", "word", "tag", "pos"),
    [
        ("i need 2 go home", "2", "TO", "PART"),
        ("going 2 the mall", "2", "TO", "ADP"),
        ("waiting 4 u", "4", "IN", "ADP"),
        ("got 4 new phones", "4", "CD", "NUM"),
        ("we won 2 games", "2", "CD", "NUM"),
        ("Do they care?", "Do", "VBP", "AUX"),
        ("did u really think so", "think", "VB", "VERB"),
        ("Has he called you?", "called", "VBN", "VERB"),
        ("does anyone know why", "know", "VB", "VERB"),
        ("He'd been warned", "'d", "VBD", "AUX"),
        ("can you guys pls stop", "pls", "UH", "INTJ"),
        ("RT .", ".", ".", "PUNCT"),
        ("nice … ok", "…", ":", "PUNCT"),
        ("RT @mara: read it https://…", "https://", "URL", "X"),
        ("RT @mara: read it htt…", "htt", "URL", "X"),
    ],
)
def test_what_rules_correct(en_tweet_sm, text, word, tag, pos):
    (token,) = (token for token in spacy.load("en_tweet_sm")(text) if token.text == word)
    assert (token.tag_, token.pos_) == (tag, pos)


@pytest.mark.parametrize(
    ("text", "token", "lemma", "morph"),
    [
        ("She is goin home", "She", "she", "Case=Nom|Gender=Fem|Number=Sing|Person=3|PronType=Prs"),
        ("She is goin home", "is", "be", "Mood=Ind|Number=Sing|Person=3|Tense=Pres|VerbForm=Fin"),
        ("She is goin home", "goin", "go", "Aspect=Prog|Tense=Pres|VerbForm=Part"),
        ("the dogs", "the", "the", "Definite=Def|PronType=Art"),
        ("it's been ages", "'s", "have", "Number=Sing|Person=3|Tense=Pres|VerbForm=Fin"),
        ("you'd better go", "'d", "have", "Tense=Past|VerbForm=Fin"),
        ("it doesn’t work", "n’t", "not", "Polarity=Neg"),
        ("please help", "please", "please", ""),
        ("Morning all", "Morning", "morning", ""),
    ],
)
def test_lemmas_and_features_of_words(en_tweet_sm, text, token, lemma, morph):
    (found,) = [each for each in spacy.load("en_tweet_sm")(text) if each.text == token]
    assert (found.lemma_, str(found.morph)) == (lemma, morph)


@pytest.mark.parametrize("mark", ["\u200f", "\u202a", "\ufeff", "\ufe0f"])
def test_no_entity_begins_or_ends_on_invisible_characters(en_tweet_sm, mark):
    doc = spacy.load("en_tweet_sm")(f"{mark}Mia loves London{mark}")
    assert "London" in [ent.text for ent in doc.ents]
    assert not any(mark in ent.text for ent in doc.ents)
    assert (doc[0].tag_, doc[0].pos_) == ("_SP", "SPACE")


@pytest.mark.parametrize("text", ["Сегодня я иду в кино", "今日は映画を見ました", "สวัสดีครับ"])
def test_command_warns_of_other_scripts(en_tweet_sm, spacy_bilstm, text):
    code, _, error = spacy_bilstm("tag", "so good 😍 #Москва", text)
    assert code == 0
    assert error.count("Most letters are of another script than the words of 'en'") == 1


def test_command_warns_of_other_languages_however_the_words_are_split(en_tweet_sm, spacy_bilstm):
    texts = ["Das Wetter ist heute leider sehr schlecht", "und ich gehe nicht hinaus zum Einkaufen heute"]
    error = spacy_bilstm("tag", *texts, "weil es so kalt und nass ist")[2]
    assert "The texts look like the language 'de'" in error


@pytest.mark.parametrize(("text", "unknown"), [("Tämä on hieno päivä tänään", True), ("watching tv with my bff rn", False)])
def test_command_warns_of_unknown_words(en_tweet_sm, spacy_bilstm, text, unknown):
    error = spacy_bilstm("tag", text)[2]
    assert ("More than half of the words are unknown to the pipeline" in error) == unknown


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("dev", DEVS)
def test_scores_are_those_of_the_card(en_tweet_sm, spacy_bilstm, tmp_path, monkeypatch, dev):
    """Each dev part is converted as the workflow does it."""
    config = srsly.read_yaml(PROJECT / "project.yml")
    commands = {each["name"]: each["script"] for each in config["commands"]}
    target = dict(part.split("=") for part in shlex.split(config["vars"]["release_devs"]))[dev]
    convert = shlex.split(next(line for line in commands["release-dev"] if target in line))
    source, target = convert[convert.index("convert") + 1], tmp_path / "dev.spacy"
    if not (PROJECT / source).exists():
        pytest.skip(f"no {source}: run 'spacy project assets'")
    monkeypatch.chdir(PROJECT)
    code, _, error = spacy_bilstm("convert", source, target, *convert[convert.index("convert") + 3 :])
    assert code == 0, error
    nlp = spacy.load("en_tweet_sm")
    examples = list(Corpus(target)(nlp))
    docs = nlp.pipe([eg.x for eg in examples], batch_size=256)
    found = Scorer(nlp).score([Example(doc, eg.y) for doc, eg in zip(docs, examples)])
    kept = {key: score for key, score in nlp.meta["performance"]["by_corpus"][dev].items() if key in SCORES}
    assert {key: found[key] for key in kept} == pytest.approx(kept, abs=1e-3)
    key, least = DEVS[dev]
    assert kept[key] >= least
