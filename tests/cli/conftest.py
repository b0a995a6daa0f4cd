import pytest


@pytest.fixture(params=[None, b"an older file"], ids=["new-output", "existing-output"])
def folder(tmp_path, request):
    """Holds nothing but `out.spacy`, or nothing at all; input files lie elsewhere."""
    out = tmp_path / "out"
    out.mkdir()
    if request.param:
        (out / "out.spacy").write_bytes(request.param)
    return out


@pytest.fixture
def write(tmp_path):
    def write_to(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write_to
