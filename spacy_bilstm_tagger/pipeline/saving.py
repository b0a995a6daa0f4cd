"""Saving a component with checksums, and loading it whole or not at all."""

import contextlib
import copy
import hashlib
from pathlib import Path
from typing import Any, Iterable, Iterator, TypeVar, Union

import torch
from spacy.pipeline.tok2vec import Tok2Vec
from spacy.vocab import Vocab
from thinc.api import Model

from ..errors import ConfigError, DataError, Errors
from ..lexicon.claim import claim_tables, remember_vectors
from ..lexicon.files import COMPONENT_FILES, check_files, damaged_part, forget_checksums, write_checksums
from .upstream import connect, mark_listeners, reset_links, saving_tok2vec

DIGEST_SIZE = hashlib.sha256().digest_size
BYTES = "the given bytes"  # in messages

Self = TypeVar("Self", bound="AtomicLoadMixin")


class AtomicLoadMixin:
    """Mixin: saves checksums, and restores the old state if loading fails. List it before the spaCy class.

    Tables that the layers read are loaded with the component: see `claim_tables`.
    """

    name: str
    model: Model
    vocab: Vocab
    cfg: dict[str, Any]

    def listen_to(self, tok2vec: Tok2Vec) -> None:
        """Know the tok2vec that gives the rows: see `upstream`."""
        connect(self.model, tok2vec)

    @property
    def has_weights(self) -> bool:
        """Whether it has torch weights, so was initialized or loaded."""
        modules = (getattr(shim, "_model", None) for node in self.model.walk() for shim in node.shims)
        return any(isinstance(module, torch.nn.Module) and any(True for _ in module.parameters()) for module in modules)

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Save to a folder, with the checksums of its files."""
        remember_vectors(self.model, self.vocab)
        with saving_tok2vec(self.model):
            super().to_disk(path, exclude=exclude)  # type: ignore[misc]
        forget_checksums(Path(path).parent)
        write_checksums(Path(path))

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The checksum, 32 bytes, and the component as spaCy writes it."""
        remember_vectors(self.model, self.vocab)
        with saving_tok2vec(self.model):
            data: bytes = super().to_bytes(exclude=exclude)  # type: ignore[misc]
        return hashlib.sha256(data).digest() + data

    def from_disk(self: Self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> Self:
        """Load from a folder. RAISES: DataError for a damaged one; the component is then as it was."""
        folder = Path(path)
        check_files(self.name, folder, COMPONENT_FILES, exclude)
        with self._restore_if_it_fails(str(folder / "model"), refuses_changes=True):
            super().from_disk(folder, exclude=exclude)  # type: ignore[misc]
            claim_tables(self.model, self.vocab, source=folder.parent)
        return self

    def from_bytes(self: Self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        """Load the result of `to_bytes`. RAISES: as `from_disk`."""
        self.check_bytes(bytes_data)
        with self._restore_if_it_fails(BYTES):
            super().from_bytes(bytes_data[DIGEST_SIZE:], exclude=exclude)  # type: ignore[misc]
            claim_tables(self.model, self.vocab)
        return self

    def check_bytes(self, bytes_data: bytes) -> None:
        """RAISES: DataError for bytes that are not as `to_bytes` gave them."""
        if hashlib.sha256(bytes_data[DIGEST_SIZE:]).digest() != bytes_data[:DIGEST_SIZE]:
            raise DataError(damaged_part(self.name, BYTES, "their checksum"))

    def _check_labels(self) -> None:
        found = self.model.get_dim("nO") if self.model.has_dim("nO") else None
        expected = getattr(self, "n_outputs", found)
        if found not in (None, expected):
            raise DataError(
                f"It gives {found} scores a token, expected {expected} for the {len(self.cfg['labels'])} labels in cfg. "
                "The labels or the file were changed: get both again"
            )

    @contextlib.contextmanager
    def _restore_if_it_fails(self, source: str, *, refuses_changes: bool = False) -> Iterator[None]:
        """RAISES: DataError that names the component and the source, for whatever goes wrong; ConfigError for tables
        that do not go with the weights, and for settings if the config keeps them.

        refuses_changes (bool): whether the config stays as it is, and does not become that of the source.
        """
        cfg = copy.deepcopy(self.cfg)
        weights = self.model.to_bytes() if self.model.has_dim("nO") else None
        reset_links(self.model)
        try:
            yield
            self._check_labels()
            for label in self.cfg.get("labels", ()):
                self.vocab.strings.add(label)
            if refuses_changes:
                _check_unchanged(self.name, cfg, self.cfg)
            _prefer_changes(cfg, self.cfg, is_fresh=weights is None)
            if isinstance(self, Tok2Vec):
                mark_listeners(self, "loaded")
        except Exception as error:
            self.cfg.clear()
            self.cfg.update(cfg)
            if weights is not None:
                self.model.from_bytes(weights)
            if isinstance(error, OSError):  # names its file
                raise
            if isinstance(error, ConfigError):
                message = str(error).removeprefix(f"{self.name}: ")
                raise ConfigError(f"{self.name}: {message}") from None
            reason = str(error)
            if "strings.json" in reason:  # of spaCy's from_disk, which reads a vocabulary unless it is excluded
                reason = f"{reason}; a folder of one component has no vocabulary: give exclude=['vocab']"
            elif not isinstance(error, DataError):
                mine, way_out = (
                    "settings",
                    f"Set [components.{self.name}] to those that it was saved with, or train again",
                )
                if weights is not None:
                    mine, way_out = (
                        "labels or settings of the component",
                        "Load it into a new pipeline, with the config of the saved one",
                    )
                reason = f"It is as it was saved, and does not fit the {mine} ({reason}). {way_out}"
            raise DataError(Errors.COMPONENT_LOAD.format(name=self.name, source=source, reason=reason)) from error


def _check_unchanged(name: str, given: dict[str, Any], loaded: dict[str, Any]) -> None:
    """RAISES: ConfigError for a setting that the config has changed and that is none of prediction."""
    for key in given.keys() - given.get("config_at_init", given).keys() - {"config_at_init", "labels", "tokens"}:
        if loaded.get(key, given[key]) != given[key]:
            raise ConfigError(
                f"{name}: {key} = {given[key]!r}, but it was trained with {loaded[key]!r}. Change it back, or train again"
            )


def _prefer_changes(given: dict[str, Any], loaded: dict[str, Any], *, is_fresh: bool) -> None:
    """Keep a setting of prediction as given if the config gives it another value now than when the component was made and
    saved: `spacy.load(..., config=...)` has changed it. Otherwise the saved value counts, which may have been set since. A
    setting that the version of then did not have is as given.

    is_fresh (bool): whether the component has only been made by its config. One with weights takes the settings of the others.
    """
    for key, value in given.items():
        loaded.setdefault(key, value)
    if "config_at_init" not in given or not is_fresh:
        return
    before = loaded.get("config_at_init", {})
    for key, value in given["config_at_init"].items():
        if key in before and before[key] != value:
            loaded[key] = value
    loaded["config_at_init"] = given["config_at_init"]
