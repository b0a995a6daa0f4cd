"""Texts in, annotation out, in numbered files: a run that was stopped goes on."""
