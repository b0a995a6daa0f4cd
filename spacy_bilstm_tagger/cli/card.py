"""spacy-bilstm card: what is known of a pipeline, measured, as the README of its package."""

import shutil
import warnings
from importlib.metadata import version
from pathlib import Path
from time import process_time
from typing import Annotated, Any, Iterable, Optional

import spacy
import srsly
import typer
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.training import Example

from ..annotate.annotator import load_pipeline, model_path
from ..corpus.raw import read_raw_texts
from ..errors import DataError
from ..report.data import count_learned, read_examples, training_files
from ..report.findings import other_labels, predict
from ..scoring.entities import judge_entities
from ..util import write_beside
from .scores import ROWS

# What is shown of a corpus, where it is annotated with it.
SCORES = {key: ROWS[key] for key in ("tag_acc", "pos_acc", "lemma_acc", "sents_f", "ents_p", "ents_r", "ents_f")}
_MADE_HERE = "by `spacy-bilstm card`"
_LIMITS = (
    "Made for English tweets, chat and comments; other languages, and long edited text, are not what it has learned from. Its "
    "labels are those of its corpora, with what their annotators took for granted. Probabilities are those of the model: see "
    "how far they can be trusted above."
)
_SPANS = (
    "What is toxic, or whatever its spans are called, is what the annotators of its corpus marked, on which people differ. It says "
    "nothing of who wrote a text, and is no ground for a decision without a person who reads it."
)


