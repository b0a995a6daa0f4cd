"""Moved into `table`."""

from .table import Hashes, WordTypes, distinct_rows

__all__ = ["Hashes", "WordTypes", "distinct_rows"]
