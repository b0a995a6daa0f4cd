"""TransformerEmbed.v1: tokens as a pretrained transformer sees them."""

from importlib.util import find_spec
from typing import Any, Optional

from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from ..errors import ConfigError
from ..util import check_at_least


def TransformerEmbed(
    *,
    name: str,
    layer: Optional[int] = None,
    learn_rate_factor: float = 0.0,
    window: int = 128,
    stride: int = 96,
    kept_tokens: int = 200_000,
    mixed_precision: bool = False,
    tokenizer_config: dict[str, Any] = {"use_fast": True},  # noqa: B006 (thinc's registry copies defaults)
    transformer_config: dict[str, Any] = {},  # noqa: B006
) -> Model[list[Doc], list[Floats2d]]:
    """One row for each token from a pretrained transformer, the mean of its word pieces, by spacy-transformers.

    Frozen, it is a source of features, and costs next to nothing in training, since every text is computed once. Tuned
    weights need a much lower rate than a fresh BiLSTM, and spaCy has one optimizer: so there is a factor. A
    trained pipeline holds the transformer, with its tokenizer, and needs neither folder nor network.

    name (str): a folder with config, weights and tokenizer, or the name of a model on Hugging Face's hub; read when the
        pipeline is initialized.
    layer (int or None): whose output is read, from 1, the one nearest to the word pieces, to the number of layers; null
        for the middle. The last one serves what the transformer was trained for; tags and names are read off better
        below it, and the layers above are neither computed nor saved.
    learn_rate_factor (float): times the optimizer's learn rate. 0 freezes the transformer. Otherwise all weights are
        tuned except the word-piece embeddings.
    window, stride (int): longer texts are read in windows of so many tokens, which begin so many tokens apart.
    kept_tokens (int): size of the cache of frozen rows of training texts, in tokens; width * 4 bytes each.
    mixed_precision (bool): half-precision matrix products on a GPU.
    tokenizer_config, transformer_config (dict): arguments of `from_pretrained` of tokenizer and model.
    RAISES: ConfigError for a setting out of range or without spacy-transformers, and at initialization for a folder
        that is missing or incomplete, or has no such layer.
    """
    where = "TransformerEmbed.v1"
    if find_spec("spacy_transformers") is None:
        raise ConfigError(
            "TransformerEmbed.v1 needs spacy-transformers. Install it with: pip install 'spacy-bilstm-tagger[transformers]'"
        )
    if learn_rate_factor < 0:
        raise ConfigError(
            f"TransformerEmbed.v1: learn_rate_factor = {learn_rate_factor}; expected 0 to freeze the transformer, "
            "or a number above 0"
        )
    if layer is not None:
        check_at_least(where, 1, layer=layer)
    check_at_least(where, 1, stride=stride)
    check_at_least(where, stride, window=window)
    check_at_least(where, 0, kept_tokens=kept_tokens)
    from ..layers.transformer import Transformer, TransformerShim

    shim = TransformerShim(
        dict(tokenizer_config),
        dict(transformer_config),
        learn_rate_factor=learn_rate_factor,
        mixed_precision=mixed_precision,
    )
    return Transformer(name, shim, layer=layer, window=window, stride=stride, kept_tokens=kept_tokens)
