"""Torch modules: pure functions of their weights and arguments, without thinc or spaCy."""
