"""A figure of a report, in a form that notebooks show."""

import base64
import html
from dataclasses import dataclass

from denoscope.core.page import kind

__all__ = ["Picture"]


@dataclass(frozen=True)
class Picture:
    """One figure: notebooks show it, `data` goes to a file.

    Attributes:
        title: what it shows.
        data: SVG or PNG bytes.
    """

    title: str
    data: bytes

    @property
    def ending(self) -> str:
        """Of a file that holds it: `svg` or `png`."""
        return kind(self.data)[0]

    def _repr_html_(self) -> str:
        told = f"data:{kind(self.data)[1]};base64,{base64.b64encode(self.data).decode()}"
        return f'<img alt="{html.escape(self.title)}" src="{told}" style="max-width:100%">'

    def __repr__(self) -> str:
        return f"Picture({self.title!r}, {len(self.data):,} bytes of {self.ending.upper()})"
