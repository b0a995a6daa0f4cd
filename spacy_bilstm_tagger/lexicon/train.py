"""Domain vectors from raw text."""

from typing import TYPE_CHECKING, Iterable

from tqdm import tqdm

from ..errors import DataError
from ..tokenizer import default_tokenizer

if TYPE_CHECKING:
    from gensim.models import KeyedVectors


def tokenize(texts: Iterable[str]) -> list[list[str]]:
    """Each text as the GloVe keys of its tokens, so that the vectors are found under the tokens' NORM."""
    docs = default_tokenizer().pipe(tqdm(texts, desc="Tokenizing", unit=" texts", disable=None))
    return [[token.norm_ for token in doc if not token.is_space] for doc in docs]


def train_vectors(
    path: str,
    sentences: list[list[str]],
    *,
    algorithm: str,
    dim: int,
    epochs: int,
    min_count: int,
    window: int,
    seed: int,
) -> "KeyedVectors":
    """Skip-gram vectors by gensim (Mikolov et al. 2013; with subwords, Bojanowski et al. 2017).

    One worker thread, so that the same seed gives the same vectors.
    RAISES: DataError where no word is frequent enough.
    """
    from gensim.models import FastText, Word2Vec
    from gensim.models.callbacks import CallbackAny2Vec

    Model = FastText if algorithm == "fasttext" else Word2Vec
    model = Model(vector_size=dim, window=window, min_count=min_count, sg=1, seed=seed, workers=1, epochs=epochs)
    model.build_vocab(sentences)
    if not len(model.wv):
        raise DataError(f"{path}: found no words that occur at least {min_count} times; use more text or a lower --min-count")
    with tqdm(total=epochs, desc=f"Training {algorithm}", unit=" epochs", disable=None) as bar:
        progress = CallbackAny2Vec()
        progress.on_epoch_end = lambda model: bar.update()
        model.train(sentences, total_examples=len(sentences), epochs=epochs, callbacks=[progress])
    return model.wv
