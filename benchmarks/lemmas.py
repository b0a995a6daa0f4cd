"""How many lemmas are right, letter case aside: of all words, and of those of open classes.

    python -m benchmarks.lemmas en_tweet_sm assets/ewt/dev.conllu assets/tweebank/en-ud-tweet-dev.conllu
    python -m benchmarks.lemmas en_tweet_sm assets/tweebank/en-ud-tweet-dev.conllu --learn assets/tweebank/en-ud-tweet-train.conllu

Gold tokens; punctuation, symbols, X and Tweebank's placeholders (NUMBER, @USER, URL) do not count. Tweebank leaves closed-class
words and clitics as they are (me, n't, 's), where EWT has I, not and be. `--learn` adds spaCy's `trainable_lemmatizer` on the
tok2vec of the pipeline, which stays as it is.
"""

import random
from pathlib import Path
from typing import Annotated, Optional

import spacy
import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed, minibatch
from thinc.api import Adam

from .score import annotated, gold_docs, words_of

OPEN = {"NOUN", "PROPN", "VERB", "ADJ", "ADV", "NUM", "INTJ"}
LEFT_OUT = {"PUNCT", "SYM", "X", "SPACE", ""}
PLACEHOLDERS = {"NUMBER", "@USER", "URL", ""}


def main(
    pipeline: Annotated[str, typer.Argument()],
    treebanks: Annotated[list[Path], typer.Argument()],
    learn: Annotated[Optional[Path], typer.Option(help="A treebank with lemmas, to learn from.")] = None,
    epochs: int = 10,
) -> None:
    rows = {pipeline: spacy.load(pipeline)}
    if learn is not None:
        rows["trainable_lemmatizer"] = learned(pipeline, gold_docs(learn), epochs)
    for path in treebanks:
        gold = gold_docs(path)
        for name, nlp in rows.items():
            pairs = [
                (token.lemma_, found.lemma_, token.pos_)
                for doc, tagged in annotated(nlp, gold)
                for token, found in zip(doc, tagged)
                if token.pos_ not in LEFT_OUT and token.lemma_ not in PLACEHOLDERS
            ]
            right = [gold.lower() == found.lower() for gold, found, _ in pairs]
            is_open = [right for right, (_, _, pos) in zip(right, pairs) if pos in OPEN]
            exact = sum(gold == found for gold, found, _ in pairs) / len(pairs)
            print(
                f"{name}, {path.name}: {len(pairs):,} words, right {sum(right) / len(right):.3f} "
                f"(with letter case {exact:.3f}), open classes {sum(is_open) / len(is_open):.3f}"
            )


def learned(pipeline: str, gold: list[Doc], epochs: int) -> Language:
    nlp = spacy.load(pipeline)
    for name in nlp.component_names:
        if name != "tok2vec":
            nlp.remove_pipe(name)
    width = nlp.get_pipe("tok2vec").model.get_dim("nO")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": width, "upstream": "tok2vec"}
    lemmatizer = nlp.add_pipe("trainable_lemmatizer", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}})
    examples = [
        Example(words_of(nlp, doc), words_of(nlp, doc, lemmas=[token.lemma_ or token.text for token in doc])) for doc in gold
    ]
    fix_random_seed(0)
    lemmatizer.initialize(lambda: examples, nlp=nlp)
    optimizer = Adam(0.001)
    for _ in range(epochs):
        random.shuffle(examples)
        for batch in minibatch(examples, 32):
            nlp.update(batch, sgd=optimizer, exclude=["tok2vec"], annotates=["tok2vec"])
    return nlp


if __name__ == "__main__":
    typer.run(main)
