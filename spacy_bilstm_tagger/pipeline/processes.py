"""Docs on their way between processes, as `nlp.pipe(n_process=2)` sends them."""

from typing import Any

import catalogue
from srsly.msgpack import msgpack_decoders, msgpack_encoders


class RememberedCoders:
    """The coders of a registry of srsly, looked up again only when functions have been registered since."""

    def __init__(self, registry: catalogue.Registry) -> None:
        self.namespace, self.look_up = registry.namespace, registry.get_all
        self.coders: dict[str, Any] = {}
        self.state: Any = None

    def __call__(self) -> dict[str, Any]:
        if self.state != self._state():
            self.coders = self.look_up()
            self.state = self._state()
        return self.coders

    def _state(self) -> tuple[int, list[Any]]:
        return len(catalogue.REGISTRY), [catalogue.REGISTRY.get((*self.namespace, name)) for name in self.coders]


def remember_coders() -> None:
    """Make srsly, by which docs travel between processes, as fast as it can be.

    For each message it asks all entry points of the environment and all functions of all registries for coders, which takes
    longer than a tweet. What it finds stays the same.
    """
    for registry in (msgpack_encoders, msgpack_decoders):
        if not isinstance(registry.get_all, RememberedCoders):
            registry.get_all = RememberedCoders(registry)
