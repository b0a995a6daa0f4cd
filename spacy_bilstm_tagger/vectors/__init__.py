"""Word vectors through gensim, as ordinary spaCy vectors tables."""
