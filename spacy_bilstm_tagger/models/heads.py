"""The heads of a tagger, TokenClassifier.v1 and LinearChainCRF.v1, and Ensemble.v1, several models in the place of one."""

from typing import Optional

from spacy.tokens import Doc
from thinc.api import Linear, Model, chain
from thinc.types import Floats2d

from ..errors import ConfigError
from ..layers.label_scores import Emissions, IndependentLabels, LabelChain, MeanScores, ScoresModel, has_chain


def TokenClassifier(tok2vec: Model[list[Doc], list[Floats2d]], nO: Optional[int] = None) -> ScoresModel:
    """The softmax head: unnormalized log probabilities of each token's labels, from a linear layer.

    tok2vec (Model): any spaCy tok2vec.
    nO (int or None): number of labels; usually set at initialization.
    """
    return _head(tok2vec, IndependentLabels(nO), nO)


def LinearChainCRF(tok2vec: Model[list[Doc], list[Floats2d]], nO: Optional[int] = None) -> ScoresModel:
    """The CRF head (Lafferty et al. 2001; over a BiLSTM: Huang et al. 2015, "Bidirectional LSTM-CRF models for sequence
    tagging"): the scores of `TokenClassifier.v1`, and learned scores between neighbouring labels.

    The layer under the model's reference "crf" holds the scores between labels: transitions, (nO, nO), from row to
    column, start and end, (nO,). They begin as zeros.

    tok2vec (Model): any spaCy tok2vec.
    nO (int or None): number of labels; usually set at initialization.
    """
    crf = LabelChain(nO)
    model = _head(tok2vec, crf, nO)
    model.set_ref("crf", crf)
    return model


def Ensemble(*members: ScoresModel) -> ScoresModel:
    """Several models as one, in the place of any of them: the mean of their scores.

    With softmax heads that is the geometric mean of their probabilities (the logarithmic opinion pool of Genest and
    Zidek 1986, "Combining probability distributions"): a member's emissions are its log probabilities, up to a number
    that all labels of a token share. With CRF heads it is the geometric mean of the probabilities of whole sequences.
    Training trains all members, through the mean.

    members (Model): of one head, `TokenClassifier.v1` or `LinearChainCRF.v1`, and the same labels; in a config the
        blocks [components.NAME.model.*.0], [components.NAME.model.*.1] and so on.
    RAISES: ConfigError for no members, and for members of different heads or numbers of labels.
    """
    if not members:
        raise ConfigError("Ensemble.v1: number of members = 0; expected a whole number of at least 1")
    sizes = {member.get_dim("nO") for member in members if member.has_dim("nO")}
    if len({has_chain(member) for member in members}) > 1:
        raise ConfigError("Ensemble.v1: some members have scores between labels, a CRF, others none; expected all or none")
    if len(sizes) > 1:
        found = ", ".join(map(str, sorted(sizes)))
        raise ConfigError(f"Ensemble.v1: found members with {found} labels; expected members with the same labels")
    return MeanScores(list(members), sizes.pop() if sizes else None)


def _head(tok2vec: Model[list[Doc], list[Floats2d]], scores: Model, nO: Optional[int]) -> ScoresModel:
    output_layer = Linear(nO=nO, nI=tok2vec.get_dim("nO") if tok2vec.has_dim("nO") else None)
    model: ScoresModel = chain(tok2vec, Emissions(output_layer), scores)
    model.set_ref("tok2vec", tok2vec)
    model.set_ref("output_layer", output_layer)
    return model
