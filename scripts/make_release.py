"""A trained pipeline made ready to use: morphology, lemmas, sentences, the convention of parts of speech in tweets, a smaller
size, and its meta.

    python scripts/make_release.py training/release/student/model-best training/release/pipeline --name tweet_sm \\
        --entities training/release/entities-student/model-best
"""

import warnings
from importlib.metadata import distribution, requires
from pathlib import Path
from typing import Annotated, Any, Iterator, Optional

import spacy
import srsly
import torch
import typer
from spacy.language import Language
from spacy.util import registry
from thinc.api import Model

from spacy_bilstm_tagger.layers.shim import TorchShim
from spacy_bilstm_tagger.pipeline.upstream import reset_links
from spacy_bilstm_tagger.tokenizer.characters import EMOJI, REGIONAL
from spacy_bilstm_tagger.util import write_beside

ENGLISH = Path(__file__).parent.parent / "assets" / "english"
# Tweebank v2 (Liu et al. 2018, "Parsing tweets into universal dependencies", section 2.1): in a retweet the user is X, and part of
# the sentence elsewhere.
# Hashtags in a row are X too. URL12 is how published corpora, Tweebank among them, hide links.
_PLACEHOLDER = {"TEXT": {"REGEX": r"^(?:URL\d+|HTTPURL)$"}}
POS_PATTERNS: list[tuple[list[dict[str, Any]], str, int]] = [
    ([{"TAG": "USR"}], "PROPN", 0),
    ([{"TAG": "RT"}, {"TAG": "USR"}], "X", 1),
    ([{"TAG": "RT"}], "X", 0),
    ([{"TAG": "URL"}], "X", 0),
    ([_PLACEHOLDER], "X", 0),
    ([{"TAG": "HT"}, {"TAG": "HT"}], "X", 0),
    ([{"TAG": "HT"}, {"TAG": "HT"}], "X", 1),
    ([{"TAG": "HT"}, {"TAG": "URL"}], "X", 0),
    ([{"TAG": "URL"}, {"TAG": "HT"}], "X", 1),
]
# u is you where it is a pronoun. 2 and 4 as to and for: need 2 go, going 2 the mall, 4 u. T-POS has TO for both kinds of to.
_OBJECTS = {"LOWER": {"IN": ["u", "you", "ya", "me", "him", "her", "us", "them"]}}
_DETERMINED = {"TAG": {"IN": ["DT", "PRP$"]}}
NUMBER_WORDS: list[tuple[list[dict[str, Any]], dict[str, str]]] = [
    ([{"LOWER": "u", "TAG": "PRP"}], {"POS": "PRON"}),
    ([{"TEXT": "2", "TAG": "TO"}], {"POS": "ADP"}),
    *([([{"TEXT": number, "TAG": "IN"}], {"POS": "ADP"}) for number in ("2", "4")]),
    *([([{"TEXT": "2"}, follows], {"TAG": "TO", "POS": "ADP", "MORPH": ""}) for follows in (_OBJECTS, _DETERMINED)]),
    *([([{"TEXT": "4"}, follows], {"TAG": "IN", "POS": "ADP", "MORPH": ""}) for follows in (_OBJECTS, _DETERMINED)]),
    ([{"TEXT": "2"}, {"TAG": "VB"}], {"TAG": "TO", "POS": "PART", "MORPH": ""}),
]
# Do you care, didn't she know, have they left: T-POS has few questions. One pattern a verb: lists are slow.
_PRONOUNS = ["i", "you", "u", "ya", "y'all", "yall", "he", "she", "we", "they"]
_SUBJECT = {"LOWER": {"IN": [*_PRONOUNS, "people", "ppl", "anyone", "anybody", "everyone", "everybody", "someone", "somebody"]}}
_NOT, _ADVERB = ({**each, "OP": "?"} for each in ({"LOWER": {"IN": ["n't", "not"]}}, {"TAG": "RB"}))
_BASE = {"TAG": {"IN": ["VB", "VBP"]}}
QUESTIONS: list[tuple[list[dict[str, Any]], dict[str, str], int]] = [
    *(
        ([{"LOWER": verb}, _NOT, _SUBJECT, _ADVERB, _BASE], {"TAG": "VB", "MORPH": "VerbForm=Inf"}, -1)
        for verb in ("do", "does", "did")
    ),
    (
        [{"LOWER": "do", **_BASE}, _NOT, _SUBJECT, _ADVERB, _BASE],
        {"TAG": "VBP", "MORPH": "Tense=Pres|VerbForm=Fin"},
        0,
    ),
]
_PARTICIPLE = {"TAG": "VBN", "MORPH": "Aspect=Perf|Tense=Past|VerbForm=Part"}
QUESTIONS += [([{"LOWER": verb}, _NOT, _SUBJECT, _ADVERB, {"TAG": "VBD"}], _PARTICIPLE, -1) for verb in ("have", "has", "had")]
_HAD = {"TAG": "VBD", "POS": "AUX", "LEMMA": "have", "MORPH": "Tense=Past|VerbForm=Fin"}
_US = {"TAG": "PRP", "POS": "PRON", "MORPH": "Case=Acc|Number=Plur|Person=1|PronType=Prs"}  # let's
# The beginning of a link where a retweet was cut off.
_DOTS = {"TEXT": {"REGEX": r"^(?:\.{2,}|…+)$"}}
_CUT_LINK = {"LOWER": {"IN": ["htt", *(f"{scheme}{rest}" for scheme in ("http", "https") for rest in ("", ":", ":/", "://"))]}}
LICENCES = {"CC BY-SA 4.0": "https://creativecommons.org/licenses/by-sa/4.0/legalcode"}
TERMS = ("LICENSE", "en_license.txt")  # the files of a package that have them


