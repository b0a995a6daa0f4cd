"""The pipeline components: labels in, annotations out."""
