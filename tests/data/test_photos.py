"""The photographs that come with other packages."""

import socket
import subprocess
import sys

import numpy as np
import pytest

from denoscope.core.errors import InputError
from denoscope.data.photos import photos


def test_photographs_and_their_licences():
    """Each photograph is a real image in its own size and says whose it is and on what terms."""
    found = photos()
    samples = [found[i] for i in range(len(found))]
    assert len(samples) >= 2
    for sample in samples:
        assert sample.image.dtype == np.uint8 and min(sample.image.shape[:2]) >= 300
        assert sample.image.std() > 5
        assert all(sample.facts[name] for name in ("title", "source", "licence"))
    assert [sample.id for sample in samples] == sorted({sample.id for sample in samples})
    assert len({sample.image.shape for sample in samples}) > 1, "sizes differ, which is part of their use"


def test_nothing_is_downloaded(monkeypatch):
    """The photographs come from the installed wheels: no socket is opened and no package with a downloader imported."""

    def refuse(*_args: object, **_options: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    found = photos(None, 3)
    assert len(found) == 3 and found[0].image.size and len(found.fingerprint) == 64
    ask = "sys.exit(bool({'pooch', 'skimage'} & sys.modules.keys()))"
    code = f"import sys; from denoscope.data.photos import photos; photos()[0]; {ask}"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_photos_take_no_argument():
    """A split of photographs does not exist, and is not ignored in silence."""
    with pytest.raises(InputError, match="takes no argument"):
        photos("train")
