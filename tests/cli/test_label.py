"""spacy-bilstm label, and training on what it writes."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import spacy
from small_pipelines import SMALL_CRF, TOK2VEC, ner_examples, small_pipeline, train
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus, Example

from spacy_bilstm_tagger.pipeline.soft_labels import get_soft_labels

TEXTS = [f"Mara met Kim{i} in York !!" for i in range(25)]
TAG_MAP = "A\tX\nB\tX|Y\n"


def tagged(nlp, seed=0):
    rng = np.random.default_rng(seed)
    docs = [nlp.make_doc(text) for text in TEXTS[:5]]
    return [Example.from_dict(doc, {"tags": rng.choice(["A", "B"], len(doc)).tolist()}) for doc in docs]


@pytest.fixture(scope="module")
def teachers(tmp_path_factory):
    """Two taggers, an entity recognizer, and one with a shared tok2vec."""
    folder = tmp_path_factory.mktemp("teachers")
    for seed in range(2):
        nlp = small_pipeline("bilstm_tagger")
        train(nlp, tagged(nlp, seed), steps=5)
        nlp.to_disk(folder / f"tagger{seed}")
    nlp = small_pipeline("bilstm_ner", scheme="biluo")
    train(nlp, ner_examples(nlp), steps=20)
    nlp.to_disk(folder / "ner")
    nlp = small_pipeline("bilstm_ner")
    nlp.add_pipe("bilstm_tok2vec", name="tok2vec", config={"model": TOK2VEC}, first=True)
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32, "upstream": "*"}
    model = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": listener}
    nlp.add_pipe("bilstm_tagger", config={"model": model})
    examples = ner_examples(nlp)
    for eg in examples:
        for token in eg.reference:
            token.tag_ = "A"
    train(nlp, examples, steps=5)
    nlp.to_disk(folder / "shared")
    return folder


@pytest.fixture
def texts(write):
    return write("raw.txt", "\n".join(TEXTS) + "\n")


def read(folder):
    vocab = spacy.blank("en").vocab
    return [doc for path in sorted(folder.glob("*.spacy")) for doc in DocBin().from_disk(path).get_docs(vocab)]


def test_every_text_has_the_mean_of_the_teachers(spacy_bilstm, teachers, texts, folder):
    code, out, _ = spacy_bilstm("label", texts, teachers / "tagger0", teachers / "tagger1", folder / "soft", "--shard-size", 10)
    assert code == 0
    assert "25 texts with soft labels, the mean of 2 teacher(s): tags: A, B" in out
    docs = read(folder / "soft")
    assert [doc.text for doc in docs] == TEXTS
    expected = []
    for seed in range(2):
        nlp = spacy.load(teachers / f"tagger{seed}")
        nlp.get_pipe("bilstm_tagger").tag_scores = True
        expected.append([[token._.tag_scores["A"] for token in doc] for doc in nlp.pipe(TEXTS)])
    for doc, one, other in zip(docs, *expected):
        soft = get_soft_labels(doc, "tags")
        found = soft.rows[:, soft.labels.index("A")]
        np.testing.assert_allclose(found, (np.array(one) + other) / 2, atol=3e-3)
        assert not doc.has_annotation("TAG")


def test_teachers_of_several_tasks_and_a_shared_tok2vec(spacy_bilstm, teachers, texts, folder):
    spacy_bilstm("label", texts, teachers / "shared", teachers / "ner", folder / "soft")
    for doc in read(folder / "soft"):
        assert get_soft_labels(doc, "tags").labels == ["A"]
        soft = get_soft_labels(doc, "ents")
        assert set(soft.labels) <= {"O", "B-person", "I-person", "B-place", "I-place"}
        np.testing.assert_allclose(soft.rows.sum(axis=1), 1, rtol=2e-3)
        np.testing.assert_allclose(soft.pairs.sum(), len(doc) - 1, rtol=2e-3)


def test_tags_and_types_are_renamed(spacy_bilstm, write, teachers, texts, folder):
    maps = ["--map-tags", write("tags.tsv", TAG_MAP), "--map-ents", write("ents.tsv", "person\tPER\nplace\t-\n")]
    spacy_bilstm("label", texts, teachers / "tagger0", teachers / "ner", folder / "soft", *maps)
    (doc, *_) = read(folder / "soft")
    assert set(get_soft_labels(doc, "tags").labels) <= {"X", "X|Y"}
    assert set(get_soft_labels(doc, "ents").labels) <= {"O", "B-PER", "I-PER", "-"}


def test_a_student_learns_from_them_by_spacy_train_s_corpus(spacy_bilstm, teachers, texts, folder):
    spacy_bilstm("label", texts, teachers / "ner", folder / "soft", "--shard-size", 10)
    nlp = small_pipeline("bilstm_ner")
    examples = list(Corpus(folder / "soft")(nlp))
    assert len(examples) == 25
    train(nlp, examples, steps=40)
    teacher = spacy.load(teachers / "ner")
    agree = [
        [(ent.text, ent.label_) for ent in nlp(text).ents] == [(ent.text, ent.label_) for ent in teacher(text).ents]
        for text in TEXTS
    ]
    assert np.mean(agree) > 0.9


def test_texts_of_a_folder_of_docs(spacy_bilstm, teachers, tmp_path):
    vocab = spacy.blank("en").vocab
    (tmp_path / "docs").mkdir()
    for name, part in {"a": TEXTS[:2], "b": TEXTS[2:3]}.items():
        DocBin(docs=[Doc(vocab, words=text.split()) for text in part]).to_disk(tmp_path / "docs" / f"{name}.spacy")
    command = ["label", tmp_path / "docs", teachers / "tagger0", tmp_path / "soft"]
    assert [spacy_bilstm(*command)[0] for _ in range(2)] == [0, 0]
    assert [doc.text for doc in read(tmp_path / "soft")] == TEXTS[:3]
    DocBin(docs=[Doc(vocab, words=["other"])]).to_disk(tmp_path / "docs" / "a.spacy")
    code, _, error = spacy_bilstm(*command)
    assert code == 1
    assert "file of texts" in error


def test_excluded_unsure_and_further_texts_are_left_out(spacy_bilstm, write, teachers, texts, folder):
    dev = write("dev.txt", f"{TEXTS[3].upper()}\n{TEXTS[7]}\n")
    _, out, _ = spacy_bilstm("label", texts, teachers / "tagger0", folder / "soft", "--exclude", dev, "--limit", 12)
    assert "Left out, as they are in" in out
    assert [doc.text for doc in read(folder / "soft")] == [text for i, text in enumerate(TEXTS[:12]) if i not in (3, 7)]
    (dev.parent / "devs").mkdir()
    spacy_bilstm("convert", dev, dev.parent / "devs" / "dev.spacy", "--format", "text")
    given = [texts, teachers / "tagger0", folder / "same", "--exclude", dev.parent / "devs", "--limit", 12]
    assert spacy_bilstm("label", *given)[0] == 0
    assert [doc.text for doc in read(folder / "same")] == [doc.text for doc in read(folder / "soft")]
    code, out, err = spacy_bilstm("label", texts, teachers / "tagger0", folder / "none", "--min-confidence", 1)
    assert "less probable than 1.0: 25 texts" in out
    assert code == 1
    assert "no text is left to learn from" in err


def test_a_run_that_was_killed_goes_on_and_nothing_is_lost_or_doubled(spacy_bilstm, teachers, texts, folder):
    given = [texts, teachers / "tagger0", folder / "soft", "--shard-size", 1, "--batch-size", 1]
    command = [sys.executable, "-m", "spacy_bilstm_tagger", "label", *map(str, given)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(list((folder / "soft").glob("part-*"))) < 3:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    n_before = len(list((folder / "soft").glob("part-*")))
    code, out, _ = spacy_bilstm("label", *given)
    assert code == 0
    assert "Files of an earlier run, kept:" in out or n_before < 3
    assert [doc.text for doc in read(folder / "soft")] == TEXTS
    undisturbed = [*given[:2], folder / "other", *given[3:]]
    spacy_bilstm("label", *undisturbed)
    for path in sorted((folder / "soft").glob("part-*")):
        assert path.read_bytes() == (folder / "other" / path.name).read_bytes()
    assert not [path.name for path in (folder / "soft").iterdir() if path.name.startswith(".")]


BAD_INPUT = {
    "no-pipeline": (["nowhere"], "nowhere: is no pipeline; expected a folder with config.cfg"),
    "twice": (["{t}/ner", "{t}/ner"], "given twice; expected different teachers"),
    "no-component": (["{blank}"], "has no component that can teach; expected bilstm_tagger, bilstm_ner, bilstm_spans"),
    "other-tokens": (["{t}/ner", "{whitespace}"], "makes other tokens of"),
    "other-types": (["{t}/ner", "{place}"], "person, place; expected the same, label with each by itself"),
    "map-gap": (
        ["{t}/tagger0", "--map-tags", "{gap}"],
        "the map has no entry for B; every tag of 'bilstm_tagger' needs one",
    ),
    "gpu": (["{t}/tagger0", "--gpu-id", "0"], "--gpu-id 0: "),
    "cannot-teach": (["{t}/tagger0:ner"], "ner cannot teach; expected some of bilstm_tagger"),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_one_line(spacy_bilstm, write, teachers, texts, folder, tmp_path, name):
    arguments, message = BAD_INPUT[name]
    spacy.blank("en").to_disk(tmp_path / "blank")
    other = spacy.blank("en")
    other.add_pipe("bilstm_ner", config={"model": SMALL_CRF})
    other.initialize(lambda: ner_examples(other))
    other.to_disk(tmp_path / "whitespace")
    place = small_pipeline("bilstm_ner")
    towns = [Example.from_dict(place.make_doc("in Lisbon"), {"entities": [(3, 9, "place")]})]
    place.initialize(lambda: towns)
    place.to_disk(tmp_path / "place")
    places = {
        "t": teachers,
        "blank": tmp_path / "blank",
        "whitespace": tmp_path / "whitespace",
        "place": tmp_path / "place",
        "gap": write("gap.tsv", "A\tX\n"),
    }
    texts.write_text("so good!!!\n", encoding="utf8")
    arguments = [argument.format(**places) for argument in arguments]
    at = next((i for i, argument in enumerate(arguments) if argument.startswith("--")), len(arguments))
    code, _, err = spacy_bilstm("label", texts, *arguments[:at], folder / "soft", *arguments[at:])
    assert code == 1
    assert message in err
    assert not (folder / "soft").exists() or not list((folder / "soft").glob("part-*"))


def test_components_that_teach_can_be_named(spacy_bilstm, teachers, texts, folder):
    code, _, err = spacy_bilstm("label", texts, f"{teachers / 'shared'}:bilstm_ner", folder / "soft")
    assert code == 0, err
    assert all(set(doc.user_data["soft_labels"]) == {"ents"} for doc in read(folder / "soft"))
    code, _, err = spacy_bilstm("label", texts, teachers / "shared", folder / "soft")
    assert code == 1
    assert "was begun with another teacher (" in err


def test_another_teacher_is_refused(spacy_bilstm, teachers, texts, folder):
    spacy_bilstm("label", texts, teachers / "tagger0", folder / "soft")
    code, _, err = spacy_bilstm("label", texts, teachers / "tagger1", folder / "soft")
    assert code == 1
    assert "was begun with another teacher (" in err
