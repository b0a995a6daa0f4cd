"""A saved pipeline is what was saved, or is refused; listeners, white space, and the tools of spaCy."""

import copy
import json
import pickle
import re
import warnings

import numpy as np
import pytest
import spacy
import srsly
from numpy.testing import assert_array_equal
from shared_pipelines import TEXTS, learn_on, make_pipeline, output
from small_pipelines import ner_examples, renew_checksums, small_pipeline, span_examples, train
from spacy.cli.find_threshold import find_threshold
from spacy.language import Language, create_tokenizer
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_bilstm_tagger.errors import ConfigError, DataError
from spacy_bilstm_tagger.lexicon.files import TWEET_TOKENIZER
from spacy_bilstm_tagger.tokenizer import create_tweet_tokenizer

FILES = ["tokenizer", "vocab/key2row", "vocab/lookups.bin", "vocab/strings.json", "vocab/vectors"]


@pytest.fixture(scope="module")
def pipeline():
    """Not to be changed."""
    return make_pipeline()


class TestFiles:
    @pytest.mark.parametrize("file", FILES)
    @pytest.mark.parametrize("damage", ["altered", "missing", "cut"])
    def test_a_file_that_is_not_as_it_was_saved_is_named(self, pipeline, tmp_path, file, damage):
        pipeline.to_disk(tmp_path)
        data = (tmp_path / file).read_bytes()
        (tmp_path / file).write_bytes(bytes([data[0] ^ 1]) + data[1:] if damage == "altered" else data[:-1])
        if damage == "missing":
            (tmp_path / file).unlink()
        with pytest.raises((DataError, FileNotFoundError), match=file):
            spacy.load(tmp_path)

    def test_a_tokenizer_of_another_pipeline(self, pipeline, tmp_path):
        pipeline.to_disk(tmp_path)
        pipe = spacy.blank("en", config={"nlp": {"tokenizer": {**pipeline.config["nlp"]["tokenizer"], "scheme": "ud"}}})
        pipe.tokenizer.to_disk(tmp_path / "tokenizer")
        with pytest.raises(DataError, match=r"nlp: cannot load .*tokenizer"):
            spacy.load(tmp_path)
        renew_checksums(tmp_path)
        with pytest.raises(ConfigError, match=r"tokenizer: scheme = 'ptb', but .*tokenizer was saved with 'ud'\. Set it back"):
            spacy.load(tmp_path)
        assert spacy.load(tmp_path, config={"nlp": {"tokenizer": {"scheme": "ud"}}})

    def test_a_setting_of_the_tokenizer_that_would_do_nothing_is_refused(self, pipeline, tmp_path):
        pipeline.to_disk(tmp_path)
        with pytest.raises(ConfigError, match=r"tokenizer: hashtags = 'words', but .* was saved with 'whole'"):
            spacy.load(tmp_path, config={"nlp": {"tokenizer": {"hashtags": "words"}}})

    def test_config_and_other_files_are_the_users(self, pipeline, tmp_path):
        pipeline.to_disk(tmp_path)
        (tmp_path / "README.md").write_text("mine", encoding="utf8")
        for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
            (tmp_path / "vocab" / name).write_bytes(b"x")
        meta = json.loads((tmp_path / "meta.json").read_text("utf8"))
        (tmp_path / "meta.json").write_text(json.dumps({**meta, "description": "mine"}), encoding="utf8")
        assert output(spacy.load(tmp_path)) == output(pipeline)

    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda nlp: pickle.loads(pickle.dumps(nlp))])
    def test_copies_save_themselves(self, pipeline, tmp_path, duplicate):
        twin = duplicate(pipeline)
        twin.get_pipe("bilstm_tagger").cfg["labels"].reverse()
        twin.to_disk(tmp_path)
        labels = spacy.load(tmp_path).get_pipe("bilstm_tagger").labels
        assert labels == pipeline.get_pipe("bilstm_tagger").labels[::-1]

    def test_a_pipeline_of_sourced_components_alone_is_saved_over_another(self, pipeline, tmp_path):
        pipeline.to_disk(tmp_path)
        tokenizer = {"nlp": {"tokenizer": pipeline.config["nlp"]["tokenizer"]}}
        nlp = spacy.blank("en", vocab=pipeline.vocab, config=tokenizer)
        for name in pipeline.pipe_names:
            nlp.add_pipe(name, source=pipeline)
        nlp.to_disk(tmp_path)
        assert output(spacy.load(tmp_path)) == output(nlp)

    @pytest.mark.parametrize("reads_first", [True, False])
    def test_sourced_components_beside_our_tokenizer_are_saved_whole(self, pipeline, tmp_path, reads_first):
        """With checksums, and with their tables, also if no text was read before."""
        settings = {"nlp": {"tokenizer": pipeline.config["nlp"]["tokenizer"]}}
        other = spacy.blank("en", config=settings)
        other.vocab.vectors = pipeline.vocab.vectors
        for name in pipeline.pipe_names:
            other.add_pipe(name, source=pipeline)
        if reads_first:
            other(TEXTS[0])
        other.to_disk(tmp_path)
        assert output(spacy.load(tmp_path)) == output(pipeline)
        data = (tmp_path / "tokenizer").read_bytes()
        (tmp_path / "tokenizer").write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
        with pytest.raises(DataError, match=r"tokenizer\. It does not agree with the checksum"):
            spacy.load(tmp_path)

    def test_bytes_of_a_tokenizer_with_other_settings_are_refused(self, pipeline):
        parts = srsly.msgpack_loads(pipeline.to_bytes())
        tokenizer = {**pipeline.config["nlp"]["tokenizer"], "scheme": "ud"}
        parts["tokenizer"] = spacy.blank("en", config={"nlp": {"tokenizer": tokenizer}}).tokenizer.to_bytes()
        with pytest.raises(ConfigError, match="tokenizer: scheme = 'ptb', but the given bytes was saved with 'ud'"):
            copy.deepcopy(pipeline).from_bytes(srsly.msgpack_dumps(parts))

    def test_a_file_of_this_name_beside_a_component_stays(self, pipeline, tmp_path):
        (tmp_path / "sha256sums").write_text("mine", encoding="utf8")
        pipeline.get_pipe("bilstm_tagger").to_disk(tmp_path / "tagger")
        assert (tmp_path / "sha256sums").read_text("utf8") == "mine"

    @pytest.mark.parametrize("way", ["disk", "bytes"])
    def test_nothing_of_a_damaged_pipeline_is_taken_into_one_that_runs(self, pipeline, tmp_path, way):
        other, running = make_pipeline(seed=1), copy.deepcopy(pipeline)
        if way == "disk":
            other.to_disk(tmp_path)
            model = tmp_path / "bilstm_ner" / "model"
            model.write_bytes(model.read_bytes()[:-4])
            with pytest.raises(DataError, match="bilstm_ner: cannot load"):
                running.from_disk(tmp_path)
        else:
            parts = srsly.msgpack_loads(other.to_bytes())
            parts["bilstm_ner"] = parts["bilstm_ner"][:-4]
            with pytest.raises(DataError, match="bilstm_ner: cannot load the given bytes"):
                running.from_bytes(srsly.msgpack_dumps(parts))
        assert output(running) == output(pipeline)

    @pytest.mark.parametrize("way", ["disk", "bytes"])
    def test_a_pipeline_that_runs_is_whole_again_if_a_part_does_not_fit(self, pipeline, tmp_path, way):
        """The vocabulary and the components before that part are loaded by then."""
        other, running = learn_on(make_pipeline(seed=1)), copy.deepcopy(pipeline)
        for nlp in (other, running):
            nlp.add_pipe("entity_ruler", before="tok2vec").add_patterns([{"label": "X", "pattern": "so good"}])
        other.get_pipe("bilstm_ner").cfg["labels"].append("more")
        other.to_disk(tmp_path)
        expected = output(running)
        with pytest.raises(DataError, match="bilstm_ner: cannot load"):
            running.from_disk(tmp_path) if way == "disk" else running.from_bytes(other.to_bytes())
        assert output(running) == expected
        with pytest.raises(DataError, match="the given bytes: cannot be read as a pipeline"):
            running.from_bytes(other.to_bytes()[:-5])

    def test_another_tokenizer_in_the_config_is_refused(self, pipeline, tmp_path):
        pipeline.to_disk(tmp_path)
        with pytest.raises(ConfigError, match=r"tokenizer: it is a Tokenizer, but .* was saved by spacy-bilstm-tagger\.Tweet"):
            spacy.load(tmp_path, config={"nlp": {"tokenizer": {"@tokenizers": "spacy.Tokenizer.v1"}}})

    def test_a_tokenizer_that_the_config_does_not_know_is_not_saved(self, pipeline, tmp_path):
        nlp = copy.deepcopy(pipeline)
        nlp.tokenizer = create_tokenizer()(nlp)
        with pytest.raises(ConfigError, match="tokenizer: it is a Tokenizer, but the config has spacy-bilstm-tagger"):
            nlp.to_disk(tmp_path)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("file", ["sha256sums", "bilstm_tagger/sha256sums"])
    @pytest.mark.parametrize(
        "damage",
        [
            lambda d: b"",
            lambda d: d + b"\n",
            lambda d: d[:90],
            lambda d: (b"1" if d[:1] == b"0" else b"0") + d[1:],
            None,
        ],
    )
    def test_checksums_that_are_damaged_or_missing_are_named(self, pipeline, tmp_path, file, damage):
        pipeline.to_disk(tmp_path)
        path = tmp_path / file
        if damage:
            path.write_bytes(damage(path.read_bytes()))
        else:
            path.unlink()
        with pytest.raises(DataError, match=rf"cannot load .*{file}\. It (does not agree|is missing)"):
            spacy.load(tmp_path)

    def test_a_file_that_is_missing_is_named(self, pipeline, tmp_path):
        pipeline.to_disk(tmp_path)
        (tmp_path / "vocab" / "key2row").unlink()
        with pytest.raises(DataError, match=r"vocab/key2row\. It is missing: get the whole folder again"):
            spacy.load(tmp_path)

    def test_vectors_of_a_pipeline_of_sourced_components_alone_are_compared(self, pipeline, tmp_path):
        other = make_pipeline(seed=1)
        other.to_disk(tmp_path / "other")
        for folder in ("missing", "exchanged"):
            nlp = spacy.blank("en", vocab=pipeline.vocab)
            for name in pipeline.pipe_names:
                nlp.add_pipe(name, source=pipeline)
            nlp.to_disk(tmp_path / folder)
            assert not (tmp_path / folder / "sha256sums").exists()
        (tmp_path / "missing" / "vocab" / "key2row").unlink()
        (tmp_path / "exchanged" / "vocab" / "vectors").write_bytes((tmp_path / "other" / "vocab" / "vectors").read_bytes())
        for folder in ("missing", "exchanged"):
            with pytest.raises(ConfigError, match=r"tok2vec: .*vocab/vectors.*vocab/key2row.*are not those"):
                spacy.load(tmp_path / folder)

    def test_vectors_may_change_in_memory(self, tmp_path):
        nlp = make_pipeline()
        nlp.vocab.set_vector("lisbon", np.ones(4, dtype="f"))
        expected = output(nlp)
        nlp.to_disk(tmp_path)
        assert output(spacy.load(tmp_path)) == expected
        assert output(pickle.loads(pickle.dumps(nlp))) == expected

    def test_excluded_parts_are_not_compared(self, pipeline, tmp_path):
        pipeline.to_disk(tmp_path)
        (tmp_path / "tokenizer").write_bytes(b"x")
        assert spacy.load(tmp_path, exclude=["tokenizer"]).pipe_names == pipeline.pipe_names

    @pytest.mark.slow
    @pytest.mark.timeout(1200)
    def test_of_a_thousand_flipped_bits_none_changes_the_output(self, pipeline, tmp_path):
        """Over all files, by their size; values of the config excepted."""
        pipeline.to_disk(tmp_path)
        texts = [f"{one} {other} w{i}" for i in range(12) for one in TEXTS for other in TEXTS]  # 300
        expected = output(pipeline, texts)
        assert output(spacy.load(tmp_path), texts) == expected
        files = sorted(path for path in tmp_path.rglob("*") if path.is_file() and path.name != "config.cfg")
        sizes = np.array([path.stat().st_size for path in files])
        rng = np.random.default_rng(0)
        loaded = 0
        for number in rng.choice(len(files), size=1000, p=0.5 * sizes / sizes.sum() + 0.5 / len(files)).tolist():
            path, data = files[number], files[number].read_bytes()
            at, bit = int(rng.integers(len(data))), int(rng.integers(8))
            path.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
            try:
                nlp = spacy.load(tmp_path)
            except Exception:
                continue
            finally:
                path.write_bytes(data)
            loaded += 1
            assert output(nlp, texts) == expected, f"{path}, byte {at}, bit {bit}"
        assert 0 < loaded < 250  # meta.json, which changes nothing


