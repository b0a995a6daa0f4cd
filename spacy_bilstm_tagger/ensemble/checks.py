"""Checks that pipelines can be averaged: labels, settings, tokenizer, tables and other components have to agree."""

from pathlib import Path
from typing import Any, Iterator, Optional, Sequence

import numpy as np
from spacy.language import Language
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


def _differences(
    first: Language, other: Language, averaged: Sequence[str], same_architecture: bool
) -> Iterator[tuple[str, str]]:
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
