"""The classic baseline: a first-order hidden Markov model of tags and words, estimated from counts."""
