"""How a Doc says that its tags and entities are only partly known.

An entity of the label "group|corporation" is of one of these types, and a token of the tag "NN|NNP" has one of these
tags. A Doc may also name the entity types that its annotators looked for: outside of its entities there is none of
those, but there may be one of another type.
"""

from typing import AbstractSet, Iterable, Optional

from spacy.tokens import Doc

EITHER = "|"
# A tag that is not known, beside the empty one.
UNKNOWN = "-"
_ANNOTATED = "annotated_entity_types"


def is_either(tag: str, known: AbstractSet[str]) -> bool:
    """Whether a tag stands for several: its parts are known tags, and it is none itself. In a tag set with features,
    such as "N|soort|ev", the parts are none."""
    return EITHER in tag and tag not in known and all(part in known for part in tag.split(EITHER))


def is_open(tag: str, known: AbstractSet[str]) -> bool:
    """Whether a tag leaves open which of the known ones it is: a missing one, or one that stands for several."""
    return not tag or (tag not in known and (tag == UNKNOWN or is_either(tag, known)))


def single_tags(tags: AbstractSet[Optional[str]]) -> set[str]:
    """Those that stand for themselves: no missing one, nor "NN|NNP" where NN and NNP are among the tags."""
    named = {tag for tag in tags if tag}
    return {tag for tag in named if not is_open(tag, named - {tag})}


def annotated_types(doc: Doc) -> Optional[frozenset[str]]:
    """The entity types that were annotated in this text; None for all."""
    types = doc.user_data.get(_ANNOTATED)
    return None if types is None else frozenset(types)


def set_annotated_types(doc: Doc, types: Iterable[str]) -> None:
    """Kept in `doc.user_data`; a DocBin keeps that with store_user_data=True.

    spaCy's corpus reader drops it where it makes new Docs: leave gold_preproc, max_length and augmenter out there.
    """
    doc.user_data[_ANNOTATED] = sorted(types)