def card(
    pipeline: Annotated[Path, typer.Argument(metavar="MODEL", help="The folder of a trained pipeline.")],
    devs: Annotated[
        list[str],
        typer.Argument(
            metavar="DEV ...",
            help="Annotated texts that it has not learned from: .spacy files, or 'NAME=FILE' with a name.",
        ),
    ],
    output: Annotated[
        Optional[Path],
        typer.Option(
            "--output",
            "-o",
            help="Copy it to this folder, for the card and the new meta.json, and leave MODEL as it is.",
        ),
    ] = None,
    name: Annotated[Optional[str], typer.Option(help="Give it this name, without the language.", show_default=False)] = None,
    number: Annotated[Optional[str], typer.Option("--version", help="Give it this version.", show_default=False)] = None,
    license: Annotated[Optional[str], typer.Option(help="Give it this licence.", show_default=False)] = None,
    data: Annotated[
        str,
        typer.Option(
            "--sources",
            metavar="NAME=LICENCE; ...",
            help="What it has learned from. Those of the pipeline that it went on from come along.",
            show_default=False,
        ),
    ] = "",
    peer: Annotated[Optional[str], typer.Option(help="A pipeline whose speed is measured beside, in turns.")] = None,
) -> None:
    """Measure a pipeline and write README.md and the scores in meta.json, which `spacy package` puts into the wheel.

    Scores are those of `spacy evaluate`, from raw text where it is known.
    """
    if not (pipeline / "meta.json").is_file():
        raise DataError(f"{pipeline}: holds no meta.json; expected the folder of a trained pipeline, which gets the card")
    card_path = (output or pipeline) / "README.md"
    if output is not None and output.exists() and not card_path.exists() and (output.is_file() or any(output.iterdir())):
        raise DataError(f"{output}: exists, and was not made by this command; give it another name, or remove it")
    if card_path.exists() and _MADE_HERE not in card_path.read_text("utf8", errors="replace"):
        raise DataError(f"{card_path}: exists, and was not made by this command; give it another name, or remove it")
    own = [tuple(part.strip() for part in each.partition("=")) for each in data.split(";") if data]
    if not all(map(all, own)):
        raise DataError(f"--sources {data}: expected names and licences, such as 'My tweets=CC BY 4.0; Notes=CC0 1.0'")
    nlp = load_pipeline(str(pipeline))
    learned = [text for path in training_files(nlp) for text in read_raw_texts(path)]
    found: dict[str, dict[str, Any]] = {}
    for dev in devs:
        corpus, _, file = dev.rpartition("=")
        path = Path(file)
        corpus = corpus or path.stem
        if corpus in found:
            raise DataError(f"{path}: a second corpus of the name {corpus!r}; give it another one: NAME={path}")
        examples = list(predict(nlp, read_examples(nlp, path)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of what this corpus is not annotated with
            scores = Scorer(nlp).score(examples)
        kept = {key: value for key, value in scores.items() if key in SCORES and value}
        if not any(token.is_sent_start for eg in examples for token in eg.y[1:]):
            kept.pop("sents_f", None)
        if "ents_f" in kept:
            kept.update(_calibration(examples))
        if all(scores.get(key) is None for key in SCORES):
            raise DataError(
                f"{path}: has no annotation of what the pipeline sets; expected gold, as 'spacy-bilstm convert' makes it"
            )
        for line in other_labels(nlp, [eg.y for eg in examples]):
            typer.secho(f"⚠ {path}: {line}", fg=typer.colors.YELLOW, err=True)
        found[corpus] = {"texts": len(examples), **kept}
        if n_learned := count_learned(learned, examples):
            found[corpus]["learned"] = n_learned
            typer.secho(f"⚠ {_warning(corpus, n_learned)}", fg=typer.colors.YELLOW, err=True)
        texts = [eg.x.text for eg in examples]
    speeds = _speeds(texts, {"this": nlp, **({peer: spacy.load(peer)} if peer else {})})
    meta = srsly.read_json(pipeline / "meta.json")
    given = {"name": name, "version": number, "license": license}
    meta.update({key: value for key, value in given.items() if value is not None})
    first: dict[str, float] = {}
    for scores in found.values():
        first = {**{key: value for key, value in scores.items() if key in SCORES}, **first}
    meta["performance"] = {**first, "by_corpus": found, "speed": speeds["this"]}
    meta["sources"] = _sources(meta, nlp, {name: terms for name, _, terms in own})
    readme = _readme(meta, nlp, found, speeds)
    if output is None:
        with write_beside(pipeline / "meta.json") as draft:
            srsly.write_json(draft, meta)
        with write_beside(card_path) as draft:
            draft.write_text(readme, encoding="utf8")
    else:
        with write_beside(output) as draft:
            shutil.copytree(pipeline, draft)
            srsly.write_json(draft / "meta.json", meta)
            (draft / "README.md").write_text(readme, encoding="utf8")
    typer.echo(readme)
    typer.secho(f"✔ {card_path}, {card_path.with_name('meta.json')}", fg=typer.colors.GREEN)


def _warning(corpus: str, n_learned: int) -> str:
    return f"{n_learned:,} of the texts of {corpus} are among those that the pipeline has learned from; its scores are too good."


def _calibration(examples: Iterable[Example]) -> dict[str, float]:
    """How probable the found entities are on average, and how many of them are right."""
    scores, right = [], 0
    for eg in examples:
        for ent, is_right in judge_entities(eg, {(ent.start, ent.end): ent.label_ for ent in eg.y.ents}):
            if ent._.score is not None:
                scores.append(ent._.score)
                right += is_right
    return {"ents_mean_probability": sum(scores) / len(scores), "ents_right": right / len(scores)} if scores else {}


def _speeds(texts: list[str], pipelines: dict[str, Language], rounds: int = 3) -> dict[str, float]:
    """Tokens a second of processor time, in batches of 256: the best of several rounds in turns."""
    best = dict.fromkeys(pipelines, 0.0)
    for _ in range(rounds):
        for name, nlp in pipelines.items():
            start = process_time()
            n_tokens = sum(map(len, nlp.pipe(texts, batch_size=256)))
            best[name] = max(best[name], n_tokens / (process_time() - start))
    return best


def _sources(meta: dict[str, Any], nlp: Language, own: dict[str, str]) -> list[dict[str, str]]:
    """Those given, those of the pipeline, and those of the one that it went on from: each name once."""
    before: list[dict[str, str]] = list(meta.get("sources") or [])
    given = [{"name": name, "url": "", "license": license} for name, license in own.items()]
    first = nlp.config.interpolate().get("paths", {}).get("first")
    if first:
        try:
            before += srsly.read_json(model_path(first) / "meta.json").get("sources") or []
        except (DataError, ValueError):
            if before:  # of an earlier card
                return before + given
            told = f"The data of {first}, which it went on from, are not known here: it is not there. Name them: --source"
            typer.secho(f"⚠ {told} NAME=LICENCE", fg=typer.colors.YELLOW, err=True)
    return list({each["name"]: each for each in [*before, *given]}.values())


def _readme(meta: dict[str, Any], nlp: Language, found: dict[str, dict[str, Any]], speeds: dict[str, float]) -> str:
    name = f"{meta['lang']}_{meta['name']}"
    shown = [key for key in SCORES if any(key in scores for scores in found.values())]
    lines = [f"# {name} {meta['version']}", "", *([meta["description"], ""] if meta.get("description") else [])]
    lines += ["```python", "import spacy", "", f'nlp = spacy.load("{name}")', "```", ""]
    lines += [f"Components: {', '.join(nlp.pipe_names)}. Licence: {meta.get('license') or 'none given'}.", ""]
    learned = [_warning(corpus, scores["learned"]) for corpus, scores in found.items() if "learned" in scores]
    lines += ["## Scores", "", f"On {'these' if learned else 'texts that it has not learned from'}, {_MADE_HERE}:", ""]
    lines += [line for each in learned for line in (each, "")]
    lines += ["Those that the checkpoint was chosen on are a little too good.", ""]
    lines += [f"| | texts | {' | '.join(SCORES[key] for key in shown)} |", f"|---|---|{'---|' * len(shown)}"]
    for corpus, scores in found.items():
        cells = [f"{100 * scores[key]:.1f}" if key in scores else "" for key in shown]
        lines.append(f"| {corpus} | {scores['texts']:,} | {' | '.join(cells)} |")
    if "lemma_acc" in shown:
        lines += ["", "Lemmas count with their letter case, and by the conventions of each corpus."]
    for corpus, scores in found.items():
        if "ents_right" in scores:
            found_p, right = scores["ents_mean_probability"], scores["ents_right"]
            start = f"The entities found in {corpus} have a mean probability of {found_p:.2f}"
            lines += ["", f"{start}, and {right:.2f} of them are right."]
    lines += ["", "## Speed", ""]
    for other, speed in speeds.items():
        lines.append(f"- {other if other != 'this' else name}: {speed:,.0f} tokens a second")
    lines += ["", "In batches of 256, by processor time, measured in turns.", "", "## Labels", ""]
    lines += [f"- {pipe}: {', '.join(labels)}" for pipe, labels in meta["labels"].items() if labels]
    if meta.get("sources"):
        lines += ["", "## Data", ""]
        for source in meta["sources"]:
            linked = f"[{source['name']}]({source['url']})" if source.get("url") else source["name"]
            lines.append(f"- {linked}: {source['license']}")
    made_with = ", ".join(f"{each} {version(each)}" for each in ("spacy", "thinc", "torch", "spacy-bilstm-tagger"))
    raters = any(nlp.get_pipe_meta(name).factory == "bilstm_spans" for name in nlp.pipe_names)
    lines += ["", "## Limits", "", _LIMITS, *(["", _SPANS] if raters else []), "", f"Made with {made_with}.", ""]
    return "\n".join(lines)
