"""What makes several processes faster than one. (That they give the same annotations is tested with the components.)"""

import catalogue
import numpy as np
import srsly
from srsly.msgpack import msgpack_encoders

from spacy_bilstm_tagger.pipeline.processes import RememberedCoders


def test_coders_of_srsly_are_looked_up_again_when_one_is_registered(monkeypatch):
    class Strange:
        pass

    def encode(obj, chain=None):
        return {"strange": True} if isinstance(obj, Strange) else (obj if chain is None else chain(obj))

    assert isinstance(msgpack_encoders.get_all, RememberedCoders)
    assert srsly.msgpack_loads(srsly.msgpack_dumps(np.arange(3))).tolist() == [0, 1, 2]
    monkeypatch.setattr(catalogue, "REGISTRY", {**catalogue.REGISTRY})
    msgpack_encoders.register("strange", func=encode)
    assert srsly.msgpack_loads(srsly.msgpack_dumps(Strange())) == {"strange": True}


def test_coders_that_are_registered_anew_count(monkeypatch):
    monkeypatch.setattr(catalogue, "REGISTRY", {**catalogue.REGISTRY})
    for name in ("one", "two"):
        msgpack_encoders.register("strange", func=lambda obj, chain=None, name=name: name if isinstance(obj, set) else chain(obj))
        assert srsly.msgpack_loads(srsly.msgpack_dumps({1})) == name
