"""Settings of prediction act, are saved, and may be given at load; others are refused."""

import warnings

import pytest
import spacy
from small_pipelines import ner_examples, small_pipeline, span_examples, train
from spacy.training import Example

from spacy_bilstm_tagger.errors import ConfigError

SETTINGS = {
    "bilstm_tagger": {"overwrite": True, "tag_scores": True, "morphs": {"JJ": "Degree=Pos"}},
    "bilstm_ner": {
        "overwrite": True,
        "spans_key": "names",
        "threshold": 0.25,
        "entity_odds": 2.0,
        "temperature": 1.5,
        "top_k": 3,
    },
    "bilstm_spans": {"spans_key": "mine", "threshold": None, "text_threshold": 0.3},
}
EXAMPLES = {"bilstm_ner": ner_examples, "bilstm_spans": span_examples}


def tag_examples(nlp):
    return [Example.from_dict(nlp.make_doc("so good"), {"tags": ["RB", "JJ"]})]


class TestSettings:
    @pytest.mark.parametrize(("factory", "setting", "value"), [(f, *pair) for f, s in SETTINGS.items() for pair in s.items()])
    def test_of_prediction_are_attributes_are_saved_and_can_be_given_in_the_config(self, tmp_path, factory, setting, value):
        nlp = small_pipeline(factory)
        train(nlp, EXAMPLES.get(factory, tag_examples)(nlp), steps=1)
        nlp.to_disk(tmp_path / "before")
        setattr(nlp.get_pipe(factory), setting, value)
        nlp.to_disk(tmp_path / "after")
        by_config = spacy.load(tmp_path / "before", config={f"components.{factory}.{setting}": value})
        for each in (nlp, spacy.load(tmp_path / "after"), by_config):
            assert getattr(each.get_pipe(factory), setting) == each.get_pipe(factory).cfg[setting] == value

    def test_they_act(self):
        nlp = small_pipeline("bilstm_ner")
        train(nlp, ner_examples(nlp), steps=3)
        ner = nlp.get_pipe("bilstm_ner")
        ner.top_k, ner.spans_key = 2, "names"
        doc = nlp("Kim met Mara in New York")
        assert set(doc.spans) == {"names", "names_alternatives"}
        assert len(doc.spans["names_alternatives"]) == 2

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            *(("threshold", value) for value in (2, "0.5", True)),
            *(("temperature", value) for value in (0, 1e-300, float("inf"), "1", None)),
            *(("entity_odds", value) for value in (-1, float("inf"), float("nan"))),
            *(("top_k", value) for value in (-1, 2.5, True, "2", None)),
            *(("spans_key", value) for value in ("", 5)),
            *(("overwrite", value) for value in ("no", None, 1)),
        ],
    )
    def test_out_of_range_are_refused_and_change_nothing(self, setting, value):
        ner = small_pipeline("bilstm_ner").get_pipe("bilstm_ner")
        before = dict(ner.cfg)
        with pytest.raises(ConfigError, match=setting):
            setattr(ner, setting, value)
        assert ner.cfg == before

    @pytest.mark.parametrize(
        ("factory", "setting", "value"), [("bilstm_ner", "scheme", "biluo"), ("bilstm_tagger", "reduction", "mean")]
    )
    def test_of_training_cannot_be_changed_in_the_config(self, tmp_path, factory, setting, value):
        nlp = small_pipeline(factory)
        train(nlp, EXAMPLES.get(factory, tag_examples)(nlp), steps=1)
        nlp.to_disk(tmp_path)
        with pytest.raises(ConfigError, match=f"{factory}: {setting} = '{value}', but it was trained with"):
            spacy.load(tmp_path, config={f"components.{factory}.{setting}": value})

    @pytest.mark.parametrize(
        ("factory", "setting", "value"),
        [
            ("bilstm_tagger", "tag_scores", "yes"),
            ("bilstm_tagger", "overwrite", 0),
            ("bilstm_tagger", "morphs", {"JJ": 1}),
            ("bilstm_tagger", "morphs", {"JJ": "garbage"}),
            ("bilstm_spans", "spans_key", None),
        ],
    )
    def test_of_other_components_are_checked_too(self, factory, setting, value):
        with pytest.raises(ConfigError, match=f"{factory}: {setting} = {value!r}; expected"):
            setattr(small_pipeline(factory).get_pipe(factory), setting, value)

    @pytest.mark.parametrize(("factory", "setting"), [("bilstm_tagger", "reduction"), ("bilstm_ner", "scheme")])
    def test_of_training_are_no_attributes(self, factory, setting):
        with pytest.raises(ConfigError, match=f"{factory}: {setting} goes with the weights"):
            setattr(small_pipeline(factory).get_pipe(factory), setting, "mean")

    @pytest.mark.parametrize(("name", "meant"), [("treshold", "threshold"), ("spans_keys", "spans_key"), ("topk", "top_k")])
    def test_misspelled_are_refused(self, name, meant):
        ner = small_pipeline("bilstm_ner").get_pipe("bilstm_ner")
        with pytest.raises(ConfigError, match=f"bilstm_ner: has no setting '{name}'; did you mean '{meant}'"):
            setattr(ner, name, 0.5)
        ner.note = "other attributes are the user's own"

    @pytest.mark.parametrize(("factory", "setting"), [("bilstm_tagger", "temperature"), ("bilstm_ner", "tag_scores")])
    def test_of_another_component_are_refused(self, factory, setting):
        with pytest.raises(ConfigError, match=f"{factory}: has no setting '{setting}', which is one of other components"):
            setattr(small_pipeline(factory).get_pipe(factory), setting, 1)

    @pytest.mark.parametrize("way", ["to_disk", "to_bytes"])
    def test_a_loaded_pipeline_takes_those_of_the_one_that_it_loads(self, tmp_path, way):
        nlp = small_pipeline("bilstm_ner")
        train(nlp, ner_examples(nlp), steps=1)
        nlp.to_disk(tmp_path / "before")
        ner = nlp.get_pipe("bilstm_ner")
        ner.top_k, ner.spans_key = 2, "names"
        nlp.to_disk(tmp_path / "after")  # which notes them in the config, too
        loaded = spacy.load(tmp_path / "before")
        loaded = loaded.from_disk(tmp_path / "after") if way == "to_disk" else loaded.from_bytes(nlp.to_bytes())
        assert loaded.get_pipe("bilstm_ner").settings == ner.settings

    def test_what_is_set_is_in_the_saved_config_and_the_config_may_set_it_back(self, tmp_path):
        nlp = small_pipeline("bilstm_ner")
        train(nlp, ner_examples(nlp), steps=1)
        ner = nlp.get_pipe("bilstm_ner")
        ner.top_k, ner.threshold = 5, 0.3
        nlp.to_disk(tmp_path)
        loaded = spacy.load(tmp_path)
        assert loaded.config["components"]["bilstm_ner"]["top_k"] == 5
        back = spacy.load(tmp_path, config={"components": {"bilstm_ner": {"top_k": 0, "threshold": None}}})
        ner = back.get_pipe("bilstm_ner")
        assert (ner.top_k, ner.threshold) == (0, None)

    @pytest.mark.parametrize("factory", ["bilstm_tok2vec", *SETTINGS])
    @pytest.mark.parametrize("batch_size", [0, -1, 2.5])
    def test_batch_sizes_with_which_spacy_drops_docs_are_refused(self, factory, batch_size):
        nlp = small_pipeline(factory)
        nlp.batch_size = batch_size
        with pytest.raises(ConfigError, match=f"{factory}: batch_size = {batch_size}; expected a whole number of at least 1"):
            list(nlp.pipe(["so good"]))

    @pytest.mark.parametrize("factory", SETTINGS)
    def test_learn_rates_with_which_the_loss_grows_are_refused(self, factory):
        nlp = small_pipeline(factory)
        examples = EXAMPLES.get(factory, tag_examples)(nlp)
        optimizer = nlp.initialize(lambda: examples)
        before = nlp.get_pipe(factory).to_bytes()
        for learn_rate in (-1.0, float("nan"), "0.1"):
            optimizer.learn_rate = learn_rate
            with pytest.raises(ConfigError, match=f"{factory}: learn_rate = {learn_rate!r}; expected a number of at least 0"):
                nlp.update(examples, sgd=optimizer)
        assert nlp.get_pipe(factory).to_bytes() == before

    @pytest.mark.parametrize("factory", SETTINGS)
    def test_learn_rates_that_stay_at_0_are_warned_of_once(self, factory):
        """As that of a warm-up whose schedule is not called; the warm-up itself begins at 0."""
        nlp = small_pipeline(factory)
        examples = EXAMPLES.get(factory, tag_examples)(nlp)
        optimizer = nlp.initialize(lambda: examples)
        for learn_rate in (0.0, 0.1, 0.0):
            optimizer.learn_rate = learn_rate
            nlp.update(examples, sgd=optimizer)
        with pytest.warns(UserWarning, match=f"{factory}: the learn rate stays at 0, so nothing is learned"):
            nlp.update(examples, sgd=optimizer)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            nlp.update(examples, sgd=optimizer)
