import pytest


@pytest.fixture(autouse=True)
def _fresh_files():
    """Files of one test may have the names of another's."""
    from benchmarks.results import plan

    plan.read_config.cache_clear()
    plan.content_hash.cache_clear()
