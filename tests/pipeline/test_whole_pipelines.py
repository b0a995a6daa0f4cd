"""A saved pipeline is what was saved, or is refused; listeners, white space, and the tools of spaCy."""

import copy
import json
import pickle
import shutil
import warnings

import numpy as np
import pytest
import spacy
import srsly
from numpy.testing import assert_array_equal
from small_pipelines import TOK2VEC, ner_examples, renew_checksums, small_pipeline, span_examples, train
from spacy.cli.find_threshold import find_threshold
from spacy.language import Language, create_tokenizer
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from thinc.api import Adam, fix_random_seed

from spacy_bilstm_tagger.errors import ConfigError, DataError
from spacy_bilstm_tagger.lexicon.vectors import set_vectors
from spacy_bilstm_tagger.pipeline.upstream import Link, listeners

TEXTS = [
    "so good in New York",
    "Kim likes it :) #now",
    "RT @mara_lune: so so good !!",
    "real garbage\n\n http://bit.ly/x7Qa2 do n't",
    "2nite 😭😭 in Lisbon w/ Mia Lee",
]
TOKENIZER = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 32, "upstream": "*"}
FILES = ["tokenizer", "vocab/key2row", "vocab/lookups.bin", "vocab/strings.json", "vocab/vectors"]


def make_pipeline(seed=0):
    """A shared tok2vec over vectors, tagger and ner."""
    nlp = spacy.blank("en", config=TOKENIZER)
    words = ["so", "good", "<user>", "<url>", "in", "new", "york", "kim", "<unk>"]
    rows = np.random.default_rng(seed).normal(size=(len(words), 4)).astype("f")
    set_vectors(nlp.vocab, words, rows, name="toy")
    tok2vec = {**TOK2VEC, "embed": {**TOK2VEC["embed"], "include_static_vectors": True}}
    nlp.add_pipe("bilstm_tok2vec", name="tok2vec", config={"model": tok2vec})
    for factory, head in (("bilstm_tagger", "TokenClassifier"), ("bilstm_ner", "LinearChainCRF")):
        model = {"@architectures": f"spacy-bilstm-tagger.{head}.v1", "tok2vec": LISTENER}
        nlp.add_pipe(factory, config={"model": model})
    tags, ents = ["RB", "JJ", "IN", "NNP", "NNP"], ["O", "O", "O", "B-place", "L-place"]
    examples = [Example.from_dict(nlp.make_doc(TEXTS[0]), {"tags": tags, "entities": ents})]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(20):
        nlp.update(examples, sgd=optimizer)
    return nlp


@pytest.fixture(scope="module")
def pipeline():
    """Not to be changed."""
    return make_pipeline()


def learn_on(nlp, **options):
    """The same pipeline, whose tok2vec has changed since."""
    tags, ents = ["RB", "JJ", "IN", "NNP", "RB"], ["O", "O", "O", "O", "U-place"]
    examples = [Example.from_dict(nlp.make_doc(TEXTS[0]), {"tags": tags, "entities": ents})]
    optimizer = nlp.resume_training()
    for _ in range(2):  # spaCy's tok2vec learns from a batch at the next one
        nlp.update(examples, sgd=optimizer, **options)
    return nlp


def output(nlp, texts=TEXTS):
    return [[(token.text, token.tag_, token.ent_iob_, token.ent_type_) for token in doc] for doc in nlp.pipe(texts)]


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
        with pytest.raises(
            ConfigError, match=r"tokenizer: scheme = 'ptb', but .*tokenizer was saved with 'ud'\. Set it back"
        ):
            spacy.load(tmp_path)
        assert spacy.load(tmp_path, config={"nlp": {"tokenizer": {"scheme": "ud"}}})

    def test_a_setting_of_the_tokenizer_that_would_do_nothing_is_refused(self, pipeline, tmp_path):
        pipeline.to_disk(tmp_path)
        with pytest.raises(ConfigError, match=r"tokenizer: hashtags = 'words', but .* was saved with 'whole'"):
            spacy.load(tmp_path, config={"nlp": {"tokenizer": {"hashtags": "words"}}})

    def test_config_and_other_files_are_the_users(self, pipeline, tmp_path):
        pipeline.to_disk(tmp_path)
        (tmp_path / "README.md").write_text("mine", encoding="utf8")
        (tmp_path / "vocab" / ".DS_Store").write_bytes(b"x")
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
        with pytest.raises(
            ConfigError, match=r"tokenizer: it is a Tokenizer, but .* was saved by spacy-bilstm-tagger\.Tweet"
        ):
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
            nlp = spacy.blank(
                "en", vocab=pipeline.vocab, config={"nlp": {"tokenizer": pipeline.config["nlp"]["tokenizer"]}}
            )
            for name in pipeline.pipe_names:
                nlp.add_pipe(name, source=pipeline)
            nlp.to_disk(tmp_path / folder)
            assert not (tmp_path / folder / "sha256sums").exists()
        (tmp_path / "missing" / "vocab" / "key2row").unlink()
        (tmp_path / "exchanged" / "vocab" / "vectors").write_bytes(
            (tmp_path / "other" / "vocab" / "vectors").read_bytes()
        )
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


