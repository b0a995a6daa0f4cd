"""Several trained pipelines in, one out: the mean of their scores, or of their weights."""

from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Sequence, cast

import numpy as np
import spacy
from spacy.language import Language
from spacy.util import registry
from thinc.api import Model, PyTorchShim

from ..errors import DataError
from ..layers.shim import TorchShim
from ..layers.word_cache import WordCache
from ..types import Floats
from .checks import check_agree

FACTORIES = ("bilstm_tagger", "bilstm_ner", "bilstm_spans")
ARCHITECTURE = "spacy-bilstm-tagger.Ensemble.v1"
Prepare = Optional[Callable[[Path, Language], None]]


# One component's model in one of the pipelines: the block [components.NAME.model], and the model.
Part = tuple[dict[str, Any], Model]


def average_emissions(paths: Sequence[Path]) -> Language:
    """A pipeline whose components of ours hold the models of all pipelines, as `Ensemble.v1`.

    A component that listens to a shared tok2vec gets copies of the members' tok2vecs, and a tok2vec to which nothing
    listens any more is left out.

    paths (sequence of Path): folders of pipelines that one recipe trained, with different seeds.
    RAISES: DataError for pipelines that are damaged, differ, or have nothing to average.
    """
    nlp, members = read_members(paths, FACTORIES, prepare=_copy_tok2vecs)
    for name, parts in members.items():
        configs = {str(number): config for number, (config, _) in enumerate(parts)}
        nlp.get_pipe_config(name)["model"] = {"@architectures": ARCHITECTURE, "*": configs}
        pipe: Any = nlp.get_pipe(name)
        pipe.model = registry.architectures.get(ARCHITECTURE)(*(model for _, model in parts))
    return _described(nlp, paths, "emissions")


def average_weights(paths: Sequence[Path]) -> tuple[Language, float]:
    """A pipeline like each of these, with the mean of their weights, and how alike these are; see `average_models`.

    RAISES: as `average_emissions`, and DataError for models of different settings.
    """
    nlp, members = read_members(paths, (*FACTORIES, "tok2vec", "bilstm_tok2vec"), same_architecture=True)
    likeness = average_models([[model for _, model in parts] for parts in zip(*members.values())])
    return _described(nlp, paths, "weights"), likeness


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


def _described(nlp: Language, paths: Sequence[Path], mode: str) -> Language:
    nlp.meta["performance"] = {}  # the scores of one member
    nlp.meta["ensemble"] = {"average": mode, "members": [path.name for path in paths]}
    return nlp


def read_members(
    paths: Sequence[Path], factories: Sequence[str], *, prepare: Prepare = None, same_architecture: bool = False
) -> tuple[Language, dict[str, list[Part]]]:
    """The first pipeline, and the models of all of them, by the name of the component.

    Of the others no more is kept, so there are never more than two tables of vectors in memory.

    factories (sequence of str): components of these are averaged; any other has to be the same everywhere.
    prepare (callable or None): called with each path and its pipeline before they are compared.
    RAISES: DataError for fewer than two pipelines, those that are damaged or differ, and where there is nothing to
        average.
    """
    if len(paths) < 2:
        raise DataError(
            f"found {len(paths)} pipeline to average, expected at least two: spacy-bilstm ensemble A B -o OUT"
        )
    first = _load(paths[0], prepare)
    names = [name for name in first.component_names if first.get_pipe_meta(name).factory in factories]
    if not names:
        found = ", ".join(f"{name} ({first.get_pipe_meta(name).factory})" for name in first.component_names)
        raise DataError(
            f"{paths[0]}: found {found or 'no'} components; expected one of {', '.join(factories)}, since these "
            "can be averaged"
        )
    members = {name: [_part(first, name)] for name in names}
    for path in paths[1:]:
        other = _load(path, prepare)
        check_agree(first, other, names, paths=(paths[0], path), same_architecture=same_architecture)
        for name in names:
            members[name].append(_part(other, name))
    return first, members


def _load(path: Path, prepare: Prepare) -> Language:
    try:
        nlp = spacy.load(path)
    except Exception as error:  # whatever damaged files make the readers raise
        reason = " ".join(str(error).split()) if path.is_dir() else "no such folder"
        raise DataError(
            f"{path}: cannot be loaded as a pipeline ({reason}); expected a folder that spacy train wrote, such as "
            "training/ritter/model-best"
        ) from None
    # Variables of a component's settings may name the settings of another one, which may be gone soon.
    values = nlp.config.interpolate()["components"]
    for name in nlp.component_names:
        nlp.get_pipe_config(name).update(values[name])
    if prepare is not None:
        prepare(path, nlp)
    return nlp


def _part(nlp: Language, name: str) -> Part:
    pipe: Any = nlp.get_pipe(name)
    return nlp.get_pipe_config(name)["model"], pipe.model


def average_models(members: Sequence[Sequence[Model]]) -> float:
    """Give the first member's models the mean of all members' weights.

    RETURNS: the median over the matrices of weights of the mean cosine of two members' matrices: a large one that is the
    same in all, such as fine-tuned vectors, counts once; biases begin alike. It is 1 where members are the same, and about
    0 where they began from different random numbers: then a unit of the one matches none of the other, and their mean is of
    no use. Networks that went on from one trained network can be averaged (Wortsman et al. 2022, "Model soups").

    members (sequence): each member's models, in one order; all on the CPU.
    """
    cosines = []
    pairs = ~np.eye(len(members), dtype=bool)
    for models in zip(*members):
        for weights in zip(*(_weights(model) for model in models)):
            rows = np.stack([weight.ravel() for weight in weights]).astype("float64")
            norms = np.linalg.norm(rows, axis=1)
            if weights[0].ndim > 1 and norms.all():
                cosines.append(((rows @ rows.T) / np.outer(norms, norms))[pairs].mean())
            weights[0][...] = np.mean(weights, axis=0)
        for node in models[0].walk():
            for shim in node.shims:
                if isinstance(shim, (TorchShim, WordCache)):
                    shim.forget()
    return float(np.median(cosines))


def _weights(model: Model) -> Iterator[Floats]:
    """Views of all weights, those of torch modules too."""
    for node in model.walk():
        for name in node.param_names:
            if node.has_param(name):
                yield cast(Floats, node.get_param(name))
        for shim in node.shims:
            if isinstance(shim, PyTorchShim):
                for weight in shim._model.parameters():
                    yield weight.detach().numpy()
