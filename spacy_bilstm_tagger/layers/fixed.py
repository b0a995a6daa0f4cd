"""Settings that go with the weights: thinc takes the saved value without a word, so a config with another one is refused."""

from dataclasses import dataclass
from typing import Any

import srsly
from thinc.api import Model, deserialize_attr, serialize_attr

from ..errors import ConfigError


@dataclass(frozen=True)
class Fixed:
    """The value of an attr of a layer, in types that msgpack knows. architecture (str): whose setting it is."""

    architecture: str
    value: Any


@serialize_attr.register(Fixed)
def _serialize(_: Any, attr: Fixed, name: str, model: Model) -> bytes:
    return srsly.msgpack_dumps(attr.value)


@deserialize_attr.register(Fixed)
def _deserialize(configured: Fixed, data: bytes, name: str, model: Model) -> Fixed:
    """RAISES: ConfigError for another value than the config has."""
    saved = srsly.msgpack_loads(data)
    if saved != configured.value:
        raise ConfigError(
            f"{configured.architecture}: {name} = {configured.value!r}, but the weights were trained with {saved!r}. "
            "Change it back, or train again"
        )
    return configured
