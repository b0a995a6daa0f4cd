"""A pretrained transformer and its tokenizer, from a local folder or from Hugging Face's hub."""

from pathlib import Path
from typing import Any

from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.transformer_model import huggingface_from_pretrained

from ..errors import ConfigError, Errors

# Any one of them holds the word pieces: of fast tokenizers, of BERT, of RoBERTa, of SentencePiece, of BERTweet.
TOKENIZER_FILES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
    "bpe.codes",
)
WEIGHT_FILES = ("*.safetensors", "pytorch_model*.bin")


def load_transformer(name: str, tokenizer_config: dict[str, Any], transformer_config: dict[str, Any]) -> HFObjects:
    """On thinc's current device, in evaluation mode.

    name (str): a folder, or the name of a model on the hub, which is downloaded or found in the hub's own cache.
    tokenizer_config, transformer_config (dict): what their `from_pretrained` takes.
    RAISES: ConfigError with one line for a name, folder or file that is missing, and for files that cannot be read.
    """
    if not name:
        raise ConfigError(Errors.TRANSFORMER_NO_NAME)
    if Path(name).is_dir():
        _check_folder(Path(name))
    elif name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name:
        raise ConfigError(Errors.TRANSFORMER_NO_FOLDER.format(name=name))
    try:
        loaded = huggingface_from_pretrained(name, tokenizer_config, transformer_config)
    except Exception as error:  # each kind of file has a reader of its own
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ConfigError(Errors.TRANSFORMER_UNREADABLE.format(name=name, reason=reason)) from error
    loaded.transformer.eval()
    return loaded


def _check_folder(folder: Path) -> None:
    for what, patterns in (("config", ("config.json",)), ("weights", WEIGHT_FILES), ("tokenizer", TOKENIZER_FILES)):
        if not any(path.is_file() for pattern in patterns for path in folder.glob(pattern)):
            expected = " or ".join(patterns)
            raise ConfigError(Errors.TRANSFORMER_INCOMPLETE.format(name=folder, what=what, expected=expected))
