"""Loading a component whole or not at all."""

import contextlib
import copy
import hashlib
from pathlib import Path
from typing import Any, Iterable, Iterator, Optional, TypeVar, Union

import srsly
from spacy.vocab import Vocab
from thinc.api import Model

from ..errors import ConfigError, DataError, Errors
from ..layers.norm_vectors import check_table_of
from ..layers.table_vectors import check_further_tables
from ..layers.tuned_vectors import check_tuned_table
from .saved_model import check_saved

CHECKSUMS = "sha256sums"
# What components keep in their folders.
FILES = ("cfg", "counts", "model")

Self = TypeVar("Self", bound="WholeOrNot")


class WholeOrNot:
    """A component that is saved with a checksum, and loaded whole or not at all. It stands before spaCy's class among
    the bases."""

    name: str
    model: Model
    vocab: Vocab
    cfg: dict[str, Any]

    def to_disk(self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> None:
        """Save to a folder, with the checksums of its files."""
        super().to_disk(path, exclude=exclude)  # type: ignore[misc]
        write_checksums(path)

    def from_disk(self: Self, path: Union[str, Path], *, exclude: Iterable[str] = ()) -> Self:
        """Load from a folder. RAISES: DataError for a damaged one; the component is then as it was."""
        with whole_or_not(self, path, exclude):
            super().from_disk(path, exclude=exclude)  # type: ignore[misc]
        return self

    def from_bytes(self: Self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        """Load what `to_bytes` gave. RAISES: as `from_disk`."""
        with whole_or_not(self, bytes_data, exclude):
            super().from_bytes(bytes_data, exclude=exclude)  # type: ignore[misc]
        return self


def write_checksums(path: Union[str, Path]) -> None:
    """Beside the files in the folder of a component, as the command sha256sum reads it. Without them a hashed table, a
    linear layer or a list of labels that was altered would be read as if nothing had happened."""
    files = (Path(path) / name for name in FILES)
    lines = (f"{_digest(file)}  {file.name}\n" for file in files if file.exists())
    (Path(path) / CHECKSUMS).write_text("".join(lines), encoding="utf8")


def check_checksums(name: str, path: Union[str, Path], exclude: Iterable[str] = ()) -> None:
    """Before the component of this name is read from its folder. Versions before there were checksums left none.

    RAISES: DataError for a file that is not as it was saved; OSError for a missing one.
    """
    checksums = Path(path) / CHECKSUMS
    if not checksums.exists():
        return
    lines = checksums.read_text(encoding="utf8", errors="replace").splitlines()
    expected = {file: digest for digest, _, file in (line.partition("  ") for line in lines)}
    for file in (Path(path) / each for each in FILES if each not in exclude):
        if (file.name in expected or file.exists()) and expected.get(file.name) != _digest(file):
            reason = (
                f"It does not agree with the checksum in {CHECKSUMS}: it is not what was saved here. The file is "
                "damaged, or from another pipeline: get the whole folder again"
            )
            raise DataError(Errors.COMPONENT_LOAD.format(name=name, source=file, reason=reason))


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@contextlib.contextmanager
def whole_or_not(pipe: WholeOrNot, source: Union[str, Path, bytes], exclude: Iterable[str]) -> Iterator[None]:
    """Around a component's `from_disk` or `from_bytes`: where it fails, weights and settings become what they were.

    source: the component's folder, or its bytes.
    RAISES: DataError that names the component and the file, for whatever a damaged file makes the readers raise;
        ConfigError for a vectors table that does not go with the weights.
    """
    if not isinstance(source, bytes):
        check_checksums(pipe.name, source, exclude)
    cfg = copy.deepcopy(pipe.cfg)
    weights = pipe.model.to_bytes() if pipe.model.has_dim("nO") else None
    try:
        data = None if "model" in exclude else _model_data(source)
        if data is not None:
            check_saved(pipe.model, data)
        yield
        if data is not None:
            _check_labels(pipe)
            check_table_of(pipe.model, pipe.vocab.vectors)
            check_tuned_table(pipe.model, pipe.vocab.vectors)
            check_further_tables(pipe.model, pipe.vocab)
        _prefer_changes(cfg, pipe.cfg)
    except Exception as error:
        pipe.cfg.clear()
        pipe.cfg.update(cfg)
        if weights is not None:
            pipe.model.from_bytes(weights)
        if isinstance(error, (OSError, ConfigError)):  # names its file, or what is wrong outside of the component's
            raise
        known = isinstance(error, DataError)
        reason = str(error) if known else Errors.COMPONENT_FOREIGN.format(error=f"{type(error).__name__}: {error}")
        message = Errors.COMPONENT_LOAD.format(name=pipe.name, source=_damaged_part(source), reason=reason)
        raise DataError(message) from error


def _prefer_changes(given: dict, loaded: dict) -> None:
    """A setting that the config gives now another value than when the component was made and saved stays as given:
    `spacy.load(..., config=...)` has changed it. Otherwise what was saved counts, which may have been set since."""
    if "as_made" not in given:
        return
    before = loaded.get("as_made", {})
    for key, value in given["as_made"].items():
        if key in before and before[key] != value:
            loaded[key] = value
    loaded["as_made"] = given["as_made"]


def _model_data(source: Union[str, Path, bytes]) -> Optional[bytes]:
    """None where the model was left out when the component was saved as bytes."""
    if isinstance(source, bytes):
        return srsly.msgpack_loads(source).get("model")
    return (Path(source) / "model").read_bytes()


def _check_labels(pipe: WholeOrNot) -> None:
    found = pipe.model.get_dim("nO") if pipe.model.has_dim("nO") else None
    expected = getattr(pipe, "n_outputs", found)
    if found is not None and found != expected:
        detail = {"found": found, "expected": expected, "count": len(pipe.cfg["labels"])}
        raise DataError(Errors.COMPONENT_LABELS.format(**detail))


def _damaged_part(source: Union[str, Path, bytes]) -> str:
    if isinstance(source, bytes):
        return "the given bytes"
    cfg = Path(source) / "cfg"
    try:
        damaged = cfg.exists() and not isinstance(srsly.read_json(cfg), dict)
    except ValueError:
        damaged = True
    return str(cfg if damaged else Path(source) / "model")
