"""The `bilstm_tok2vec` component: one embedding and encoder, shared by the components that listen to it."""

import warnings
from functools import partial
from typing import Any, Callable, Iterable, Optional

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec, Tok2VecListener
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Model
from thinc.types import Floats2d

from ..errors import ConfigError
from ..lexicon.files import use_checksums
from ..tokenizer.tweet_tokenizer import token_settings
from ..util import no_gradient
from . import TOK2VEC
from .base import TrainableMixin
from .corpora import check_examples, sample_docs
from .saving import AtomicLoadMixin
from .upstream import check_width, listeners, mark_listeners


@Language.factory("bilstm_tok2vec", assigns=["doc.tensor"], default_config={"model": TOK2VEC})
def make_bilstm_tok2vec(nlp: Language, name: str, model: Model[list[Doc], list[Floats2d]]) -> "BiLSTMTok2Vec":
    """Make spaCy's `tok2vec` component with a BiLSTM by default, and safe against damaged folders.

    Other components listen to it through `spacy.Tok2VecListener.v1`, as they do to spaCy's.

    model (Model): list of docs -> list of (tokens, width) vectors.
    """
    use_checksums(nlp)
    return BiLSTMTok2Vec(nlp.vocab, model, name)


class BiLSTMTok2Vec(TrainableMixin, AtomicLoadMixin, Tok2Vec):
    """spaCy's component, saved with checksums and loaded whole or not at all."""

    @property
    def listener_map(self) -> dict[str, list[Tok2VecListener]]:
        """Component -> its listeners. spaCy sets it to an empty dict before it looks for them, from the first component on."""
        return self._listener_map

    @listener_map.setter
    def listener_map(self, value: dict[str, list[Tok2VecListener]]) -> None:
        self._listener_map = value
        self._next: Optional[str] = None  # the tok2vec behind this one

    def find_listeners(self, component: Any) -> None:
        """As spaCy's, and components of ours know this one from now on: see `upstream`. Warns of one whose rows another tok2vec
        overwrites before it reads them. RAISES: ConfigError for one, also of spaCy, that expects rows of another width."""
        if isinstance(component, Tok2Vec):
            self._next = component.name
        elif isinstance(component, AtomicLoadMixin):
            component.listen_to(self)
            if self._next and any(node.upstream_name == self.name for node in listeners(component.model)):
                warnings.warn(
                    f"{component.name}: listens to {self.name!r}, but {self._next!r} stands between them and writes over its rows; "
                    f"expected {component.name!r} before {self._next!r}",
                    stacklevel=3,
                )
        if isinstance(getattr(component, "model", None), Model) and self._next is None:
            check_width(component, self)
        super().find_listeners(component)

    def initialize(self, get_examples: Callable[[], Iterable[Example]], *, nlp: Optional[Language] = None) -> None:
        """Build the network. RAISES: ConfigError if there is no text."""
        check_examples(get_examples, "BiLSTMTok2Vec.initialize", nlp)
        docs = sample_docs(get_examples)
        if not docs:
            raise ConfigError(
                f"{self.name}: the training corpus holds no text; expected a .spacy file, or a folder with some, "
                "in paths.train ('spacy-bilstm convert' makes one)"
            )
        self.cfg["tokens"] = token_settings(self.vocab)
        self.model.initialize(X=docs)
        mark_listeners(self, "learned")

    def update(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, float]:
        """As spaCy's, and the pipeline can be pickled afterwards, to go to another process."""
        losses = super().update(examples, **kwargs)
        mark_listeners(self, "learned")
        for listener in self.listeners:
            if listener._backprop is not None:
                listener._backprop = _Backprop(listener._backprop)
        return losses


class _Backprop(partial):
    """The backprop callback that a listener keeps of the last batch, for one call. Closures cannot be pickled: a pickled one
    does nothing."""

    is_spent = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """RAISES: ConfigError at a second call, for a batch that the tok2vec has not read."""
        if self.is_spent:
            raise ConfigError(
                "a component that listens to a tok2vec learns from a batch that this one has not read; expected the tok2vec before "
                "it in the pipeline, and not disabled"
            )
        self.is_spent = True
        return super().__call__(*args, **kwargs)

    def __reduce__(self) -> tuple[type, tuple[Callable]]:
        return _Backprop, (no_gradient,)
