"""What is already known of a text's entities when the recognizer reads it."""

from typing import Optional

import numpy as np
from spacy.attrs import ENT_IOB, ENT_TYPE, IS_SPACE, SENT_START
from spacy.tokens import Doc

from .entity_scheme import EntityScheme, Mask

_ATTRIBUTES = [ENT_IOB, ENT_TYPE, SENT_START, IS_SPACE]
_BEGIN = 3  # ENT_IOB; without a type the token is blocked


def preset_mask(doc: Doc, scheme: EntityScheme, *, overwrite: bool) -> Optional[Mask]:
    """The tags that each token may still have, (tokens, tags); None where nothing is known.

    As in spaCy's recognizer: entities that are set stay, unless overwrite; those of a foreign type count as outside.
    Blocked tokens are in no entity; outside (O) and missing tokens are free. No entity begins with white space or goes
    on across a sentence start.
    """
    iob, types, sent_start, is_space = doc.to_array(_ATTRIBUTES).T
    new_sentence = sent_start == 1
    new_sentence[:1] = False
    is_set = iob == _BEGIN
    if not (is_set | new_sentence | (is_space == 1)).any():
        return None
    blocked = is_set & (types == 0)
    keep = () if overwrite else doc.ents
    mask = np.ones((len(doc), len(scheme.tags)), dtype=bool)
    mask[np.ix_(is_space.astype(bool), [i for i, tag in enumerate(scheme.tags) if tag[0] in "BU"])] = False
    mask[np.ix_(new_sentence, [i for i, tag in enumerate(scheme.tags) if tag[0] in "IL"])] = False
    mask[blocked, 1:] = False
    for ent in keep:
        mask[ent.start : ent.end] = False
        if ent.label_ in scheme.types:
            type_number = scheme.types.index(ent.label_)
            mask[range(ent.start, ent.end), scheme.spell(len(ent), type_number)] = True
            mask[ent.end : ent.end + 1, ~scheme.spans.follow[type_number]] = False
        else:
            mask[ent.start : ent.end, 0] = True
    return mask
