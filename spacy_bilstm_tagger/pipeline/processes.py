"""Docs on their way between processes, as `nlp.pipe(n_process=2)` sends them."""

from typing import Any

import catalogue
from srsly.msgpack import msgpack_decoders, msgpack_encoders


class RememberedCoders:
    """The coders of a registry of srsly, looked up again only when functions have been registered since."""

    def __init__(self, registry: catalogue.Registry) -> None:
        self.look_up = registry.get_all
        self.coders: dict[str, Any] = {}
        self.n_registered = -1

    def __call__(self) -> dict[str, Any]:
        if self.n_registered != len(catalogue.REGISTRY):
            self.n_registered, self.coders = len(catalogue.REGISTRY), self.look_up()
        return self.coders


def remember_coders() -> None:
    """Make srsly, by which docs travel between processes, as fast as it can be.

    For each message it asks all entry points of the environment and all functions of all registries for coders, which takes
    longer than a tweet. What it finds stays the same.
    """
    for registry in (msgpack_encoders, msgpack_decoders):
        if not isinstance(registry.get_all, RememberedCoders):
            registry.get_all = RememberedCoders(registry)
