"""`explore` serves a store's maps and reports on this machine, and nothing else."""

import threading
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image

from denoscope.core.errors import InputError, StoreError
from denoscope.evaluate import evaluate
from denoscope.explore import address, pages, server
from denoscope.extract import extract
from denoscope.store.store import Store
from fakes import FakeModel
from planted import planted_store


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    """A folder of pictures, read at two sites and noise levels."""
    folder = tmp_path_factory.mktemp("pictures")
    for index in range(5):
        Image.fromarray(np.full((16, 24, 3), 40 * index, np.uint8)).save(folder / f"{index}.png")
    out = tmp_path_factory.mktemp("store") / "s"
    return extract(FakeModel(), str(folder), ["mid", "up.1"], [0, 50], out=out, progress=False)


def test_pages_hold_the_maps_of_every_site_and_noise(store):
    """Pictures are opened again by the name of their data set."""
    page = pages(store, images=3)["/"]
    assert all(f'"site":"{site}","level":"{level}"' in page for site in ("mid", "up.1") for level in ("0", "50"))
    assert page.count("data:image/jpeg") >= 3


def test_the_server_answers_this_machine_with_its_pages_only(store):
    """Another path is not found, climbing out is not possible, and another host's name is refused."""
    with server({"/": "maps", "/reports/a": "report"}) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        base = address(made)
        assert made.server_address[0] == "127.0.0.1"
        assert urlopen(base).read() == b"maps"
        assert urlopen(f"{base}reports/a").read() == b"report"
        for bad, status in ((f"{base}../../etc/passwd", 404), (Request(base, headers={"Host": "evil.example"}), 403)):
            with pytest.raises(HTTPError) as error:
                urlopen(bad)
            assert error.value.code == status
        made.shutdown()


def test_a_port_that_is_taken_is_one_line(store):
    """It says which."""
    with server({}) as made, pytest.raises(InputError, match="cannot serve on port"):
        server({}, made.server_address[1])


def test_reports_are_linked_and_pictures_from_memory_are_refused(tmp_path):
    """What cannot be opened again cannot be shown."""
    with pytest.raises(StoreError, match="no activations yet"):
        pages(Store(tmp_path / "empty", create=True))
    kept = planted_store(tmp_path / "planted", count=12)
    evaluate(kept, "probe", site="mid", C=(0.1,), folds=2, shuffles=2)
    with pytest.raises(InputError, match="in memory"):
        pages(kept)
