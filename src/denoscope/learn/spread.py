"""Reading that several processes share: each runs some of the forwards and sends the others what it read."""

from dataclasses import replace
from typing import TYPE_CHECKING

from denoscope.core.rank import rank
from denoscope.learn.live import Live
from denoscope.learn.sampled import Sampled
from denoscope.learn.source import Source

if TYPE_CHECKING:
    pass

__all__ = ["spread"]


def spread(source: Source, device: str) -> Source:
    """The source, whose forwards are dealt to all processes of a launcher; as it is where there is one, or no forward.

    Args:
        source: of cells.
        device: where the dictionary learns.
    """
    if rank().alone or not isinstance(source, (Live, Sampled)):
        return source
    from denoscope.dictionaries._training.sharing import share_of

    share = share_of(device)
    if isinstance(source, Sampled):
        return replace(source, share=share)
    return replace(source, share=share, together=_images(source))


def _images(source: Live) -> int:
    """Of one forward, so that whoever runs it, the same images go through it together."""
    from denoscope.models.reading import rows_at_once

    first, options = source.conditions[0], source.options
    rows = first.draws * (2 if first.branch == "diff" else 1)
    return max(1, rows_at_once(source.model, options["canvas"], options["batch_size"]) // rows)