def main(
    source: Annotated[Path, typer.Argument(metavar="MODEL", help="A trained pipeline with a tagger, and its tok2vec.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write.")],
    name: Annotated[str, typer.Option(help="The name of the pipeline, without its language: that of a file in assets/english.")],
    entities: Annotated[
        Path, typer.Option(help="A pipeline whose entity recognizer is taken, with the tok2vec that it listens to.")
    ],
    pos: Annotated[
        Optional[Path],
        typer.Option(help='A pipeline whose tagger, of attr = "pos", is taken likewise, where MODEL has none named pos.'),
    ] = None,
    version: Annotated[str, typer.Option()] = "0.2.0",
) -> None:
    nlp = spacy.load(source)
    # Its rules are saved; these are those of this version.
    nlp.tokenizer = registry.resolve({"tokenizer": nlp.config["nlp"]["tokenizer"]})["tokenizer"](nlp)
    if pos is not None:
        take_component(nlp, pos, "tagger", "pos")
    take_component(nlp, entities, "ner", "ner")
    add_rules(nlp)
    for model in _models(nlp):
        round_weights(model)
        reset_links(model)  # the rounded tok2vec is the one that a component goes with
    about = srsly.read_yaml(ENGLISH / f"{name}.yml")
    spacy_version = next(each for each in requires("spacy-bilstm-tagger") or () if each.startswith(("spacy<", "spacy>")))
    about["spacy_version"] = spacy_version.removeprefix("spacy")
    nlp.config["nlp"]["batch_size"] = 1000  # as in spaCy's own; 256 is for training
    # nlp.resume_training() takes it, and whoever calls nlp.update by hand no schedule, which begins with 0.
    nlp.config["training"]["optimizer"]["learn_rate"] = 0.001
    nlp.meta.update(about, name=name, version=version, performance={}, requirements=[])
    # What the pipeline has read while it was trained is of no use, and a quarter of its size.
    nlp.vocab.strings._reset_and_load(sorted(_needed_strings(nlp)))
    with write_beside(output) as draft:
        nlp.to_disk(draft)
        for file, text in licence_files(about).items():
            (draft / file).write_text(text, encoding="utf8")
    typer.echo(f"✔ {output}: {', '.join(nlp.pipe_names)}")


def licence_files(about: dict[str, Any]) -> dict[str, str]:
    """The files that `spacy package` puts beside the card: the licence, and whose work is inside."""
    licence = ": ".join(filter(None, (about["license"], LICENCES.get(about["license"]))))
    inside = [f"# The pipeline\n\n* Author: {about['author']}\n* Licence: {licence}\n"]
    for source in about["sources"]:
        inside.append(f"# {source['name']}\n\n* URL: {source['url']}\n* Licence: {source['license']}\n")
        if "package" in source:
            files = [each for each in distribution(source["package"]).files or () if each.name in TERMS]
            inside += [f"```\n{each.read_text().strip()}\n```\n" for each in files]
    return {
        "LICENSE": f"{licence}\n\nWhose work is inside: see LICENSES_SOURCES.\n",
        "LICENSES_SOURCES": "\n".join(inside),
    }


