"""Raw texts labelled by trained pipelines, as soft labels that another pipeline learns from."""

from functools import partial
from pathlib import Path
from typing import Mapping, Optional, Sequence

from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec
from spacy.tokens import Doc

from ..errors import DataError
from ..pipeline.base import SequenceComponent
from ..pipeline.gold import alternatives, is_missing, rename_type, set_annotated_types
from ..pipeline.ner import BiLSTMNER
from ..pipeline.soft_labels import SoftLabels, mean_soft_labels
from ..pipeline.tagger import TagComponent
from .annotator import load_pipeline


class Teachers:
    """Several pipelines as one teacher: the mean of their distributions.

    pipelines (mapping): name for messages -> a pipeline with components of bilstm_tagger, bilstm_ner, bilstm_spans or
        hmm_tagger. All make the same tokens.
    tag_map, type_map (dict or None): new names of tags, and of entity types; "a|b" is one of several, "-" any. None keeps
        the names.
    RAISES: DataError for a pipeline without such a component, for entity recognizers of different types, and for a map
        without one of the labels.
    """

    def __init__(
        self,
        pipelines: Mapping[str, Language],
        *,
        tag_map: Optional[dict[str, str]] = None,
        type_map: Optional[dict[str, str]] = None,
    ) -> None:
        self.pipelines, self.tag_map, self.type_map = pipelines, tag_map, type_map
        # Key of the soft labels -> the first component that gives them.
        self.components: dict[str, SequenceComponent] = {}
        for name, nlp in pipelines.items():
            found = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, SequenceComponent)]
            if not found:
                raise DataError(
                    f"{name}: has no component that can teach; expected bilstm_tagger, bilstm_ner, bilstm_spans or hmm_tagger, "
                    f"found {', '.join(nlp.pipe_names) or 'none'}"
                )
            for pipe in found:
                first = self.components.setdefault(pipe.soft_key, pipe)
                if isinstance(pipe, BiLSTMNER) and set(pipe.labels) != set(first.labels):
                    # What one teacher calls outside may be an entity of a type that only another one knows.
                    raise DataError(
                        f"{name}: finds the entity types {', '.join(sorted(pipe.labels))}, and {next(iter(pipelines))} "
                        f"{', '.join(sorted(first.labels))}; expected the same, label with each by itself"
                    )
                self._check_map(name, pipe)
        used = [self._map_of(pipe) for pipe in self.components.values()]
        for option, mapping, what in (("--map-tags", tag_map, "tags"), ("--map-ents", type_map, "entities")):
            if mapping is not None and not any(each is mapping for each in used):
                raise DataError(f"{option}: no teacher gives {what}; leave it out, or name another component or pipeline")

    def label(self, texts: Sequence[str]) -> list[Doc]:
        """A doc for each text of a batch, with soft labels and no other annotation.

        RAISES: DataError where the pipelines make other tokens of a text.
        """
        given: list[dict[str, list[SoftLabels]]] = [{} for _ in texts]
        first: list[Doc] = []
        for name, nlp in self.pipelines.items():
            docs = [nlp.make_doc(text) for text in texts]
            first = first or docs
            self._check_tokens(name, first, docs)
            for _, pipe in nlp.pipeline:
                if isinstance(pipe, Tok2Vec):
                    docs = list(pipe.pipe(docs, batch_size=len(texts)))
                elif isinstance(pipe, SequenceComponent):
                    for i, soft in enumerate(pipe.soft_labels(docs)):
                        given[i].setdefault(pipe.soft_key, []).append(soft)
        labelled = []
        for doc, by_key in zip(first, given):
            new = Doc(doc.vocab, words=[token.text for token in doc], spaces=[bool(token.whitespace_) for token in doc])
            for key, several in by_key.items():
                self._write(new, self.components[key], mean_soft_labels(several))
            labelled.append(new)
        return labelled

    def _write(self, doc: Doc, pipe: SequenceComponent, soft: SoftLabels) -> None:
        mapping = self._map_of(pipe)
        if mapping is not None:
            is_ner = isinstance(pipe, BiLSTMNER)
            soft = soft.rename(partial(rename_type, mapping=mapping) if is_ner else mapping.__getitem__)
        pipe.write_soft_labels(doc, soft)
        if isinstance(pipe, BiLSTMNER):
            types = [self.type_map[label] for label in pipe.labels] if self.type_map else pipe.labels
            set_annotated_types(doc, {part for new in types if not is_missing(new) for part in alternatives(new)})

    def labels(self, pipe: SequenceComponent) -> list[str]:
        """Those that are kept, by the maps."""
        mapping = self._map_of(pipe)
        return list(dict.fromkeys(mapping[label] for label in pipe.labels)) if mapping is not None else list(pipe.labels)

    def _map_of(self, pipe: SequenceComponent) -> Optional[dict[str, str]]:
        if isinstance(pipe, TagComponent) and pipe.attr == "tag":
            return self.tag_map
        return self.type_map if isinstance(pipe, BiLSTMNER) else None

    def _check_map(self, name: str, pipe: SequenceComponent) -> None:
        mapping, kind = self._map_of(pipe), "entity type" if isinstance(pipe, BiLSTMNER) else "tag"
        missing = [label for label in pipe.labels if label not in mapping] if mapping is not None else []
        if missing:
            raise DataError(f"{name}: the map has no entry for {', '.join(missing)}; every {kind} of {pipe.name!r} needs one")

    def _check_tokens(self, name: str, first: list[Doc], docs: list[Doc]) -> None:
        for one, other in zip(first, docs):
            if [token.text for token in one] != [token.text for token in other]:
                raise DataError(
                    f"{name}: makes other tokens of {one.text[:60]!r} than {next(iter(self.pipelines))}; expected "
                    "teachers with the same [nlp.tokenizer]"
                )


def load_teachers(names: Sequence[str]) -> dict[str, Language]:
    """Pipelines by their names. "NAME:pos,ner" leaves out those of their components that could teach and are not named.

    RAISES: DataError for what is no pipeline, one that is given twice, and a component that it does not have.
    """
    teachers: dict[str, Language] = {}
    for name in names:
        if name in teachers:
            raise DataError(f"{name}: given twice; expected different teachers")
        source, components = name, ""
        if not Path(name).exists() and ":" in name[2:]:  # the second letter of C:/folder is no sign of components
            source, _, components = name.rpartition(":")
        nlp = load_pipeline(source)
        if components:
            _keep_teachers(nlp, name, [each.strip() for each in components.split(",") if each.strip()])
        for other, known in teachers.items():
            if known.path == nlp.path and (twice := set(known.pipe_names) & {each for each, _ in _teaching(nlp)}):
                raise DataError(
                    f"{name}: {', '.join(sorted(twice))} of the same pipeline is in {other}; expected different teachers"
                )
        teachers[name] = nlp
    return teachers


def _teaching(nlp: Language) -> list[tuple[str, SequenceComponent]]:
    return [(each, pipe) for each, pipe in nlp.pipeline if isinstance(pipe, SequenceComponent)]


def _keep_teachers(nlp: Language, name: str, kept: list[str]) -> None:
    can_teach = [each for each, _ in _teaching(nlp)]
    others = [each for each in kept if each not in can_teach]
    if others:
        raise DataError(f"{name}: {', '.join(others)} cannot teach; expected some of {', '.join(can_teach)}")
    for each in can_teach:
        if each not in kept:
            nlp.remove_pipe(each)


def path_of(nlp: Language, name: str) -> Path:
    """The folder that a pipeline was loaded from."""
    return Path(nlp.path) if nlp.path else Path(name)
