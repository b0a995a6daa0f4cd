"""`token._.tag_scores`: the probabilities of all tags."""

import pytest
import spacy
import srsly
from numpy.testing import assert_allclose
from small_pipelines import SMALL_CRF, renew_checksums, train
from spacy.tokens import Doc, DocBin

from spacy_bilstm_tagger.crf.inference import marginals

TEXTS = ["RT @mara_lune: so good !!", "do n't go there", "", "   ", "the new record"]


@pytest.fixture
def trained(tweet_nlp, make_examples):
    tweet_nlp.add_pipe("bilstm_tagger")
    train(tweet_nlp, make_examples(tweet_nlp))
    return tweet_nlp


@pytest.fixture(params=["TokenClassifier", "LinearChainCRF"])
def scored(request, tweet_nlp, make_examples):
    model = {**SMALL_CRF, "@architectures": f"spacy-bilstm-tagger.{request.param}.v1"}
    tweet_nlp.add_pipe("bilstm_tagger", config={"model": model, "tag_scores": True})
    train(tweet_nlp, make_examples(tweet_nlp), steps=20)
    return tweet_nlp


def test_are_probabilities_of_all_tags_best_first(scored):
    labels = sorted(scored.get_pipe("bilstm_tagger").labels)
    for doc in scored.pipe(TEXTS):
        for token in doc:
            scores = token._.tag_scores
            assert sorted(scores) == labels
            assert sum(scores.values()) == pytest.approx(1, abs=1e-5)
            assert list(scores.values()) == sorted(scores.values(), reverse=True)


def test_none_where_the_tokens_have_changed(scored):
    doc = scored(TEXTS[0])
    assert doc[1:].as_doc(copy_user_data=True)[0]._.tag_scores is None
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[0:2])
    assert doc[0]._.tag_scores is None
    last = doc[len(doc) - 1]
    with doc.retokenize() as retokenizer:  # as many tokens as before
        retokenizer.split(last, [last.text[:1], last.text[1:]], [last, last])
    assert [token._.tag_scores for token in doc] == [None] * len(doc)


def test_of_the_softmax_begin_with_the_tag(scored):
    tagger = scored.get_pipe("bilstm_tagger")
    doc = scored(TEXTS[0])
    scores = tagger.model.predict([doc])
    for token, row in zip(doc, marginals(scores)):
        if not scores.is_chain:
            assert next(iter(token._.tag_scores)) == token.tag_
            assert_allclose(row, scores.emissions[token.i].softmax(dim=0), atol=1e-6)
        assert [token._.tag_scores[tag] for tag in tagger.labels] == pytest.approx(row.tolist(), abs=1e-6)


def test_survive_a_docbin_that_stores_user_data(scored):
    doc = scored(TEXTS[0])
    for kept, expected in [(True, [token._.tag_scores for token in doc]), (False, [None] * len(doc))]:
        data = DocBin(docs=[doc], store_user_data=kept).to_bytes()
        (again,) = DocBin().from_bytes(data).get_docs(scored.vocab)
        assert [token._.tag_scores for token in again] == expected


def test_survive_to_bytes(scored):
    doc = scored(TEXTS[0])
    again = Doc(scored.vocab).from_bytes(doc.to_bytes())
    assert [token._.tag_scores for token in again] == [token._.tag_scores for token in doc]


def test_of_an_earlier_pass_are_gone(scored):
    doc = scored(TEXTS[0])
    scored.get_pipe("bilstm_tagger").tag_scores = False
    assert [token._.tag_scores for token in scored(doc)] == [None] * len(doc)


def test_docs_that_are_joined_lose_them_in_one_line(scored):
    with pytest.warns(UserWarning, match="W101") as warned:
        joined = Doc.from_docs([scored(text) for text in TEXTS[:2]])
    assert all(len(str(each.message)) < 200 for each in warned)
    assert joined[0]._.tag_scores is None


def test_are_none_where_none_were_asked_for(trained):
    assert trained("so good")[0]._.tag_scores is None


def test_pipeline_saved_without_the_setting(trained, tmp_path):
    trained.to_disk(tmp_path)
    config = spacy.util.load_config(tmp_path / "config.cfg")
    del config["components"]["bilstm_tagger"]["tag_scores"]
    config.to_disk(tmp_path / "config.cfg")
    cfg = srsly.read_json(tmp_path / "bilstm_tagger" / "cfg")
    del cfg["tag_scores"]
    srsly.write_json(tmp_path / "bilstm_tagger" / "cfg", cfg)
    renew_checksums(tmp_path)
    loaded = spacy.load(tmp_path)
    tags = [[[token.tag_ for token in doc] for doc in nlp.pipe(TEXTS)] for nlp in (loaded, trained)]
    assert tags[0] == tags[1]
    assert loaded("so")[0]._.tag_scores is None
