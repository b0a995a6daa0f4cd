"""Until pipeline/_claims.py goes: see `lexicon.claim`."""

from ..lexicon.claim import claim_tables as check_further_tables

__all__ = ["check_further_tables"]
