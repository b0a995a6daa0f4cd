import numpy as np
import pytest
import spacy
from small_pipelines import SMALL_CRF
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_bilstm_tagger.annotate.teachers import Teachers
from spacy_bilstm_tagger.errors import ConfigError
from spacy_bilstm_tagger.pipeline.gold import gold_tags, set_annotated_pos

WORDS = [["so", "good"], ["do", "n't", "go"]]
POS = [["ADV", "ADJ"], ["AUX", "PART", "VERB"]]
TAGS = [["RB", "JJ"], ["VB", "RB", "VB"]]


def examples_of(nlp):
    return [
        Example(Doc(nlp.vocab, words=words), Doc(nlp.vocab, words=words, pos=pos, tags=tags))
        for words, pos, tags in zip(WORDS, POS, TAGS)
    ]


@pytest.fixture(params=[None, SMALL_CRF], ids=["softmax", "crf"])
def trained(tweet_nlp, request):
    model = {} if request.param is None else {"model": request.param}
    tweet_nlp.add_pipe("bilstm_tagger")
    tweet_nlp.add_pipe("bilstm_tagger", name="pos", config={"attr": "pos", "tag_scores": True, **model})
    optimizer = tweet_nlp.initialize(lambda: examples_of(tweet_nlp))
    optimizer.learn_rate = 0.01
    for _ in range(40):
        tweet_nlp.update(examples_of(tweet_nlp), sgd=optimizer)
    return tweet_nlp


def test_are_learned_beside_tags(trained):
    docs = [trained(Doc(trained.vocab, words=words)) for words in WORDS]
    assert [[token.pos_ for token in doc] for doc in docs] == POS
    assert [[token.tag_ for token in doc] for doc in docs] == TAGS
    scores = trained.evaluate(examples_of(trained))
    assert scores["pos_acc"] == scores["tag_acc"] == scores["pos_micro_f"] == 1.0
    assert set(scores["pos_per_type"]) == {"ADV", "ADJ", "AUX", "PART", "VERB"}


def test_probabilities_of_each_have_a_name_of_their_own(trained):
    token = trained(Doc(trained.vocab, words=["so", "good"]))[1]
    assert next(iter(token._.pos_scores)) == "ADJ"
    assert sum(token._.pos_scores.values()) == pytest.approx(1)
    assert token._.tag_scores is None


def test_white_space_is_space_and_what_is_set_stays(trained):
    doc = Doc(trained.vocab, words=["so", "\n", "good"])
    doc[0].pos_ = "INTJ"
    assert [token.pos_ for token in trained(doc)] == ["INTJ", "SPACE", "ADJ"]
    trained.get_pipe("pos").overwrite = True
    doc = Doc(trained.vocab, words=["so", "\n", "good"])
    doc[0].pos_ = "INTJ"
    assert [token.pos_ for token in trained(doc)] == ["ADV", "SPACE", "ADJ"]
    assert [token.pos_ for token in trained(Doc(trained.vocab, words=[]))] == []


def test_survive_saving(trained, tmp_path):
    trained.to_disk(tmp_path / "saved")
    again = spacy.load(tmp_path / "saved")
    assert [token.pos_ for token in again(Doc(again.vocab, words=WORDS[1]))] == POS[1]
    assert again.get_pipe("pos").attr == "pos"


def test_other_tags_are_an_error(tweet_nlp):
    pos = tweet_nlp.add_pipe("bilstm_tagger", config={"attr": "pos"})
    with pytest.raises(ValueError, match=r"found the part of speech 'NN'; expected universal ones, .* use attr"):
        pos.add_label("NN")


def test_no_parts_of_speech_is_an_error(tweet_nlp):
    tweet_nlp.add_pipe("bilstm_tagger", config={"attr": "pos"})
    doc = Doc(tweet_nlp.vocab, words=["so"], tags=["RB"])
    with pytest.raises(Exception, match="found no universal parts of speech"):
        tweet_nlp.initialize(lambda: [Example(Doc(tweet_nlp.vocab, words=["so"]), doc)])


