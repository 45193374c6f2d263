import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Reproduce a published table")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    mo.md("""
    # Reproduce a published table

    Published numbers about the insides of diffusion models rest on a checkpoint, a data set, and a protocol with a dozen
    switches, some of which nobody wrote down. denoscope keeps published tables and figures as *studies*: what was read,
    which task with which settings, what is known to be wrong, and the numbers themselves.

    This tutorial runs one study that needs no weights and can be compared number by number; one in its small version,
    on drawn scenes; and then measures what a single fault of the original program costs, which is the difference
    between replaying a table and trusting it.
    """)
    return (mo,)


@app.cell
def _():
    from dataclasses import replace

    import denoscope as ds
    from denoscope.measures.dyadic import dyadic_mean
    from denoscope.models.compat import Compat
    from denoscope.reproduce import studies

    return Compat, ds, dyadic_mean, replace, studies


@app.cell
def _():
    checkpoints = None  # of the first study; all that it has numbers for
    scenes, pairs = 120, 600  # pictures, and pairs of them, for the others
    return checkpoints, pairs, scenes


@app.cell
def _(mo, studies):
    known = studies()
    table1, figure9 = known["thesis/table1"], known["thesis/fig9"]
    mo.md(
        f"{len(known)} studies; `denoscope list studies` names them. Two of them:\n\n"
        "| | source | it asks | known of the original |\n|---|---|---|---|\n"
        + "\n".join(
            f"| `{one.name}` | {one.source} | {one.asks} | {' '.join(one.faults)} |" for one in (table1, figure9)
        )
    )
    return figure9, table1


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## A table that can be met exactly

    How many channels and rows has each block of Stable Diffusion 1.5, 2.1, Turbo, SDXL, ...? That needs no weights, only
    the architecture, so that it runs offline. It is a dull question, and it is where reproductions fail first: an
    off-by-one in the name of a block reads another tensor, and nothing complains.
    """)
    return


@app.cell
def _(checkpoints, ds, replace, table1):
    shapes = ds.reproduce(replace(table1, published=table1.published[:checkpoints]), progress=False)
    shapes
    return (shapes,)


@app.cell
def _(shapes):
    shapes.figure("Ours and published")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Numbers that need a checkpoint

    The thesis asks what correspondence gives to someone who does not look: to one who answers with a random place, or
    with the same position. With SD 1.5 and SPair-71k at hand, `denoscope reproduce thesis/fig9 --models published` puts
    ours beside 2.02 % and 5.49 %. Without, a study runs its *small version*: the embedded model, drawn scenes. The
    published column then stays empty, because numbers of another model on other pictures are no comparison, and the
    report says so.
    """)
    return


@app.cell
def _(ds, figure9, mo, scenes):
    small = ds.reproduce(figure9, limit=scenes, progress=False)
    rows = [dict(zip(small.table, row, strict=True)) for row in zip(*small.table.values(), strict=True)]
    mo.md(
        "| who answers | PCK@0.1, % | published for this |\n|---|---|---|\n"
        + "\n".join(
            f"| {row['variant']} | {row['ours']:.2f} [{row['low']:.2f}, {row['high']:.2f}], n = {row['n']} "
            f"{row['over']} | {'none' if row['published'] is None else row['published']} |"
            for row in rows
        )
        + f"\n\n> {small.notes[2]}\n\nThe model is read at its very first layer there, which sees little more than the picture."
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## What one fault costs

    The program behind these numbers gave the VAE pictures in [0, 1] instead of [-1, 1]: black arrived as grey, with half
    the contrast. `compat="sdhelper"` replays that program, and each of its known defects is a switch, so that one can be
    turned on alone. The same keypoints are asked twice, of pictures as they should be read and as they were read;
    pairs share pictures, and the interval allows for that.
    """)
    return


@app.cell
def _(Compat, ds, dyadic_mean, pairs, scenes):
    model = ds.load("embedded")
    others = ("shared_noise", "posterior_sample", "double_scaling", "drop_conditioning", "sd3_step_index")
    fault = Compat(**dict.fromkeys(others, False))  # `unit_range` alone is left on
    ways = {"right": None, "fault": fault}
    told = {}
    for name, compat in ways.items():
        store = ds.extract(
            model, "menagerie:test,objects=one", "up.2", 50, limit=scenes, compat=compat, out=f"runs/{name}", progress=False
        )  # fmt: skip
        told[name] = ds.evaluate(store, "correspondence", site="up.2", pairs=pairs)
    right, wrong = (told[name].table for name in ways)
    each = [b - a for a, b in zip(right["share"], wrong["share"], strict=True)]
    change = dyadic_mean(each, right["source"], right["target"], share=False)
    return change, told


@app.cell
def _(change, mo, told):
    def line(name, report):
        score = report["PCK@0.1"]
        return (
            f"| {name} | {100 * score.value:.1f} [{100 * score.low:.1f}, {100 * score.high:.1f}] "
            f"| {100 * report['PCK@0.1, same position'].value:.1f} |"
        )

    mo.md(
        "| pictures | PCK@0.1 at `up.2`, % | same position, % |\n|---|---|---|\n"
        + "\n".join([line("in [-1, 1]", told["right"]), line("in [0, 1]", told["fault"])])
        + f"\n\nChange on the same keypoints: {100 * change.value:+.1f} [{100 * change.low:+.1f}, "
        f"{100 * change.high:+.1f}] points, n = {change.n} pictures in keypoint pairs."
    )
    return


@app.cell
def _(told):
    from denoscope.core.picture import Picture
    from denoscope.figures.plots import Band, bars

    shown = [report["PCK@0.1"] for report in told.values()]
    Picture(
        "Correspondence with and without the fault",
        bars(
            ["in [-1, 1]", "in [0, 1]"],
            Band(*zip(*((score.value, score.low, score.high) for score in shown), strict=True)),
            "PCK@0.1 at up.2",
            "share of keypoints",
            {"same position": told["right"]["PCK@0.1, same position"].value},
        ),
    )
    return


@app.cell
def _(change, shapes, told):
    met = shapes["published numbers met"]
    pck, place = (told["right"][name] for name in ("PCK@0.1", "PCK@0.1, same position"))
    findings = {
        f"every published shape is met: {met.value:.0%} of {met.n} numbers": met.value == 1,
        f"the model matches parts better than the same position does: {pck.value:.3f} [{pck.low:.3f}, {pck.high:.3f}], "
        f"{place.value:.3f} [{place.low:.3f}, {place.high:.3f}], n = {pck.n}": pck.low > place.high,
        f"one fault of preprocessing changes that by {change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}]": change.high
        < 0,
    }
    return (findings,)


@app.cell(hide_code=True)
def _(findings, mo):
    mo.md(
        "## What was found\n\n| | |\n|---|---|\n"
        + "\n".join(f"| {told} | {'holds' if holds else 'does **not** hold'} |" for told, holds in findings.items())
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    So a table that was made with the faulty program is best read twice: with `--compat`, to see that it is met, and
    without, to see what it should have said. The size of this effect is that of a small model on drawn scenes; on
    Stable Diffusion it has to be measured there:

    ```bash
    denoscope reproduce thesis/fig7 --models sd15 --compat --data spair=/data/SPair-71k
    denoscope reproduce thesis/fig7 --models sd15 --data spair=/data/SPair-71k
    ```

    All faults that we know of, each measured in this way: [errata](../errata.md). The studies: [reproduce](../reproduce.md);
    the switches: [other extractors replayed](../compat.md). Next: [bring your own model](your_own_model.md).
    """)
    return


if __name__ == "__main__":
    app.run()