class TestListeners:
    MESSAGE = (
        r"bilstm_tagger: listens to a tok2vec \('\*'\), and found no rows in the doc; expected that component before"
    )

    def test_without_their_tok2vec(self, pipeline, tmp_path):
        pipeline.to_disk(tmp_path)
        for options in ({"exclude": ["tok2vec"]}, {"disable": ["tok2vec"]}):
            nlp = spacy.load(tmp_path, **options)
            with pytest.raises(ConfigError, match=self.MESSAGE):
                nlp(TEXTS[0])
            assert len(nlp("")) == 0

    def test_before_their_tok2vec(self, pipeline):
        nlp = copy.deepcopy(pipeline)
        tok2vec = nlp._components.pop(0)
        nlp._components.append(tok2vec)
        with pytest.raises(ConfigError, match=self.MESSAGE):
            nlp(TEXTS[0])

    ANOTHER = "bilstm_tagger: listens to another tok2vec than the one that it was trained with"

    def test_a_trained_one_behind_another_tok2vec_is_warned_of(self, pipeline, tmp_path):
        one, other = copy.deepcopy(pipeline), make_pipeline(seed=1)
        nlp = spacy.blank("en", vocab=one.vocab, config=TOKENIZER)
        nlp.add_pipe("tok2vec", source=one)
        nlp.add_pipe("bilstm_ner", source=one)
        nlp.add_pipe("bilstm_tagger", source=other)
        nlp.to_disk(tmp_path)
        for each in (nlp, spacy.load(tmp_path)):
            with pytest.warns(UserWarning, match=self.ANOTHER):
                each(TEXTS[0])
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                each(TEXTS[1])  # once is enough
                each.select_pipes(disable=["bilstm_tagger"])
                each(TEXTS[0])
        learn_on(nlp).to_disk(tmp_path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert output(spacy.load(tmp_path)) == output(nlp)

    @pytest.mark.parametrize("as_bytes", [True, False])
    def test_a_tok2vec_that_is_exchanged_is_warned_of(self, pipeline, tmp_path, as_bytes):
        tok2vec = learn_on(copy.deepcopy(pipeline)).get_pipe("tok2vec")
        tok2vec.to_disk(tmp_path / "other")
        pipeline.to_disk(tmp_path / "pipeline")
        nlp = spacy.load(tmp_path / "pipeline")
        nlp(TEXTS[0])
        if as_bytes:
            nlp.get_pipe("tok2vec").from_bytes(tok2vec.to_bytes())
        else:
            nlp.get_pipe("tok2vec").from_disk(tmp_path / "other", exclude=["vocab"])
        with pytest.warns(UserWarning, match=self.ANOTHER):
            nlp(TEXTS[0])

    def test_a_tok2vec_that_is_exchanged_in_memory_is_warned_of_then_and_after_loading(self, pipeline, tmp_path):
        nlp = copy.deepcopy(pipeline)
        nlp.get_pipe("tok2vec").from_bytes(learn_on(copy.deepcopy(pipeline)).get_pipe("tok2vec").to_bytes())
        nlp.to_disk(tmp_path)
        for each in (nlp, spacy.load(tmp_path)):
            with pytest.warns(UserWarning, match=self.ANOTHER):
                each(TEXTS[0])
        with pytest.warns(UserWarning, match=self.ANOTHER):
            learn_on(spacy.load(tmp_path))

    @pytest.mark.parametrize("is_loaded", [True, False])
    def test_a_tok2vec_that_learns_on_alone_is_warned_of_also_after_a_first_text(self, pipeline, tmp_path, is_loaded):
        nlp = copy.deepcopy(pipeline)
        if is_loaded:
            pipeline.to_disk(tmp_path)
            nlp = spacy.load(tmp_path)
        nlp(TEXTS[0])
        learn_on(nlp, exclude=["bilstm_tagger"])
        with pytest.warns(
            UserWarning, match=self.ANOTHER if is_loaded else "bilstm_tagger: its tok2vec has learned since"
        ):
            nlp(TEXTS[0])
        learn_on(nlp)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            nlp(TEXTS[0])

    def test_a_tok2vec_between_is_warned_of(self, pipeline):
        nlp = spacy.blank("en", vocab=make_pipeline().vocab, config=TOKENIZER)
        for name in ("one", "two"):
            nlp.add_pipe("bilstm_tok2vec", name=name, config={"model": TOK2VEC})
        for name, factory in (("two", "bilstm_spans"), ("one", "bilstm_tagger")):
            listener = {**LISTENER, "upstream": name}
            model = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": listener}
            if name == "one":
                with pytest.warns(UserWarning, match="bilstm_tagger: listens to 'one', but 'two' stands between them"):
                    nlp.add_pipe(factory, config={"model": model})
            else:
                nlp.add_pipe(factory, config={"model": model})
        nlp.remove_pipe("bilstm_tagger")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            nlp.add_pipe("bilstm_tagger", before="two", config={"model": model})

    @pytest.mark.parametrize("part", ["tok2vec", "bilstm_tagger"])
    def test_a_folder_from_another_pipeline_is_warned_of(self, pipeline, tmp_path, part):
        """Pipelines of sourced components alone have no checksums of the whole."""
        for name, source in (("one", copy.deepcopy(pipeline)), ("other", learn_on(copy.deepcopy(pipeline)))):
            nlp = spacy.blank("en", vocab=source.vocab, config=TOKENIZER)
            for pipe in source.pipe_names:
                nlp.add_pipe(pipe, source=source)
            nlp.to_disk(tmp_path / name)
        shutil.rmtree(tmp_path / "one" / part)
        (tmp_path / "other" / part).rename(tmp_path / "one" / part)
        with pytest.warns(UserWarning, match=self.ANOTHER):
            spacy.load(tmp_path / "one")(TEXTS[0])

    def test_spacy_s_tok2vec_in_the_place_of_ours_is_warned_of(self, pipeline, tmp_path):
        pipeline.to_disk(tmp_path)
        theirs = spacy.blank("en")
        theirs.add_pipe("tok2vec", config={"model": {"width": 32}})
        theirs.initialize()
        nlp = spacy.blank("en", vocab=theirs.vocab, config=TOKENIZER)
        nlp.add_pipe("tok2vec", source=theirs)
        nlp.add_pipe("bilstm_tagger", source=spacy.load(tmp_path))
        nlp.to_disk(tmp_path / "mixed")
        with pytest.warns(UserWarning, match=self.ANOTHER):
            spacy.load(tmp_path / "mixed")(TEXTS[0])

    def test_components_on_spacy_s_tok2vec_know_it_too(self, tmp_path):
        for seed, name in enumerate(("one", "other")):
            fix_random_seed(seed)
            nlp = spacy.blank("en", config=TOKENIZER)
            nlp.add_pipe("tok2vec", config={"model": {"width": 32}})
            model = {"@architectures": "spacy-bilstm-tagger.TokenClassifier.v1", "tok2vec": LISTENER}
            nlp.add_pipe("bilstm_tagger", config={"model": model})
            examples = [Example.from_dict(nlp.make_doc(TEXTS[0]), {"tags": ["RB", "JJ", "IN", "NNP", "NNP"]})]
            optimizer = nlp.initialize(lambda: examples)  # noqa: B023
            for _ in range(3):
                nlp.update(examples, sgd=optimizer)
            nlp.to_disk(tmp_path / name)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                again = spacy.load(tmp_path / name)
                assert output(again) == output(nlp)
                again.update(examples, sgd=again.resume_training())
                again(TEXTS[0])
        nlp = spacy.load(tmp_path / "one")
        nlp.remove_pipe("bilstm_tagger")
        nlp.add_pipe("bilstm_tagger", source=spacy.load(tmp_path / "other"))
        nlp.to_disk(tmp_path / "mixed")
        with pytest.warns(UserWarning, match=self.ANOTHER):
            spacy.load(tmp_path / "mixed")(TEXTS[0])

    def test_copies_and_new_ones_are_not_warned_of(self, pipeline, tmp_path):
        pipeline.to_disk(tmp_path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for nlp in (copy.deepcopy(pipeline), pickle.loads(pickle.dumps(pipeline)), spacy.load(tmp_path)):
                nlp(TEXTS[0])
                nlp.remove_pipe("bilstm_ner")
                nlp.add_pipe("bilstm_ner", config={"model": pipeline.get_pipe_config("bilstm_ner")["model"]})
                again = copy.deepcopy(spacy.load(tmp_path))
                again(TEXTS[0])
                again.to_disk(tmp_path / "again")
                spacy.load(tmp_path / "again")(TEXTS[0])
            learn_on(spacy.load(tmp_path))(TEXTS[0])

    def test_averages_that_are_saved_are_those_that_are_compared(self, pipeline, tmp_path):
        nlp = copy.deepcopy(pipeline)
        optimizer = Adam(0.01, use_averages=True)
        nlp.update([Example.from_dict(nlp.make_doc(TEXTS[0]), {"tags": ["RB"] * 5})], sgd=optimizer)
        with nlp.use_params(optimizer.averages):
            nlp.to_disk(tmp_path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            nlp(TEXTS[0])
            spacy.load(tmp_path)(TEXTS[0])

    def test_a_frozen_component_behind_a_tok2vec_that_learned_on_is_warned_of(self, pipeline, tmp_path):
        pipeline.to_disk(tmp_path)
        nlp = spacy.load(tmp_path)
        learn_on(nlp, exclude=["bilstm_tagger"])
        nlp.to_disk(tmp_path / "next")
        with pytest.warns(UserWarning, match=self.ANOTHER) as warned:
            spacy.load(tmp_path / "next")(TEXTS[0])
        assert len(warned) == 1

    def test_the_copy_of_a_component_takes_no_tok2vec_along(self, pipeline):
        tagger = pipeline.get_pipe("bilstm_tagger")
        twin = copy.deepcopy(tagger.model)
        (node,), (same,) = listeners(twin), listeners(tagger.model)
        assert node is not same
        assert Link.of(node).tok2vec is Link.of(same).tok2vec is pipeline.get_pipe("tok2vec")
        whole = copy.deepcopy(pipeline)
        (node,) = listeners(whole.get_pipe("bilstm_tagger").model)
        assert Link.of(node).tok2vec is whole.get_pipe("tok2vec")

    def test_rows_of_another_width(self, pipeline):
        doc = pipeline.make_doc(TEXTS[0])
        doc.tensor = np.zeros((len(doc), 5), dtype="f")
        with pytest.raises(ConfigError, match="found rows of width 5, expected 32"):
            pipeline.get_pipe("bilstm_ner")(doc)

    def test_rows_that_were_taken_away(self, pipeline):
        doc = pipeline.make_doc(TEXTS[0])
        doc.tensor = None
        with pytest.raises(ConfigError, match="found no rows in the doc"):
            pipeline.get_pipe("bilstm_ner")(doc)

    def test_rows_of_tokens_before_they_were_split(self, pipeline):
        """spaCy leaves a row too many, and zeros for the parts."""
        nlp = copy.deepcopy(pipeline)
        nlp.add_pipe("token_splitter", after="tok2vec", config={"min_length": 4, "split_length": 2})
        with pytest.raises(
            ConfigError, match=r"rows for \d+ tokens in the doc; expected the component that splits tokens"
        ):
            nlp(TEXTS[0])


class TestDocsOfAnotherVocabulary:
    def test_other_norms_are_warned_of(self, tweet_nlp):
        tagger = tweet_nlp.add_pipe("bilstm_tagger")
        with pytest.warns(UserWarning, match="of a vocabulary without the norms that the component was trained with"):
            tagger.meet([Doc(spacy.blank("en").vocab, words=["@mara", "ok"])])

    def test_the_same_norms_are_not(self, tweet_nlp):
        tagger, other = tweet_nlp.add_pipe("bilstm_tagger"), copy.deepcopy(tweet_nlp)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tagger.meet([Doc(tweet_nlp.vocab, words=["@mara", "ok"])])
            tagger.meet([other.make_doc("@mara ok")])
        assert tagger.vocab is other.vocab


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