def test_one_of_several_is_learned_as_such(tweet_nlp):
    pos = tweet_nlp.add_pipe("bilstm_tagger", config={"attr": "pos"})
    examples = examples_of(tweet_nlp)
    set_annotated_pos(examples[0].reference, ["ADV|AUX", "ADJ"])
    tweet_nlp.initialize(lambda: examples)
    assert pos.labels == ("ADJ", "ADV", "AUX", "PART", "VERB")
    allowed = pos.allowed(examples[:1])
    assert [{pos.labels[i] for i in np.flatnonzero(row)} for row in allowed] == [{"ADV", "AUX"}, {"ADJ"}]


def test_teacher_gives_them(trained):
    doc = Teachers({"teacher": trained}, tag_map={"RB": "R", "JJ": "J", "VB": "V"}).label(["so good"])[0]
    soft = doc.user_data["soft_labels"]
    assert set(soft) == {"tags", "pos"}
    assert "ADJ" in soft["pos"]["labels"]
    assert "J" in soft["tags"]["labels"]  # the map is of tags alone


def test_convert_reads_parts_of_speech_and_lemmas(spacy_bilstm, tmp_path):
    path = tmp_path / "a.conllu"
    rows = [
        "1\tThe\tthe\tDET\tDT\t_\t_\t_\t_\t_",
        "2\tcats\tcat\tNOUN\tNNS\t_\t_\t_\t_\t_",
        "3\tzz\t_\tFOO\t_\t_\t_\t_\t_\t_",
    ]
    path.write_text("# text = The  cats zz\n" + "\n".join(rows) + "\n\n")
    spacy_bilstm("convert", path, tmp_path / "a.spacy", "--tags", "xpos")
    doc = next(DocBin().from_disk(tmp_path / "a.spacy").get_docs(spacy.blank("en").vocab))
    assert [(token.text, token.tag_, token.pos_, token.lemma_) for token in doc] == [
        ("The", "DT", "DET", "the"),
        (" ", "", "", ""),
        ("cats", "NNS", "NOUN", "cat"),
        ("zz", "", "", ""),
    ]


def test_convert_maps_tags_to_parts_of_speech(spacy_bilstm, tmp_path):
    (tmp_path / "a.conll").write_text("that\tIN\nrun\tVB\n#go\tHT\n\n")
    (tmp_path / "map.tsv").write_text("IN\tADP|SCONJ\nVB\tVERB\nHT\t-\n")
    (tmp_path / "tags.tsv").write_text("IN\tX\nVB\tX\nHT\tX\n")
    args = ("convert", tmp_path / "a.conll", tmp_path / "a.spacy", "--map-pos", tmp_path / "map.tsv")
    spacy_bilstm(*args, "--map-tags", tmp_path / "tags.tsv")
    doc = next(DocBin().from_disk(tmp_path / "a.spacy").get_docs(spacy.blank("en").vocab))
    assert gold_tags(doc, "pos") == ["ADP|SCONJ", "VERB", ""]
    assert [token.pos_ for token in doc] == ["", "VERB", ""]
    assert [token.tag_ for token in doc] == ["X", "X", "X"]


@pytest.mark.parametrize(
    ("line", "message"),
    [("VB\tDOING", "VB becomes 'DOING'; expected universal parts of speech"), ("NN\tNOUN", "no entry for VB")],
)
def test_maps_of_other_labels_are_refused(spacy_bilstm, tmp_path, line, message):
    (tmp_path / "a.conll").write_text("run\tVB\n\n")
    (tmp_path / "map.tsv").write_text(line + "\n")
    args = ("convert", tmp_path / "a.conll", tmp_path / "a.spacy", "--map-pos", tmp_path / "map.tsv")
    code, _, error = spacy_bilstm(*args)
    assert code == 1
    assert message in error


def test_the_map_in_assets_holds_parts_of_speech(project):
    lines = (project / "assets" / "tag_maps" / "ritter-to-upos.tsv").read_text().splitlines()
    parts = {part for line in lines for part in line.split("\t")[1].split("|")}
    assert parts <= {*spacy.parts_of_speech.IDS, "-"}


def test_gold_that_is_not_universal_is_told(tweet_nlp):
    tweet_nlp.add_pipe("bilstm_tagger", config={"attr": "pos"})
    examples = [Example.from_dict(tweet_nlp.make_doc("so good"), {"pos": ["ADV", "FOO"]})]
    with pytest.raises(ConfigError, match="'so good': a token's part of speech is none of the universal ones"):
        tweet_nlp.initialize(lambda: examples)
