"""A pretrained transformer and its tokenizer, from a local folder or from Hugging Face's hub."""

from pathlib import Path
from typing import Any, Optional

from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.transformer_model import huggingface_from_pretrained
from transformers import AutoConfig

from ..errors import ConfigError, DataError
from ..word_encoder import check_model, quiet_transformers


def load_transformer(
    name: str, layer: Optional[int], *, tokenizer_config: dict[str, Any], transformer_config: dict[str, Any]
) -> HFObjects:
    """On thinc's current device, without the layers above the one that is asked for.

    name (str): a folder, or the name of a model on the hub, which is downloaded or found in the hub's own cache.
    layer (int or None): from 1, the one nearest to the word pieces, to the number of layers; None for the middle.
    tokenizer_config, transformer_config (dict): what their `from_pretrained` takes.
    RAISES: ConfigError with one line for a name, folder or file that is missing, for files that cannot be read, and for
        a layer that is not there.
    """
    if not name:
        raise ConfigError(
            "TransformerEmbed.v1: name is empty; expected the folder of a pretrained transformer or its name on "
            "Hugging Face's hub. The recipe takes it from --paths.transformer, the workflow from "
            "--vars.transformer"
        )
    if Path(name).is_dir() or _looks_like_a_path(name):
        try:
            check_model(Path(name))
        except DataError as error:
            raise ConfigError(str(error)) from None
    try:
        with quiet_transformers():
            count = AutoConfig.from_pretrained(name, **transformer_config).num_hidden_layers
            layer = layer or (count + 1) // 2
            if layer <= count:
                config = {**transformer_config, "num_hidden_layers": layer}
                loaded = huggingface_from_pretrained(name, tokenizer_config, config)
                loaded.tokenizer(["so"])  # a damaged one may notice only now
                return loaded
    except Exception as error:  # each kind of file has a reader of its own
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        place = "" if Path(name).is_dir() else "no folder of this name is here, and as a name on the hub it "
        raise ConfigError(
            f"{name}: {place}cannot be read as a pretrained transformer with its tokenizer ({reason}). Give a "
            "folder saved by save_pretrained, or the name of a model on Hugging Face's hub"
        ) from error
    raise ConfigError(
        f"TransformerEmbed.v1: layer = {layer}, but {name} has {count} layers; expected up to that, or null for "
        "the middle"
    )


def _looks_like_a_path(name: str) -> bool:
    """Names on the hub are MODEL or OWNER/MODEL."""
    return name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name
