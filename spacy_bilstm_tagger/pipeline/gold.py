"""The labels that a gold token allows: one if it is annotated, several for "a|b", all if it is missing.

A token of the tag "NN|NNP" has one of these tags, and an entity of the label "group|corporation" is of one of these
types. A Doc may also name the entity types that its annotators looked for: outside of its entities there is none of
those, but there may be one of another type.
"""

from typing import AbstractSet, Iterable, Iterator, Mapping, Optional, Sequence

import numpy as np
from spacy.attrs import ENT_IOB, IS_SPACE, ORTH
from spacy.tokens import Doc
from spacy.training import Example

from ..errors import ConfigError
from ..types import Mask

EITHER = "|"
SPACE = {"tag": "_SP", "pos": "SPACE"}  # of white space, as in spaCy's pipelines
OUTSIDE = "O"  # of any entity, in BIO
_ANNOTATED = "annotated_entity_types"  # in Doc.user_data
_POS = "annotated_pos"  # the same
IN_USER_DATA = {_ANNOTATED, _POS}
_OUT = 2  # ENT_IOB


def alternatives(label: str) -> list[str]:
    """The entity types that a label stands for."""
    return label.split(EITHER)


def is_missing(tag: str) -> bool:
    """Whether the annotation leaves the tag open."""
    return tag in ("", "-")


def known_tags(tag: str, known: AbstractSet[str]) -> list[str]:
    """The known tags that a gold tag stands for: itself, the parts of "a|b", none if it is missing.

    In a tag set with features, such as "N|soort|ev", the parts are no tags.
    RAISES: KeyError for a tag that is neither known nor missing nor made of known ones.
    """
    if tag in known:
        return [tag]
    if is_missing(tag):
        return []
    parts = tag.split(EITHER)
    if len(parts) > 1 and all(part in known for part in parts):
        return parts
    raise KeyError(tag)


def rename_type(tag: str, mapping: Mapping[str, str]) -> str:
    """An entity tag such as B-PER with another type; "-" if that is missing, "O" if it is that. Tags without a type, and of types
    that the mapping does not have, stay."""
    prefix, _, label = tag.partition("-")
    if not prefix or label not in mapping:
        return tag
    new = mapping[label]
    return "-" if is_missing(new) else OUTSIDE if new == OUTSIDE else f"{prefix}-{new}"


def single_tags(tags: AbstractSet[Optional[str]]) -> set[str]:
    """The tags that stand for themselves: no missing one, nor "NN|NNP" if NN and NNP are among the tags."""
    named = {tag for tag in tags if tag}
    return {tag for tag in named if not _stands_for_others(tag, named - {tag})}


def _stands_for_others(tag: str, others: AbstractSet[str]) -> bool:
    try:
        known_tags(tag, others)
    except KeyError:
        return False
    return True


def allowed_tags(tags: Iterable[Optional[str]], index: dict[str, int]) -> Mask:
    """The tags that each token may have, (tokens, tags); all for a missing tag.

    index (dict): the number of each known tag.
    RAISES: KeyError for a tag that is neither known nor missing nor made of known ones.
    """
    rows: dict[Optional[str], Mask] = {}
    tags = list(tags)
    for tag in set(tags):
        found = known_tags(tag or "", index.keys())
        rows[tag] = np.zeros(len(index), dtype=bool)
        rows[tag][[index[each] for each in found] or slice(None)] = True
    return np.array([rows[tag] for tag in tags], dtype=bool).reshape(len(tags), len(index))


def gold_tags(doc: Doc, attr: str) -> list[str]:
    """The tag of each token, or its universal part of speech for attr = "pos"; "" where it is missing, and for white space that has
    the tag of white space, which is set by rule.

    spaCy's `token.pos` has no value for one of several, so these are kept beside it: see `set_annotated_pos`.
    """
    keys, is_space = doc.to_array([attr.upper(), IS_SPACE]).reshape(-1, 2).T.tolist()
    several = doc.user_data.get(_POS, ()) if attr == "pos" else ()
    strings = doc.vocab.strings
    try:
        tags = [strings[key] for key in keys]
    except KeyError:  # spaCy keeps 32 bits of a part of speech, which is of no name then
        raise ConfigError(
            f"{doc.text[:60]!r}: a token's part of speech is none of the universal ones, such as NOUN (see "
            'https://universaldependencies.org/u/pos); for other tags leave attr at "tag"'
        ) from None
    if len(several) == len(tags):  # else tokens were merged or cut off since
        tags = [other if not tag or tag in alternatives(other) else tag for tag, other in zip(tags, several)]
    return ["" if space and tag == SPACE[attr] else tag for tag, space in zip(tags, is_space)]


def set_annotated_pos(doc: Doc, tags: Iterable[str]) -> None:
    """Keep universal parts of speech of which some are "a|b" in `doc.user_data`, as `set_annotated_types` does."""
    doc.user_data[_POS] = list(tags)


def aligned_tags(example: Example, attr: str) -> list[Optional[str]]:
    """The gold tag of each predicted token; None where it lies across gold tokens of several tags, or on none."""
    gold: Sequence[Optional[str]] = gold_tags(example.reference, attr)
    if _has_gold_tokens(example):
        return [*gold]
    aligned = example.alignment.x2y
    found = ({gold[j] for j in aligned[i].ravel()} for i in range(len(example.predicted)))
    return [tags.pop() if len(tags) == 1 else None for tags in found]


def aligned_ner(example: Example) -> list[Optional[str]]:
    """As spaCy's `Example.get_aligned_ner`: the tag of BILUO of each predicted token, None where it is missing."""
    if not _has_gold_tokens(example):
        return [*example.get_aligned_ner()]
    gold = example.reference
    if not gold.has_annotation("ENT_IOB"):
        return [None] * len(gold)
    iob, is_space = gold.to_array([ENT_IOB, IS_SPACE]).T
    tags: list[Optional[str]] = [OUTSIDE if outside else None for outside in ((iob == _OUT) | (is_space == 1)).tolist()]
    for ent in gold.ents:
        label, inside = ent.label_, len(ent) - 2
        tags[ent.start : ent.end] = [f"B-{label}", *[f"I-{label}"] * inside, f"L-{label}"] if inside >= 0 else [f"U-{label}"]
    return tags


def _has_gold_tokens(example: Example) -> bool:
    """Whether the predicted tokens are those of the gold, so that no alignment is needed, which takes long."""
    return np.array_equal(example.x.to_array(ORTH), example.y.to_array(ORTH))


def annotated_tags(doc: Doc, attr: str, known: AbstractSet[str]) -> Iterator[str]:
    """The tags of an annotated doc, with the parts of "a|b" in its place, and unknown ones as they are."""
    for tag in gold_tags(doc, attr):
        try:
            yield from known_tags(tag, known)
        except KeyError:
            yield tag


def annotated_types(doc: Doc) -> Optional[frozenset[str]]:
    """The entity types that were annotated in this text; None for all."""
    types = doc.user_data.get(_ANNOTATED)
    return None if types is None else frozenset(types)


def set_annotated_types(doc: Doc, types: Iterable[str]) -> None:
    """Keep them in `doc.user_data`; a DocBin keeps that with store_user_data=True.

    spaCy's corpus reader drops it whenever it makes new Docs: do not use gold_preproc, max_length or an augmenter.
    """
    if isinstance(types, str):
        raise ConfigError(f"set_annotated_types: found {types!r}, expected a list of entity types, such as [{types!r}]")
    doc.user_data[_ANNOTATED] = sorted(types)
