"""The pipelines that an ensemble is made of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional, Sequence

import spacy
from spacy.language import Language
from thinc.api import Model

from ..errors import DataError, Errors
from .ensemble_checks import check_agree

Prepare = Callable[[Path, Language], None]


@dataclass(frozen=True)
class Part:
    """One component's model in one of the pipelines. config (dict): the block [components.NAME.model]."""

    config: dict[str, Any]
    model: Model


def read_members(
    paths: Sequence[Path],
    factories: Sequence[str],
    *,
    prepare: Optional[Prepare] = None,
    same_architecture: bool = False,
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
        message = (
            f"{paths[0]}: found {found or 'no'} components; expected one of {', '.join(factories)}, since these "
            "can be averaged"
        )
        raise DataError(message)
    members = {name: [_part(first, name)] for name in names}
    for path in paths[1:]:
        other = _load(path, prepare)
        check_agree(first, other, names, paths=(paths[0], path), same_architecture=same_architecture)
        for name in names:
            members[name].append(_part(other, name))
    return first, members


def _load(path: Path, prepare: Optional[Prepare]) -> Language:
    if not path.is_dir():
        raise DataError(Errors.ENSEMBLE_LOAD.format(path=path, reason="no such folder"))
    try:
        nlp = spacy.load(path)
    except Exception as error:  # whatever damaged files make the readers raise
        reason = " ".join(str(error).split())
        raise DataError(Errors.ENSEMBLE_LOAD.format(path=path, reason=reason)) from None
    # Variables of a component's settings may name the settings of another one, which may be gone soon.
    values = nlp.config.interpolate()["components"]
    for name in nlp.component_names:
        nlp.get_pipe_config(name).update(values[name])
    if prepare is not None:
        prepare(path, nlp)
    return nlp


def _part(nlp: Language, name: str) -> Part:
    pipe: Any = nlp.get_pipe(name)
    return Part(nlp.get_pipe_config(name)["model"], pipe.model)
