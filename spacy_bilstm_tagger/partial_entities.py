"""How a Doc says that its entities are only partly known.

A label such as "group|corporation" is an entity of one of these types. A Doc may also name the types that its
annotators looked for: outside of its entities there is none of those, but there may be one of another type.
"""

from typing import Iterable, Optional

from spacy.tokens import Doc

EITHER = "|"
_ANNOTATED = "annotated_entity_types"


def annotated_types(doc: Doc) -> Optional[frozenset[str]]:
    """The entity types that were annotated in this text; None for all."""
    types = doc.user_data.get(_ANNOTATED)
    return None if types is None else frozenset(types)


def set_annotated_types(doc: Doc, types: Iterable[str]) -> None:
    """Kept in `doc.user_data`; a DocBin keeps that with store_user_data=True.

    spaCy's corpus reader drops it where it makes new Docs: leave gold_preproc, max_length and augmenter out there.
    """
    doc.user_data[_ANNOTATED] = sorted(types)
