"""Every message a user can see: what was found, what was expected, and the way out."""

from pathlib import Path
from typing import Any

from thinc.api import ConfigValidationError

from .corpora import CorpusErrors
from .pipeline import PipelineErrors
from .tables import TableErrors


class DataError(ValueError):
    """A file or an argument the user gave is wrong. The command line prints it as one line and exits with 1."""


class ConfigError(ConfigValidationError):
    """A setting does not fit the data or the pipeline. spaCy's commands print it as one line and exit with 1."""

    def __init__(self, message: str) -> None:
        super().__init__(title=message, desc=None, errors=[])

    def __str__(self) -> str:
        return self.title or ""

    @classmethod
    def from_error(cls, err: ConfigValidationError, *args: Any, **kwargs: Any) -> ConfigValidationError:
        """How spaCy's commands make the text below the title; one of the base class, whose arguments they give."""
        return ConfigValidationError.from_error(err, *args, **kwargs)


class Errors(TableErrors, PipelineErrors, CorpusErrors):
    """All of them."""


def unreadable_corpus(error: OSError) -> ConfigError:
    """Of the training corpus, which spaCy's reader opens only when its first text is asked for."""
    reason = (error.strerror or str(error)).lower()
    return ConfigError(Errors.TRAIN_UNREADABLE.format(path=error.filename, reason=reason))


def damaged(path: Path, kind: str, error: BaseException) -> DataError:
    """The error's reason, in one line."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return DataError(Errors.VECTORS_DAMAGED.format(path=path, kind=kind, reason=reason))
