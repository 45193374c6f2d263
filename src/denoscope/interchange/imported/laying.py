"""How another program brought a picture to its size, as the map from pixels to cells."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from denoscope.core.errors import InputError
from denoscope.core.frame import Frame, Grid
from denoscope.models.coordinates import Canvas, frame_of

__all__ = ["Laying"]


@dataclass(frozen=True)
class Laying:
    """A size policy of another program.

    `stretch`: both sides scaled. `pad`: the longer side scaled, the rest padded around the centre. `crop`: the shorter
    side scaled to `resize`, a centre square of `width` taken. `native`: as the picture is.
    """

    policy: Literal["stretch", "pad", "crop", "native"]
    width: int = 0
    height: int = 0
    resize: int = 0
    mirrored: bool = False
    fill: Literal["zero", "edge"] = "zero"

    def frame(self, width: int, height: int) -> Frame:
        """Where a picture of so many pixels lies."""
        frame = self._upright(width, height)
        if not self.mirrored:
            return frame
        wide = frame.scale_x * width
        return replace(frame, scale_x=-frame.scale_x, offset_x=frame.offset_x + wide)

    def _upright(self, width: int, height: int) -> Frame:
        if self.policy == "native":
            return Frame(width, height, width, height)
        if self.policy == "stretch":
            return Frame(width, height, self.width, self.height, self.width / width, self.height / height)
        if self.policy == "pad":
            return frame_of(width, height, Canvas(policy="pad", size=self.width, multiple=1))
        # torchvision: the longer side is cut off to whole pixels, the margin rounded half to even.
        short = min(width, height)
        wide, high = (int(self.resize * side / short) for side in (width, height))
        left, top = (round((side - self.width) / 2) for side in (wide, high))
        return Frame(width, height, self.width, self.width, wide / width, high / height, -left, -top)

    @property
    def whole(self) -> Frame:
        """The frame of a picture of which nothing is known: it is the canvas.

        Raises:
            InputError: what lies on the canvas depends on the picture's shape.
        """
        if self.policy in ("stretch", "crop"):
            return Frame(self.width, self.height or self.width, self.width, self.height or self.width)
        raise InputError(
            "which cells are padding, and how large they are, is known only from the pictures; give them with data= "
            "(--data FOLDER)"
        )

    def grid(self, rows: int, cols: int, frame: Frame) -> Grid:
        """The cells of a map on a canvas.

        Raises:
            InputError: cells would not be square.
        """
        tall, wide = frame.canvas_height / rows, frame.canvas_width / cols
        if self.policy == "native":
            return Grid(rows, cols, _whole_stride(min(tall, wide)))
        if abs(tall - wide) > 1e-6 * wide:
            raise InputError(
                f"{rows} x {cols} cells do not tile {frame.canvas_width} x {frame.canvas_height} px with squares; "
                "say to what size pictures were brought: size=(width, height), or size=0 where they kept their own"
            )
        return Grid(rows, cols, wide)

    def to_dict(self) -> dict[str, Any]:
        """What a recipe records: only what matters for the policy."""
        told = {name: value for name, value in asdict(self).items() if value and name != "fill"}
        return told | ({"fill": self.fill} if self.policy == "pad" else {})


def _whole_stride(ratio: float) -> float:
    """The power of two below a ratio of sides: a network halves a picture so often, and cuts off what is left."""
    stride = 1
    while 2 * stride <= ratio:
        stride *= 2
    return float(stride)
