"""The page about long work and large stores, from what the parts found."""

from typing import Any

__all__ = ["page"]

_HEAD = """# Long work and large stores

What `python benchmarks/soak.py` found: memory while a hundred thousand pictures are read, how fast a store of a million
samples opens, what is left when writers are killed, and an explorer of two hundred pictures. `--tiny` runs a little of
everything in about a minute; each part can be run alone, and goes on where it was stopped.
"""


def page(record: dict[str, Any]) -> str:
    """All parts that were run, as Markdown."""
    made = {"read": _read, "open": _open, "kills": _kills, "explore": _explore}
    parts = [writer(record[name]) for name, writer in made.items() if name in record]
    return "\n\n".join([_HEAD.rstrip(), f"{record['machine']}.", *parts]) + "\n"


def _read(found: dict[str, Any]) -> str:
    size, rows = found["size"], [("resident", found["resident MB"]), ("of its own", found["own MB"])]
    table = [f"| {name} | {told['second third']} | {told['last third']} | {told['most']} |" for name, told in rows]
    return "\n".join(
        [
            "## A hundred thousand pictures",
            "",
            f"{found['images']:,} generated scenes of {size} px, {' and '.join(f'`{s}`' for s in found['sites'])} "
            f"of the embedded model at one noise level, pooled, one thread: {found['images of this run']:,} read "
            f"in {found['seconds'] / 60:.0f} min ({found['images/s']} images/s). Memory of the process, looked at "
            f"{found['samples']:,} times, in MB; the first third is warming up, *most* includes the writing of "
            "the index:",
            "",
            "| memory | mean of the second third | mean of the last third | most |",
            "|---|---|---|---|",
            *table,
            *[f"\n{found['note']}"] * ("note" in found),
            "",
            "`python benchmarks/soak.py read`",
        ]
    )


def _open(found: dict[str, Any]) -> str:
    steps = found["median, least, most"]
    rows = [
        f"| {name.rpartition(', ')[0]} | {_middle(told)} {name.rpartition(', ')[2]} |" for name, told in steps.items()
    ]
    return "\n".join(
        [
            f"## A store of {found['samples']:,} samples",
            "",
            f"{found['GB']} GB, of which the index is {found['index MB']} MB. Each row in the same fresh process after "
            f"the one before, with the files in the page cache; median, least and most of {found['runs']} processes:",
            "",
            "| step | takes |",
            "|---|---|",
            *rows,
            *[f"\n{found['note']}"] * ("note" in found),
            "",
            "`python benchmarks/soak.py open`",
        ]
    )


def _middle(told: list[float]) -> str:
    """Median, and in brackets the least and the most."""
    middle, least, most = (f"{value:,.0f}" if value >= 100 else f"{value:.2g}" for value in told)
    return f"{middle} [{least}, {most}]"


def _kills(found: dict[str, Any]) -> str:
    when = ", ".join(f"{count} {name}" for name, count in found["killed"].items() if count)
    return "\n".join(
        [
            "## Writers killed at random",
            "",
            f"{found['writers at once']} writers share {found['images']} pictures in {found['shards']} shards and are "
            f"killed with SIGKILL at random moments, {found['kills']} times in {found['stores']} stores ({when}). "
            "After each turn every value that is there is that of an undisturbed run, no sample stands twice and none "
            "that was there is gone; the finished stores equal the undisturbed one, tensor for tensor and row for row, "
            "and hold no leftovers.",
            "",
            "`python benchmarks/soak.py kills`",
        ]
    )


def _explore(found: dict[str, Any]) -> str:
    shown = ("pack", "answered", "moves", "median, ms", "95th percentile, ms", "all maps after opening, s",
             "JavaScript heap, MB", "all processes of the browser, MB")  # fmt: skip
    rows = [f"| {' | '.join(str(one[name]) for name in shown)} |" for one in found["page"]]
    return "\n".join(
        [
            f"## An explorer of {found['images']} pictures",
            "",
            f"The static page of two sites takes {found['export, s']} s and {found['export, MB']} MB (at most "
            f"{found['most memory of a child process, MB']} MB of memory, reading included). Then the page with all "
            f"{found['images']} pictures at once, over packs of noise, moved over with a real mouse in headless "
            f"Chromium {found['page'][0]['browser']} without a graphics card: from the event to the last of all maps "
            "drawn. A move that the next one overtakes is not answered.",
            "",
            f"| {' | '.join(shown)} |",
            f"|{'---|' * len(shown)}",
            *rows,
            "",
            "`python benchmarks/soak.py explore` (after `npm ci` in `web/`)",
        ]
    )
