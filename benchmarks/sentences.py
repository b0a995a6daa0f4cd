"""How well doc.sents are found: spaCy's `sentencizer` and ours, on paragraphs of a treebank and on tweets split by hand.

    python -m benchmarks.sentences --treebank TREEBANK.conllu --tweets assets/raw/tweeteval.txt [--pipeline en_tweet_sm]

A sentence counts where both its ends are right; white space aside.
"""

import hashlib
import itertools
import re
from pathlib import Path
from typing import Annotated, Iterator, Optional

import spacy
import typer

SPLITS = Path(__file__).parent.parent / "assets" / "sentences" / "tweets.tsv"
CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "spacy-bilstm-tagger.TweetTokenizer.v1"}}}
Text = tuple[str, set[tuple[int, int]]]  # with its sentences, in characters


def paragraphs(path: Path) -> Iterator[Text]:
    """The paragraphs of CoNLL-U with `# newpar`, their sentences joined by a blank."""
    found: list[str] = []
    for line in [*path.read_text(encoding="utf8").splitlines(), "# newdoc"]:
        if line.startswith(("# newdoc", "# newpar")):
            if found:
                starts = [sum(len(sentence) + 1 for sentence in found[:i]) for i in range(len(found))]
                yield " ".join(found), {(at, at + len(sentence)) for at, sentence in zip(starts, found)}
            found = []
        elif text := re.match(r"# text = (.*)", line):
            found.append(text[1])


def tweets(path: Path) -> Iterator[Text]:
    """RAISES: ValueError if a line is not the tweet that was split."""
    lines = path.read_text(encoding="utf8").split("\n")
    for row in SPLITS.read_text(encoding="utf8").splitlines()[1:]:
        number, checksum, starts = row.split("\t")
        text = lines[int(number) - 1]
        if hashlib.sha1(text.encode()).hexdigest()[:8] != checksum:
            raise ValueError(f"{path}, line {number}: not the tweet that was split by hand; get the file again")
        bounds = [*map(int, starts.split()), len(text)]
        yield text, {(start, start + len(text[start:end].rstrip())) for start, end in itertools.pairwise(bounds)}


def main(
    treebank: Annotated[Optional[Path], typer.Option()] = None,
    raw: Annotated[Optional[Path], typer.Option("--tweets")] = None,
    pipeline: Annotated[Optional[str], typer.Option(help="Whose doc.sents are scored, too.")] = None,
) -> None:
    pipelines = {name: spacy.blank("en", config=CONFIG) for name in ("sentencizer", "tweet_sentencizer")}
    for name, nlp in pipelines.items():
        nlp.add_pipe(name)
    if pipeline is not None:
        pipelines[pipeline] = spacy.load(pipeline)
    sources = {"paragraphs": treebank and list(paragraphs(treebank)), "tweets": raw and list(tweets(raw))}
    for source, texts in sources.items():
        for name, nlp in pipelines.items() if texts else ():
            right = found = gold = 0
            for text, sentences in texts:
                spans = [(sent.start_char, sent.start_char + len(sent.text.rstrip())) for sent in nlp(text).sents]
                spans = [(start, end) for start, end in spans if start < end]
                right, found, gold = right + len(sentences & set(spans)), found + len(spans), gold + len(sentences)
            print(
                f"{source} ({len(texts):,}), {name}: P {right / found:.3f} R {right / gold:.3f} F1 {2 * right / (found + gold):.3f}"
            )


if __name__ == "__main__":
    typer.run(main)
