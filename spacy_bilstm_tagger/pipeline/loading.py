"""Loading a component whole or not at all."""

import contextlib
import copy
from pathlib import Path
from typing import Any, Iterable, Iterator, Optional, Protocol, Union

import srsly
from thinc.api import Model

from ..errors import ConfigError, DataError, Errors


class Loadable(Protocol):
    name: str
    model: Model
    cfg: dict[str, Any]


@contextlib.contextmanager
def whole_or_not(pipe: Loadable, source: Union[str, Path, bytes], exclude: Iterable[str]) -> Iterator[None]:
    """Around a component's `from_disk` or `from_bytes`: where it fails, weights and settings become what they were.

    source: the component's folder, or its bytes.
    RAISES: DataError that names the component and the file, for whatever a damaged file makes the readers raise.
    """
    cfg = copy.deepcopy(pipe.cfg)
    weights = pipe.model.to_bytes() if pipe.model.has_dim("nO") else None
    try:
        if "model" not in exclude:
            _check_complete(pipe.model, _model_data(source))
        yield
        _prefer_changes(cfg, pipe.cfg)
    except Exception as error:
        pipe.cfg.clear()
        pipe.cfg.update(cfg)
        if weights is not None:
            pipe.model.from_bytes(weights)
        if isinstance(error, OSError):  # names its file
            raise
        own = isinstance(error, (ConfigError, DataError))
        reason = str(error) if own else Errors.COMPONENT_FOREIGN.format(error=f"{type(error).__name__}: {error}")
        message = Errors.COMPONENT_LOAD.format(name=pipe.name, source=_damaged_part(source), reason=reason)
        raise DataError(message) from error


def _prefer_changes(given: dict, loaded: dict) -> None:
    """A setting that the config gives now another value than when the component was made and saved stays as given:
    `spacy.load(..., config=...)` has changed it. Otherwise what was saved counts, which may have been set since."""
    before = loaded.get("as_made", {})
    for key, value in given.get("as_made", {}).items():
        if key in before and before[key] != value:
            loaded[key] = value
    loaded["as_made"] = given.get("as_made", {})


def _model_data(source: Union[str, Path, bytes]) -> Optional[bytes]:
    """None where the model was left out when the component was saved as bytes."""
    if isinstance(source, bytes):
        return srsly.msgpack_loads(source).get("model")
    return (Path(source) / "model").read_bytes()


def _check_complete(model: Model, data: Optional[bytes]) -> None:
    """thinc takes a file that lacks weights, and leaves those of the model as they are."""
    if data is None:
        return
    message = srsly.msgpack_loads(data)
    for node, params, shims in zip(model.walk(), message["params"], message["shims"]):
        if set(params) != set(node.param_names) or len(shims) != len(node.shims):
            raise DataError(Errors.COMPONENT_INCOMPLETE.format(layer=node.name))


def _damaged_part(source: Union[str, Path, bytes]) -> str:
    if isinstance(source, bytes):
        return "the given bytes"
    cfg = Path(source) / "cfg"
    try:
        damaged = cfg.exists() and not isinstance(srsly.read_json(cfg), dict)
    except ValueError:
        damaged = True
    return str(cfg if damaged else Path(source) / "model")
