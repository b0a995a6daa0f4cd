"""Several trained pipelines in, one out: the mean of their scores, or of their weights."""

from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Sequence, cast

import numpy as np
import spacy
from spacy.language import Language
from spacy.util import registry
from spacy.vectors import Vectors
from thinc.api import Model, PyTorchShim

from ..errors import DataError
from ..layers.label_scores import has_chain
from ..layers.shim import TorchShim
from ..layers.word_cache import WordCache
from ..pipeline.upstream import reset_links
from ..types import Floats

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
    for parts in members.values():
        reset_links(parts[0][1])  # the mean of the tok2vecs is the one that a component goes with
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
        raise DataError(f"found {len(paths)} pipeline to average, expected at least two: spacy-bilstm ensemble A B -o OUT")
    first = _load(paths[0], prepare)
    names = [name for name in first.component_names if first.get_pipe_meta(name).factory in factories]
    if not names:
        found = ", ".join(f"{name} ({first.get_pipe_meta(name).factory})" for name in first.component_names)
        raise DataError(
            f"{paths[0]}: found {found or 'no'} components; expected one of {', '.join(factories)}, since these can be averaged"
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

    RETURNS: the mean cosine of two members' matrices of weights, the median over those of a model: a large one that is the
    same in all, such as fine-tuned vectors, counts once; biases begin alike. It is 1 where members are the same, and about
    0 where they began from different random numbers: then a unit of the one matches none of the other, and their mean is of
    no use. Networks that went on from one trained network can be averaged (Wortsman et al. 2022, "Model soups"). Of several
    models that of the least: an output layer that began anew is enough to make the mean worse than each member.

    members (sequence): each member's models, in one order; all on the CPU.
    """
    medians = []
    pairs = ~np.eye(len(members), dtype=bool)
    for models in zip(*members):
        cosines = []
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
        if cosines:  # of two the lower one: the transitions of a chain begin alike
            medians.append(float(np.quantile(cosines, 0.5, method="lower")))
    return min(medians, default=1.0)


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


_FLORET = ("mode", "minn", "maxn", "hash_count", "hash_seed", "bow", "eow")


def check_agree(
    first: Language, other: Language, averaged: Sequence[str], *, paths: tuple[Path, Path], same_architecture: bool
) -> None:
    """RAISES: DataError that names what differs in the two pipelines.

    averaged (sequence of str): components whose weights may differ, and their settings too unless same_architecture.
    """
    difference = next(_differences(first, other, averaged, same_architecture), None)
    if difference is not None:
        raise DataError(
            f"{paths[0]} and {paths[1]}: {difference[0]} differ ({difference[1]}). Average pipelines that one recipe "
            "trained with different seeds"
        )
    for name in first.component_names:
        if name not in averaged and _contents(first, name) != _contents(other, name):
            factory = first.get_pipe_meta(name).factory
            raise DataError(
                f"{paths[0]} and {paths[1]}: {name!r} differs, and components of {factory} cannot be averaged; "
                "expected the same in all pipelines. Source it from one pipeline in all of them, or leave it out"
            )


def _differences(first: Language, other: Language, averaged: Sequence[str], same_architecture: bool) -> Iterator[tuple[str, str]]:
    """The differing part and the difference. A check may rely on those before it."""
    pipelines = _components(first), _components(other)
    if pipelines[0] != pipelines[1]:
        yield "the components", "; ".join(map(", ".join, pipelines))
    if _tokenizer(first) != _tokenizer(other):
        yield "the tokenizers", "in their settings, rules or special cases"
    vectors = first.vocab.vectors, other.vocab.vectors
    if not _same_vectors(*vectors):
        yield "the vectors", "; ".join(f"{table.n_keys} keys, {table.shape[0]} rows" for table in vectors)
    tables, others = first.vocab.lookups, other.vocab.lookups
    for name in sorted({*tables.tables, *others.tables}):
        if name not in tables or name not in others:
            yield "the lookup tables", f"{name!r} is in one of them only"
        elif tables.get_table(name).to_bytes() != others.get_table(name).to_bytes():
            yield "the lookup tables", f"{name!r} has other entries"
    for name in averaged:
        pipes: list[Any] = [first.get_pipe(name), other.get_pipe(name)]
        labels = [list(getattr(pipe, "labels", ())) for pipe in pipes]
        if labels[0] != labels[1]:
            yield f"the labels of {name!r}", _labels(*labels)
        if has_chain(pipes[0].model) != has_chain(pipes[1].model):
            yield f"the heads of {name!r}", "one has scores between labels, a CRF, the other has none"
        for key in sorted({*pipes[0].cfg, *pipes[1].cfg} - {"config_at_init"}):
            if pipes[0].cfg.get(key) != pipes[1].cfg.get(key):
                yield f"the settings of {name!r}", "; ".join(f"{key} = {pipe.cfg.get(key)!r}" for pipe in pipes)
        models = [nlp.get_pipe_config(name)["model"] for nlp in (first, other)]
        if same_architecture and models[0] != models[1]:
            yield f"the models of {name!r}", "in their settings; --average emissions takes such models too"


def _components(nlp: Language) -> list[str]:
    factories = {name: nlp.get_pipe_meta(name).factory for name in nlp.component_names}
    return [f"{name} ({factory}{', disabled' * (name in nlp.disabled)})" for name, factory in factories.items()]


def _tokenizer(nlp: Language) -> tuple[Any, ...]:
    return nlp.lang, nlp.config.interpolate()["nlp"]["tokenizer"], _bytes(nlp.tokenizer)


def _contents(nlp: Language, name: str) -> tuple[Any, ...]:
    return nlp.get_pipe_config(name), _bytes(nlp.get_pipe(name))


def _bytes(part: Any) -> Optional[bytes]:
    return part.to_bytes(exclude=["vocab"]) if hasattr(part, "to_bytes") else None


def _same_vectors(first: Vectors, other: Vectors) -> bool:
    return (
        all(getattr(first, key) == getattr(other, key) for key in _FLORET)
        and first.key2row == other.key2row
        and np.array_equal(first.data, other.data)
    )


def _labels(first: list[str], other: list[str]) -> str:
    missing, more = sorted(set(first) - set(other)), sorted(set(other) - set(first))
    if not missing and not more:
        return "in their order"
    return f"{len(first)} of them, {_few(missing)} alone; {len(other)} of them, {_few(more)} alone"


def _few(labels: list[str]) -> str:
    return ", ".join(labels[:5] or ["none"]) + (f" and {len(labels) - 5} more" if len(labels) > 5 else "")
