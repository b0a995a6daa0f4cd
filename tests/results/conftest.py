import pytest


@pytest.fixture(autouse=True)
def _fresh_files():
    """Files of one test may have the names of another's."""
    from benchmarks.results import content

    content.read_config.cache_clear()
    content.content_hash.cache_clear()