class TestTokens:
    """A component knows the tokenizer that it was trained with, wherever it goes."""

    MESSAGE = "was trained with norms = 'glove', and the docs have norms = '{}'"

    @pytest.fixture
    def tagger(self, make_examples):
        nlp = small_pipeline("bilstm_tagger")
        train(nlp, make_examples(nlp), steps=1)
        return nlp

    def taken(self, tagger, tokenizer=None):
        nlp = spacy.blank("en", config={"nlp": {"tokenizer": tokenizer}} if tokenizer else {})
        nlp.add_pipe("bilstm_tagger", source=tagger)
        return nlp

    @pytest.mark.parametrize("norms", ["lower", "spaCy"])
    def test_others_are_warned_of_in_each_pipeline_and_after_saving(self, tagger, norms, tmp_path):
        tokenizer = None if norms == "spaCy" else {"@tokenizers": TWEET_TOKENIZER, "norms": norms}
        for _ in range(2):
            with pytest.warns(UserWarning, match=self.MESSAGE.format(norms)):
                self.taken(tagger, tokenizer)("@mara ok")
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                tagger("@mara ok")
        self.taken(tagger, tokenizer).to_disk(tmp_path)
        loaded = spacy.load(tmp_path)
        with pytest.warns(UserWarning, match=self.MESSAGE.format(norms)):
            loaded("@mara ok")

    def test_weights_that_are_loaded_bring_theirs(self, tagger, make_examples, tmp_path):
        tagger.to_disk(tmp_path)
        nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": TWEET_TOKENIZER, "norms": "lower"}}})
        pipe = nlp.add_pipe("bilstm_tagger", config={"model": tagger.get_pipe_config("bilstm_tagger")["model"]})
        train(nlp, make_examples(nlp), steps=1)
        pipe.from_disk(tmp_path / "bilstm_tagger", exclude=["vocab"])
        with pytest.warns(UserWarning, match=self.MESSAGE.format("lower")):
            nlp("@mara ok")

    def test_another_tokenizer_on_the_same_vocabulary(self, tagger):
        tagger.tokenizer = create_tweet_tokenizer(norms="lower")(tagger)
        with pytest.warns(UserWarning, match=self.MESSAGE.format("lower")):
            tagger("@mara ok")

    def test_the_same_are_not(self, tagger, tmp_path):
        tagger.to_disk(tmp_path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.taken(tagger, {"@tokenizers": TWEET_TOKENIZER})("@mara ok")
            other = spacy.load(tmp_path)
            other("@mara ok")
            copy.deepcopy(other)("@mara ok")
            tagger.get_pipe("bilstm_tagger")(other.make_doc("@mara ok"))

    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            ({"scheme": "ud"}, "contractions = 'split_all', hyphens = 'split', units = 'split', emoji_runs = 'whole'"),
            ({"hashtags": "words"}, "hashtags = 'words'"),
            ({"patterns": {"ticket": "[A-Z]+-[0-9]+"}}, "patterns = [['ticket', '[A-Z]+-[0-9]+']]"),
            ({"scheme": "ud", "norms": "lower"}, "norms = 'lower'"),
        ],
    )
    def test_other_tokens(self, tagger, tmp_path, settings, told):
        message = re.escape(f"and the docs have {told}, so")
        nlp = self.taken(tagger, {"@tokenizers": TWEET_TOKENIZER, **settings})
        with pytest.warns(UserWarning, match=message):
            nlp.to_disk(tmp_path)
        loaded = spacy.load(tmp_path)
        with pytest.warns(UserWarning, match=message) as warned:
            list(loaded.pipe(["@mara ok", "so good"], batch_size=1))
        assert len(warned) == 1

    def test_the_same_tokens_by_other_settings(self, tagger):
        tokens = {"contractions": "split", "hyphens": "whole", "units": "whole", "emoji_runs": "single"}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.taken(tagger, {"@tokenizers": TWEET_TOKENIZER, "scheme": "ud", **tokens})("@mara ok")

    def test_a_source_of_a_config_does_not_bring_its_tokenizer(self, tagger, tmp_path):
        """spaCy loads its pipeline with the vocabulary of the new one."""
        tagger.to_disk(tmp_path)
        tokenizer = {"@tokenizers": TWEET_TOKENIZER, "scheme": "ud", "norms": "lower"}
        config = {
            "nlp": {"lang": "en", "pipeline": ["bilstm_tagger"], "tokenizer": tokenizer},
            "components": {"bilstm_tagger": {"source": str(tmp_path)}},
        }
        nlp = spacy.util.load_model_from_config(config, auto_fill=True)
        with pytest.warns(UserWarning, match=self.MESSAGE.format("lower")):
            doc = nlp("@Mara 😭😭")
        assert [token.norm_ for token in doc] == ["@mara", "😭😭"]

    def test_training_again_takes_those_of_now(self, tagger, make_examples):
        tagger.tokenizer = create_tweet_tokenizer(norms="lower")(tagger)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            train(tagger, make_examples(tagger), steps=1)
            tagger("@mara ok")

    def test_so_does_a_second_step(self, tagger, make_examples, tmp_path):
        nlp = self.taken(tagger, {"@tokenizers": TWEET_TOKENIZER, "scheme": "ud"})
        with pytest.warns(UserWarning, match="and the docs have contractions = 'split_all'"):
            nlp.update(make_examples(nlp), sgd=nlp.resume_training())
        nlp.to_disk(tmp_path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            spacy.load(tmp_path)("@mara ok")


class TestWhiteSpace:
    def test_its_tag(self, pipeline):
        doc = pipeline("so\n\n good  in\t")
        assert [token.tag_ == "_SP" for token in doc] == [token.is_space for token in doc]
        assert sum(token.is_space for token in doc) == 3

    def test_a_tag_that_is_set_stays(self, pipeline):
        doc = Doc(pipeline.vocab, words=["so", "\n"], tags=["X", "Y"])
        assert [token.tag_ for token in pipeline(doc)] == ["X", "Y"]

    @pytest.mark.parametrize("scheme", ["bio", "biluo"])
    @pytest.mark.parametrize("threshold", [None, 0.01])
    def test_no_entity_begins_or_ends_with_it(self, scheme, threshold):
        nlp = small_pipeline("bilstm_ner", scheme=scheme, threshold=threshold)
        train(nlp, ner_examples(nlp), steps=3)
        nlp.get_pipe("bilstm_ner").entity_odds = 1000.0
        for text in ("Kim\n\nMara", " New \n York  ", "in\nLisbon\n\n", "\n\n"):
            doc = nlp(text)
            assert not any(ent[0].is_space or ent[-1].is_space for ent in doc.ents)


class TestToolsOfSpacy:
    def test_scores_are_written_as_json(self, pipeline):
        tags, ents = ["RB", "JJ", "IN", "NNP", "NNP"], ["O", "O", "O", "B-place", "L-place"]
        example = Example.from_dict(pipeline.make_doc(TEXTS[0]), {"tags": tags, "entities": ents})
        scores = pipeline.evaluate([example])
        assert json.loads(json.dumps(scores))["tag_acc"] == scores["tag_acc"]

    def test_find_threshold(self, tmp_path, capsys):
        nlp = small_pipeline("bilstm_spans")
        examples = span_examples(nlp)
        train(nlp, examples, steps=3)
        nlp.to_disk(tmp_path / "model")
        DocBin(docs=[eg.reference for eg in examples]).to_disk(tmp_path / "dev.spacy")
        scored = "spans_toxic_f"
        find_threshold(str(tmp_path / "model"), tmp_path / "dev.spacy", "bilstm_spans", "threshold", scored, n_trials=3)
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines] == ["Threshold", "0.0", "0.5", "1.0"]

    @pytest.mark.parametrize("component", ["merge_entities", "splitter"])
    def test_spans_stay_right_when_tokens_are_merged_or_split(self, component):
        nlp = small_pipeline("bilstm_ner", top_k=3)
        train(nlp, ner_examples(nlp), steps=40)
        text = "with Kim and Mara Lune in New York"
        expected = nlp(text)
        groups = {name: [(span.text, span.label_) for span in expected.spans[name]] for name in expected.spans}
        assert groups["ents"] == [(ent.text, ent.label_) for ent in expected.ents]
        assert len(groups["ents"]) == 3
        nlp.add_pipe(component)
        doc = nlp(text)
        assert len(doc) != len(expected)
        copied, sent = doc.copy(), Doc(nlp.vocab).from_bytes(doc.to_bytes())
        for each in (doc, copied, sent):
            assert {name: [(span.text, span.label_) for span in each.spans[name]] for name in each.spans} == groups
            assert_array_equal(each.spans["ents"].attrs["scores"], expected.spans["ents"].attrs["scores"])


@Language.component("splitter")
def split_with(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.split(doc[0], ["wi", "th"], heads=[doc[0], doc[0]])
    return doc
