"""Several trained pipelines in, one out that gives the mean of their emissions, or has the mean of their weights."""

from pathlib import Path
from typing import Any, Sequence

from spacy.language import Language
from spacy.util import registry
from thinc.api import Model

from ..errors import DataError
from .chains import is_crf
from .ensemble_members import read_members
from .weight_average import average_models

FACTORIES = ("bilstm_tagger", "bilstm_ner", "bilstm_spans")
ARCHITECTURE = "spacy-bilstm-tagger.Ensemble.v1"


def average_emissions(paths: Sequence[Path]) -> Language:
    """A pipeline whose components of ours hold the models of all pipelines, as `Ensemble.v1`.

    A component that listens to a shared tok2vec gets copies of the members' tok2vecs, and a tok2vec to which nothing
    listens any more is left out.

    paths (sequence of Path): folders of pipelines that one recipe trained, with different seeds.
    RAISES: DataError for pipelines that are damaged, differ, or have nothing to average.
    """
    nlp, members = read_members(paths, FACTORIES, prepare=_copy_tok2vecs)
    for name, parts in members.items():
        configs = {str(number): part.config for number, part in enumerate(parts)}
        nlp.get_pipe_config(name)["model"] = {"@architectures": ARCHITECTURE, "*": configs}
        pipe: Any = nlp.get_pipe(name)
        pipe.model = _ensemble_of([part.model for part in parts])
    _describe(nlp, paths, "emissions")
    return nlp


def average_weights(paths: Sequence[Path]) -> tuple[Language, float]:
    """A pipeline like each of these, with the mean of their weights, and how alike these are; see `average_models`.

    RAISES: as `average_emissions`, and DataError for models of different settings.
    """
    nlp, members = read_members(paths, (*FACTORIES, "tok2vec", "bilstm_tok2vec"), same_architecture=True)
    likeness = average_models([[part.model for part in parts] for parts in zip(*members.values())])
    _describe(nlp, paths, "weights")
    return nlp, likeness


def _ensemble_of(models: list[Model]) -> Model:
    ensemble = registry.architectures.get(ARCHITECTURE)(*models)
    if is_crf(ensemble):
        crf = ensemble.get_ref("crf")
        for part in crf.param_names:
            scores = [model.get_ref("crf").get_param(part) for model in models]
            crf.set_param(part, sum(scores[1:], scores[0]) / len(scores))
    return ensemble


def _copy_tok2vecs(path: Path, nlp: Language) -> None:
    """Give each component of ours that listens to a tok2vec a copy of it."""
    for name, tok2vec in nlp.components:
        listeners: list[str] = getattr(tok2vec, "listening_components", [])
        ours = [each for each in listeners if nlp.get_pipe_meta(each).factory in FACTORIES]
        try:
            for each in ours:
                nlp.replace_listeners(name, each, ["model.tok2vec"])
        except ValueError as error:
            raise DataError(f"{path}: the components' own copies of {name!r} cannot be made ({error})") from None
        if ours and set(ours) == set(listeners):
            nlp.remove_pipe(name)
            training = nlp.config["training"]
            for key in ("frozen_components", "annotating_components"):
                training[key] = [each for each in training.get(key, []) if each != name]


def _describe(nlp: Language, paths: Sequence[Path], mode: str) -> None:
    """The scores in meta.json are those of one member."""
    nlp.meta["performance"] = {}
    nlp.meta["ensemble"] = {"average": mode, "members": [path.name for path in paths]}
