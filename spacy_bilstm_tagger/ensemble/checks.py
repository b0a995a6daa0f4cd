"""Checks that pipelines can be averaged: labels, settings, tokenizer, tables and other components have to agree."""

from pathlib import Path
from typing import Any, Optional, Sequence

import numpy as np
from spacy.language import Language
from spacy.lookups import Lookups
from spacy.vectors import Vectors

from ..errors import DataError
from ..layers.label_scores import has_chain

_FLORET = ("mode", "minn", "maxn", "hash_count", "hash_seed", "bow", "eow")


def check_agree(
    first: Language, other: Language, averaged: Sequence[str], *, paths: tuple[Path, Path], same_architecture: bool
) -> None:
    """RAISES: DataError that names what differs in the two pipelines.

    averaged (sequence of str): components whose weights may differ, and their settings too unless same_architecture.
    """

    def differ(what: str, detail: str) -> DataError:
        return DataError(
            f"{paths[0]} and {paths[1]}: {what} differ ({detail}). Average pipelines that one recipe trained with "
            "different seeds"
        )

    pipelines = _pipeline(first), _pipeline(other)
    if pipelines[0] != pipelines[1]:
        raise differ("the components", _pair(*map(", ".join, pipelines)))
    if _tokenizer(first) != _tokenizer(other):
        raise differ("the tokenizers", "in their settings, rules or special cases")
    vectors = first.vocab.vectors, other.vocab.vectors
    if not _same_vectors(*vectors):
        raise differ("the vectors", _pair(*(f"{table.n_keys} keys, {table.shape[0]} rows" for table in vectors)))
    table = _differing_table(first.vocab.lookups, other.vocab.lookups)
    if table is not None:
        raise differ("the lookup tables", table)
    for name in averaged:
        pipes: list[Any] = [first.get_pipe(name), other.get_pipe(name)]
        labels = [list(getattr(pipe, "labels", ())) for pipe in pipes]
        if labels[0] != labels[1]:
            raise differ(f"the labels of {name!r}", _labels(*labels))
        if has_chain(pipes[0].model) != has_chain(pipes[1].model):
            raise differ(f"the heads of {name!r}", "one has scores between labels, a CRF, the other has none")
        setting = _differing_key(pipes[0].cfg, pipes[1].cfg)
        if setting is not None:
            raise differ(f"the settings of {name!r}", setting)
        models = [nlp.get_pipe_config(name)["model"] for nlp in (first, other)]
        if same_architecture and models[0] != models[1]:
            raise differ(f"the models of {name!r}", "in their settings; --average emissions takes such models too")
    for name in first.component_names:
        if name not in averaged and _contents(first, name) != _contents(other, name):
            factory = first.get_pipe_meta(name).factory
            message = (
                f"{paths[0]} and {paths[1]}: {name!r} differs, and components of {factory} cannot be averaged; "
                "expected the same in all pipelines. Source it from one pipeline in all of them, or leave it out"
            )
            raise DataError(message)


def _pipeline(nlp: Language) -> list[str]:
    off = nlp.disabled
    return [
        f"{name} ({nlp.get_pipe_meta(name).factory}{', disabled' if name in off else ''})"
        for name in nlp.component_names
    ]


def _tokenizer(nlp: Language) -> tuple[Any, ...]:
    tokenizer: Any = nlp.tokenizer
    contents = tokenizer.to_bytes(exclude=["vocab"]) if hasattr(tokenizer, "to_bytes") else None
    return nlp.lang, nlp.config.interpolate()["nlp"]["tokenizer"], contents


def _same_vectors(first: Vectors, other: Vectors) -> bool:
    return (
        all(getattr(first, key) == getattr(other, key) for key in _FLORET)
        and first.key2row == other.key2row
        and np.array_equal(first.data, other.data)
    )


def _differing_table(first: Lookups, other: Lookups) -> Optional[str]:
    for name in sorted({*first.tables, *other.tables}):
        if name not in first or name not in other:
            return f"{name!r} is in one of them only"
        if dict(first.get_table(name)) != dict(other.get_table(name)):
            return f"{name!r} has other entries"
    return None


def _labels(first: list[str], other: list[str]) -> str:
    if set(first) == set(other):
        return "in their order"
    missing, more = sorted(set(first) - set(other)), sorted(set(other) - set(first))
    return _pair(f"{len(first)} of them, {_few(missing)} alone", f"{len(other)} of them, {_few(more)} alone")


def _few(labels: list[str]) -> str:
    return ", ".join(labels[:5]) + (f" and {len(labels) - 5} more" if len(labels) > 5 else "") if labels else "none"


def _differing_key(first: dict[str, Any], other: dict[str, Any]) -> Optional[str]:
    for key in sorted({*first, *other}):
        if first.get(key) != other.get(key):
            return _pair(f"{key} = {first.get(key)!r}", f"{key} = {other.get(key)!r}")
    return None


def _pair(first: str, other: str) -> str:
    return f"{first}; {other}"


def _contents(nlp: Language, name: str) -> tuple[Any, ...]:
    pipe: Any = nlp.get_pipe(name)
    return nlp.get_pipe_config(name), pipe.to_bytes(exclude=["vocab"]) if hasattr(pipe, "to_bytes") else None
