"""spacy-bilstm ensemble: several pipelines of one recipe, averaged into one."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..errors import DataError, Errors
from ..util import write_beside

# The mean cosine of the weights is about 0 for independent networks, and near 1 for those of one origin.
ALIKE = 0.5


def ensemble(
    pipelines: Annotated[
        list[Path],
        typer.Argument(metavar="A B ...", help="Folders of pipelines that one recipe trained, with different seeds."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="The folder to write: a pipeline.")],
    average: Annotated[
        Literal["emissions", "weights"],
        typer.Option(
            help="emissions: all networks are kept and their scores averaged, at the cost of all of them. "
            "weights: one network with the mean of their weights, for members that were fine-tuned from one network."
        ),
    ] = "emissions",
) -> None:
    """Average pipelines into one. The ensemble is usually more accurate than each member. It is an ordinary pipeline
    for spacy.load, spacy evaluate and spacy package.

    Components of bilstm_tagger, bilstm_ner and bilstm_spans are averaged. Vectors, clusters, labels, tokenizer and
    other components must be the same in all pipelines.
    """
    from ..ensemble.average import average_emissions, average_weights

    check_paths(pipelines, output)
    if average == "weights":
        nlp, likeness = average_weights(pipelines)
        if likeness < ALIKE:
            raise DataError(
                f"{pipelines[0]} and the others do not come from one trained network (the mean cosine of their "
                f"weights is {likeness:.2f} in a component), so the mean of their weights would be of no use. Leave out "
                "--average weights"
            )
        typer.echo(f"Mean cosine of the weights of two members: {likeness:.2f}")
    else:
        nlp = average_emissions(pipelines)
    with write_beside(output) as draft:
        nlp.to_disk(draft)
    typer.echo(f"{len(pipelines)} pipelines; components: {', '.join(nlp.component_names)}")
    typer.secho(f"✔ {output}", fg=typer.colors.GREEN)


def check_paths(pipelines: list[Path], output: Path) -> None:
    """RAISES: DataError for a pipeline given twice, and for an output that this command did not make."""
    places = [path.resolve() for path in pipelines]
    for path in pipelines:
        if places.count(path.resolve()) > 1:
            raise DataError(f"{path}: given twice; expected pipelines that one recipe trained with different seeds")
    if output.resolve() in places:
        raise DataError(f"{output}: is one of the pipelines to average; give another name for the output")
    try:
        is_ours = not output.exists() or "ensemble" in json.loads((output / "meta.json").read_text("utf8"))
    except (OSError, ValueError, TypeError):
        is_ours = False
    if not is_ours:
        raise DataError(Errors.OUTPUT_NOT_FOLDER.format(path=output))
