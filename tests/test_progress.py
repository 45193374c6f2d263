"""The bar tells a rate and a time left that are right, also where work comes in lumps and part was there."""

import io

import pytest
from rich.console import Console

from denoscope.progress import _bar


@pytest.mark.parametrize(("lump", "told"), [(1.0, "2/s"), (100.0, "2/s"), (400.0, "2/s")])
def test_rate_and_time_left_of_lumps(lump: float, told: str) -> None:
    """Two units a second, however far apart they come: 4 of 10 lumps done and half of all there before."""
    now = 0.0
    screen = Console(file=io.StringIO(), force_terminal=True, width=120)
    with _bar(screen, True, lambda: now) as bar:
        units = 2 * lump
        task = bar.add_task("extract", total=20 * units)
        bar.advance(task, 10 * units)  # was there before
        for _ in range(4):
            now += lump
            bar.advance(task, units)
        row = bar.tasks[0]
        assert row.speed == pytest.approx(2)
        assert row.time_remaining == pytest.approx(6 * lump)
        bar.refresh()
        with screen.capture() as seen:
            screen.print(bar.make_tasks_table(bar.tasks))
    assert told in seen.get() and "left" in seen.get()


def test_slow_work_is_told_in_seconds_per_unit() -> None:
    """Less than one a second reads as seconds, and nothing is told before there is a rate."""
    now = 0.0
    screen = Console(file=io.StringIO(), force_terminal=True, width=120)
    with _bar(screen, True, lambda: now) as bar:
        task = bar.add_task("extract", total=10)
        bar.advance(task, 0)
        with screen.capture() as before:
            screen.print(bar.make_tasks_table(bar.tasks))
        now = 12.5
        bar.advance(task, 1)
        with screen.capture() as after:
            screen.print(bar.make_tasks_table(bar.tasks))
    assert "/s" not in before.get() and "each" not in before.get()
    assert "12.5 s each" in after.get()
