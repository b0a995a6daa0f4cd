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
