"""The two kinds of errors that a user can mend, and the messages that several places raise."""

from pathlib import Path
from typing import Any

from thinc.api import ConfigValidationError


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


class Errors:
    """Each message gives the value found, the value expected and the way out. A message that one place raises stands
    there."""

    # Pipelines
    LISTENER_WIDTH = (
        "{name}: listens to {upstream!r} with width {found}, whose rows are {expected} wide. Set width = {expected} in the component's "
        "Tok2VecListener; or, if it comes from another pipeline, call other.replace_listeners('tok2vec', {name!r}, "
        "['model.tok2vec']) before"
    )

    # Corpora and other files of text
    CORPUS_EMPTY = "{path}: found no annotated text, expected at least one token"
    CORPUS_MISSING = "{path}: no such file"
    CORPUS_TOKEN = "{path}, line {line}: the token is empty, expected a word before the separator; remove the line"
    OUTPUT_NOT_FOLDER = "{path}: exists and is not a folder made by this command; give another name or remove it"

    # Tables
    VECTORS_NOT_FINITE = "{path}: the row of {key!r} holds NaN or infinity in {dtype}; expected finite numbers. Remove that row"
    VECTORS_EMPTY = "{path}: found no vectors, expected rows of 'key number number ...'"
    VECTORS_MISSING = (
        "TweetEmbed.v1 has include_static_vectors = true, but the pipeline has no vectors table. "
        'Set [initialize.before_init] to @callbacks = "spacy-bilstm-tagger.load_vectors.v1", '
        "or [initialize] vectors, or include_static_vectors = false"
    )
    VECTORS_FLORET = "TweetEmbed.v1 reads spaCy vectors of mode 'default', found mode {mode!r}"
    DISTILL_NO_MODEL = (
        "{path}: no such folder; expected that of a pretrained transformer, with its config.json, weights and tokenizer. "
        "(In a workflow of the project it comes from --vars.transformer)"
    )

    # Settings, components and pipelines
    WEIGHTS_DAMAGED = (
        "The torch weights cannot be read ({reason}); expected safetensors data written by spacy-bilstm-tagger. "
        "The file is damaged, cut off or from another program: get it again"
    )
    COMPONENT_LOAD = "{name}: cannot load {source}. {reason}"


def unreadable_corpus(error: OSError) -> ConfigError:
    """Of the training corpus, which spaCy's reader opens only when its first text is asked for."""
    reason = (error.strerror or str(error)).lower()
    return ConfigError(
        f"{error.filename}: {reason}; expected the training corpus, a .spacy file or a folder with some, in paths.train "
        "('spacy-bilstm convert' makes one)"
    )


def damaged(path: Path, kind: str, error: BaseException) -> DataError:
    """The error's reason, in one line."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return DataError(f"{path}: cannot be read as {kind} ({reason})")
