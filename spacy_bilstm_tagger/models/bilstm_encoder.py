"""BiLSTMEncoder.v1: the context of every token, from both sides."""

from typing import Optional, get_args

from thinc.api import Model
from thinc.types import Floats2d

from ..crf.packing import Windows
from ..errors import ConfigError
from ..layers.bilstm import BiLSTM, Cell, DropoutConfig, DropoutPlace, Initialization, PackedRNNConfig
from ..layers.lstm_prediction import Precision
from ..util import check_at_least, check_fraction


def BiLSTMEncoder(
    *,
    width: int,
    depth: int,
    hidden_width: Optional[int] = None,
    cell: Cell = "lstm",
    residual: bool = False,
    dropout_places: list[DropoutPlace] = ["input", "output"],  # noqa: B006 (thinc's registry copies defaults)
    locked_dropout: bool = False,
    word_dropout: float = 0.0,
    initialization: Initialization = "orthogonal",
    window: int = 4096,
    overlap: int = 256,
    precision: Precision = "float32",
    mixed_precision: bool = False,
) -> Model[list[Floats2d], list[Floats2d]]:
    """Encode tokens in context by bidirectional recurrent layers, as the upper half of a `spacy.Tok2Vec.v2`.

    A text's output is the same alone and in any batch, within 1e-5 of the largest value: nothing is padded. The dropout
    rate is that of training (`[training] dropout`, or `nlp.update(drop=...)`); the settings here set where and how
    it acts.

    Texts of up to `window` tokens are read whole. Longer ones are read in windows, and with the default window and
    overlap, a depth of up to 2, inputs of about unit size and the cells lstm, gru and rnn_tanh, their output is within
    1e-3 of that of the whole text. rnn_relu never forgets, so it always reads a text whole.

    width (int): output width; even, one half for each direction.
    depth (int): number of recurrent layers.
    hidden_width (int or None): width of one direction's state, if it should differ from width / 2; a linear layer
        then leads to `width` (as in Sak et al. 2014, "Long short-term memory recurrent neural network architectures
        for large scale acoustic modeling").
    cell (str): "lstm", "gru", "rnn_tanh" or "rnn_relu".
    residual (bool): skip connections around each layer whose input and output widths agree.
    dropout_places (list of str): any of "input", "between" (layers) and "output", which is that of the encoder.
    locked_dropout (bool): one dropout mask for a whole text, or window of a long one (Gal and Ghahramani 2016, "A
        theoretically grounded application of dropout in recurrent neural networks"), not one for each token.
    word_dropout (float): share of training tokens whose whole input is dropped.
    initialization (str): "orthogonal" (see `initialize_orthogonal`) or "torch".
    window (int): texts longer than this many tokens are read in overlapping windows; 0 reads any text whole. It may be
        changed in the config of a trained pipeline, as may the overlap.
    overlap (int): tokens shared by neighbouring windows; half of them at each end are context only.
    precision (str): of the products of states and weights, at prediction on the CPU, in the first layer of an LSTM over
        `TweetEmbed.v1`, where several texts are read at once. It may be changed in the config of a trained pipeline, too.
        "bfloat16" is faster where the CPU has it (AVX512-BF16, AMX), most for wide encoders. It changes one label in a few
        thousand, and a text's output depends on its batch by about 1e-2. "auto" is "float32" at first, and reads some texts with
        both. After 4,096 tokens it is "bfloat16", if the CPU has it and each component that makes labels of the rows gives
        99.9% of these tokens the same labels. A shared tok2vec is asked for by `bilstm_tok2vec`, and its listeners have to be
        components of this package.
    mixed_precision (bool): half-precision matrix products on a GPU, where torch's autocast allows them.
    RAISES: ConfigError for a setting out of range.
    """
    where = "BiLSTMEncoder.v1"
    if precision not in get_args(Precision):
        raise ConfigError(f"{where}: precision = {precision!r}; expected one of {', '.join(get_args(Precision))}")
    if not isinstance(width, int) or width < 2 or width % 2:
        raise ConfigError(f"BiLSTMEncoder.v1: width = {width}; expected an even number of at least 2, one half for each direction")
    check_at_least(where, 1, depth=depth)
    if hidden_width is not None:
        check_at_least(where, 1, hidden_width=hidden_width)
    check_fraction(where, word_dropout=word_dropout)
    check_at_least(where, 0, overlap=overlap, window=window)
    if 0 < window <= 2 * overlap:
        raise ConfigError(f"{where}: window = {window} with overlap = {overlap}; expected a window of more than twice the overlap")
    config = PackedRNNConfig(
        width=width,
        hidden_width=hidden_width or width // 2,
        depth=depth,
        cell=cell,
        residual=residual,
        initialization=initialization,
    )
    dropout = DropoutConfig(tuple(dropout_places), locked_dropout, word_dropout)
    # The sums of a rectified unit reach through any overlap.
    windows = Windows(0 if cell == "rnn_relu" else window, overlap)
    return BiLSTM(config, dropout, windows=windows, precision=precision, mixed_precision=mixed_precision)
