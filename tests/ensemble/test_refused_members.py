"""Members that make no ensemble are refused, each in one line."""

from functools import partial

import numpy as np
import pytest
from seeds import SMALL_SOFTMAX, save_changed, tag_examples, train_seeds
from small_pipelines import small_pipeline

from spacy_bilstm_tagger.ensemble.average import average_emissions, average_weights
from spacy_bilstm_tagger.errors import DataError
from spacy_bilstm_tagger.lexicon.brown import brown_table
from spacy_bilstm_tagger.lexicon.table import BROWN


def _more_labels(nlp):
    nlp.get_pipe("bilstm_tagger").cfg["labels"][0] = "NEW"


def _labels_turned(nlp):
    nlp.get_pipe("bilstm_tagger").cfg["labels"].reverse()


def _overwrite(nlp):
    nlp.get_pipe("bilstm_tagger").cfg["overwrite"] = True


def _vectors(nlp):
    nlp.vocab.set_vector("so", np.ones(3, dtype="f"))


def _clusters(nlp):
    brown_table({"so": "01"}).to_lookups(nlp.vocab.lookups, BROWN)


def _special_case(nlp):
    nlp.tokenizer.add_special_case("!!", [{"ORTH": "!"}, {"ORTH": "!"}])


def _one_more(nlp):
    nlp.add_pipe("sentencizer")


def _off(nlp):
    nlp.disable_pipe("bilstm_tagger")


class TestErrors:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (_more_labels, r"the labels of 'bilstm_tagger' differ \(7 of them, .* alone; 7 of them, NEW alone\)"),
            (_labels_turned, r"the labels of 'bilstm_tagger' differ \(in their order\)"),
            (_overwrite, r"the settings of 'bilstm_tagger' differ \(overwrite = False; overwrite = True\)"),
            (_vectors, r"the vectors differ \(0 keys, 0 rows; 1 keys, \d+ rows\)"),
            (_clusters, r"the lookup tables differ \('brown_paths' is in one of them only\)"),
            (_special_case, r"the tokenizers differ"),
            (_one_more, r"the components differ \(bilstm_tagger \(bilstm_tagger\); bilstm_tagger .*, sentencizer"),
            (_off, r"the components differ \(bilstm_tagger \(bilstm_tagger\); .*, disabled\)\)"),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    @pytest.mark.parametrize("average", [average_emissions, average_weights])
    def test_members_that_differ(self, tagger_members, tmp_path, change, message, average):
        other = save_changed(tagger_members[1], change, tmp_path / "other")
        with pytest.raises(DataError, match=f"seed1 and .*other: {message}.*Average pipelines that one recipe"):
            average([tagger_members[0], other])

    def test_other_rows_under_the_same_keys(self, tagger_members, tmp_path):
        paths = []
        for number, path in enumerate(tagger_members):

            def change(nlp, number=number):
                nlp.vocab.set_vector("so", np.full(3, number, dtype="f"))

            paths.append(save_changed(path, change, tmp_path / path.name))
        with pytest.raises(DataError, match=r"the vectors differ \(1 keys"):
            average_emissions(paths)

    @pytest.mark.parametrize("average", [average_emissions, average_weights])
    def test_other_entries_of_a_table(self, tagger_members, tmp_path, average):
        def give_tables(nlp, path="01"):
            brown_table({"so": path, "good": "1"}).to_lookups(nlp.vocab.lookups, BROWN)
            nlp.vocab.lookups.add_table("lemma", {"is": ["be"]})

        one, two = tagger_members[:2]
        paths = [save_changed(path, give_tables, tmp_path / path.name) for path in (one, two)]
        assert average(paths) is not None
        other = save_changed(two, partial(give_tables, path="11"), tmp_path / "more")
        with pytest.raises(DataError, match=r"the lookup tables differ \('brown_paths' has other entries\)"):
            average([paths[0], other])

    def test_heads_that_differ(self, tagger_members, tmp_path):
        make = partial(small_pipeline, "bilstm_tagger", model=SMALL_SOFTMAX)
        other = train_seeds(make, tag_examples, tmp_path / "softmax", (7,), steps=1)
        with pytest.raises(DataError, match="the heads of 'bilstm_tagger' differ"):
            average_emissions([tagger_members[0], *other])

    @pytest.mark.parametrize("count", [0, 1])
    def test_fewer_than_two(self, tagger_members, count):
        with pytest.raises(DataError, match=f"found {count} pipeline to average, expected at least two"):
            average_emissions(tagger_members[:count])

    def test_folders_that_are_no_pipelines(self, tagger_members, tmp_path):
        with pytest.raises(DataError, match=r"nowhere: cannot be loaded as a pipeline \(no such folder\)"):
            average_emissions([tagger_members[0], tmp_path / "nowhere"])
        (tmp_path / "empty").mkdir()
        with pytest.raises(DataError, match=r"empty: cannot be loaded as a pipeline \(.*meta.json.*\); expected"):
            average_emissions([tagger_members[0], tmp_path / "empty"])