def take_component(nlp: Language, source: Path, component: str, name: str) -> None:
    """With a tok2vec of its own."""
    other = spacy.load(source)
    listens = any(node.name == "tok2vec-listener" for node in other.get_pipe(component).model.walk())
    if listens:
        other.replace_listeners("tok2vec", component, ["model.tok2vec"])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\[W113\]")  # of other vectors; the component looks for itself
        nlp.add_pipe(component, source=other, name=name)
    nlp("RT")  # with its first text it brings its tables along


def add_rules(nlp: Language) -> None:
    """What spaCy's English pipelines have too: morphology by tags, lemmas by rules; and sentences."""
    ruler = nlp.add_pipe("attribute_ruler", after="pos")
    morphs = (ENGLISH / "tag_morphs.tsv").read_text(encoding="utf8").splitlines()
    nlp.get_pipe("tagger").morphs = dict(line.split("\t") for line in morphs)
    for pattern, pos, index in POS_PATTERNS:
        ruler.add([pattern], {"POS": pos}, index=index)
    for pattern, attrs in NUMBER_WORDS:
        ruler.add([pattern], attrs)
    for pattern, attrs, index in QUESTIONS:
        ruler.add([pattern], attrs, index=index)
    for preposition in ("w/", "w/o", "b4"):
        ruler.add([[{"LOWER": preposition}]], {"TAG": "IN", "POS": "ADP", "MORPH": ""})
    ruler.add([[{"LOWER": "her", "TAG": "PRP"}]], {"LEMMA": "she"})  # PRP$ is her
    for sign in "'’":
        ruler.add([[{"LOWER": "let"}, {"LOWER": f"{sign}s"}]], _US, index=1)
        for word in ("been", "got"):  # he's never been
            ruler.add([[{"LOWER": f"{sign}s", "POS": "AUX"}, _ADVERB, {"LOWER": word}]], {"LEMMA": "have"}, index=0)
        for follows in ({"LOWER": "better"}, {"TAG": "VBN"}):  # he'd been warned
            ruler.add([[{"LOWER": f"{sign}d", "TAG": "MD"}, _ADVERB, follows]], _HAD, index=0)
    # By the part of speech, which knows them better than the tag.
    for word in ("please", "pls", "plz"):
        ruler.add([[{"LOWER": word, "POS": "INTJ"}]], {"TAG": "UH", "MORPH": ""})
    for sign in ".,":
        ruler.add([[{"ORTH": sign}]], {"POS": "PUNCT"})
    ruler.add([[_DOTS]], {"TAG": ":", "POS": "PUNCT"})  # as all of T-POS has them
    ruler.add([[_CUT_LINK, _DOTS]], {"TAG": "URL", "POS": "X", "MORPH": ""})
    # The last pattern wins. T-POS has no emoji, and UH for emoticons.
    emoji = {"TEXT": {"REGEX": f"^[{EMOJI}{REGIONAL}]"}}
    ruler.add([[emoji]], {"TAG": "UH", "POS": "SYM", "MORPH": ""})
    # Nor has it symbols of stocks, $AAPL, which are names.
    cashtag = {"TEXT": {"REGEX": r"^\$[A-Za-z]{1,6}(\.[A-Z]{1,2})?$"}}
    ruler.add([[cashtag]], {"TAG": "NNP", "POS": "PROPN", "MORPH": "Number=Sing"})
    nlp.add_pipe("tweet_lemmatizer", name="lemmatizer", after="attribute_ruler").initialize()
    # Behind the entities, which may hold the end of a sentence, as Yahoo! Answers does.
    nlp.add_pipe("tweet_sentencizer", last=True)


def round_weights(model: Model) -> None:
    """To the nearest numbers of float16, in float32."""
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name):
                node.set_param(name, node.get_param(name).astype("float16").astype("float32"))
        for shim in (shim for shim in node.shims if isinstance(shim, TorchShim)):
            with torch.no_grad():
                for weight in shim.module.parameters():
                    weight.copy_(weight.half().float())


def _models(nlp: Language) -> list[Model]:
    models = (getattr(pipe, "model", None) for _, pipe in nlp.pipeline)
    return [model for model in models if isinstance(model, Model)]


def _needed_strings(nlp: Language) -> Iterator[str]:
    for _, pipe in nlp.pipeline:
        yield from getattr(pipe, "labels", ())
    yield from ("_SP", "_")


if __name__ == "__main__":
    typer.run(main)
