import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Which site should I use?")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    mo.md("""
    # Which site should I use?

    A denoiser can be read at hundreds of places and a thousand noise levels. Work that uses one as a feature extractor
    tries a few places and reports the best. Two things go wrong there: the best place for one question is not the
    best for another, and the number that made a place win is a little too good to be reported.

    This tutorial reads all blocks of the embedded model at three noise levels, asks three questions, chooses with one
    set of pictures, and reports on another. What it takes from you is a model, a data set and a question.
    """)
    return (mo,)


@app.cell
def _():
    import denoscope as ds
    from denoscope.measures.statistics import bootstrap_difference

    return bootstrap_difference, ds


@app.cell
def _():
    images, levels = 240, [50, 200, 500]  # pictures of each set, and timesteps
    return images, levels


@app.cell
def _(ds):
    model = ds.load("embedded")  # "sd15", a Hub id or a folder of yours go here as well
    blocks = model.select(["in", "down.*", "mid", "up.*"])  # a star is one part of a name: whole blocks only
    f"{len(model.sites)} sites, of which {len(blocks)} are read: {', '.join(map(str, blocks))}"
    return blocks, model


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Read once, ask often

    One mean vector per picture, site and noise level is enough for questions about whole pictures (`layout="pooled"`),
    and takes little room. The pictures are drawn scenes of which every fact is known; `menagerie:val` chooses, and
    `menagerie:test` will report. No scene is in both, and the model saw neither in training.
    """)
    return


@app.cell
def _(blocks, ds, images, levels, model):
    pooled = ds.Keep(layout="pooled")
    choosing = ds.extract(model, "menagerie:val", blocks, levels, limit=images, out="runs/val", keep=pooled)
    return choosing, pooled


@app.cell
def _(choosing, ds):
    ridge = {"task": "probe", "estimator": "ridge"}  # closed form: thirty probes in about a second
    grids = {
        fact: ds.evaluate(choosing, sites="all", timesteps="all", fact=fact, **ridge)
        for fact in ("superclass", "colour", "background")
    }
    grids["superclass"].figure("accuracy by site and noise level")  # is it an animal, a plant, a thing, a vehicle?
    return grids, ridge


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    What kind of thing it is (an animal, a vehicle, ...) is known at one block near the end, best at little noise, and
    next to nowhere else. The colour of the thing asks for other places:
    """)
    return


@app.cell
def _(grids):
    grids["colour"].figure("accuracy by site and noise level")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    and where it stands (a meadow, a room, snow, ...) is known nearly everywhere:
    """)
    return


@app.cell
def _(grids):
    grids["background"].figure("accuracy by site and noise level")
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    A map has a best cell even if nothing is known anywhere. So the report also says which places *cannot be told* from
    the best one: it compares each with the best, on the same pictures, and corrects for having compared so many.
    """)
    return


@app.cell
def _(grids, mo):
    def best(grid):
        """The best place of a grid: its row, and how many places cannot be told from it."""
        rows = [dict(zip(grid.table, row, strict=True)) for row in zip(*grid.table.values(), strict=True)]
        rows = [row for row in rows if row["score"] == "accuracy"]
        top = max(rows, key=lambda row: row["value"])
        alike = sum(not (row["q against best"] or 0) < 0.05 for row in rows) - 1
        return top, alike, len(rows)

    chosen = {fact: best(grid) for fact, grid in grids.items()}
    mo.md(
        "| question | best place | accuracy there | as good, of the others |\n|---|---|---|---|\n"
        + "\n".join(
            f"| {fact} | `{top['site']}`, timestep {top['timestep']:g} | {top['value']:.2f} "
            f"[{top['low']:.2f}, {top['high']:.2f}] | {alike} of {count - 1} |"
            for fact, (top, alike, count) in chosen.items()
        )
    )
    return (chosen,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Report on pictures that chose nothing

    The chosen places are now asked about fresh pictures, beside what they have to be compared with: always naming
    the most frequent class, the same network before it learned anything (the *random-init twin*), and the block that
    one would have taken by habit, the middle one.
    """)
    return


@app.cell
def _(chosen, ds, images, model, pooled):
    places = ["mid", *{top["site"] for top, _, _ in chosen.values()}]
    noise = sorted({50, *(top["timestep"] for top, _, _ in chosen.values())})
    fresh = ds.extract(model, "menagerie:test", places, noise, limit=images, out="runs/test", keep=pooled)
    untrained = ds.load("untrained:embedded")
    twin = ds.extract(untrained, "menagerie:test", places, noise, limit=images, out="runs/twin", keep=pooled)
    return fresh, twin


@app.cell
def _(chosen, ds, fresh, ridge, twin):
    told = {
        fact: ds.evaluate(fresh, site=top["site"], timestep=top["timestep"], fact=fact, twin=twin, **ridge)
        for fact, (top, _, _) in chosen.items()
    }
    middle = {fact: ds.evaluate(fresh, site="mid", timestep=50, fact=fact, **ridge) for fact in chosen}
    told["superclass"]
    return middle, told


@app.cell
def _(bootstrap_difference, chosen, middle, mo, told):
    above = {fact: bootstrap_difference(told[fact].table["hit"], middle[fact].table["hit"]) for fact in told}

    def line(fact):
        top, score = chosen[fact][0], told[fact]["accuracy"]
        others = [told[fact][f"accuracy, {name}"].value for name in ("majority class", "random-init twin")]
        return (
            f"| {fact} | `{top['site']}`, {top['timestep']:g} | {top['value']:.2f} | **{score.value:.2f}** "
            f"[{score.low:.2f}, {score.high:.2f}] | {others[0]:.2f} | {others[1]:.2f} "
            f"| {above[fact].value:+.2f} [{above[fact].low:+.2f}, {above[fact].high:+.2f}] |"
        )

    mo.md(
        "| question | place | where it was chosen | on fresh pictures | majority | twin | above `mid`, paired |\n"
        "|---|---|---|---|---|---|---|\n" + "\n".join(map(line, told))
    )
    return (above,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    One number fell against the third column and one rose: with so few pictures the luck of the draw is larger than the
    luck of having chosen the best, which shows on average only. The fresh numbers are the ones to report, whichever
    way they go.
    """)
    return


@app.cell
def _(above, chosen, told):
    kind, majority, twins = (
        told["superclass"][f"accuracy{of}"] for of in ("", ", majority class", ", random-init twin")
    )
    tops = {fact: top["site"] for fact, (top, _, _) in chosen.items()}
    findings = {
        f"the kind of thing is read off `{tops['superclass']}` better than by always naming the most frequent one: "
        f"{kind.value:.2f} [{kind.low:.2f}, {kind.high:.2f}], {majority.value:.2f}": kind.low > majority.value,
        f"training brought that about: the untrained twin has {twins.value:.2f} [{twins.low:.2f}, {twins.high:.2f}] "
        "at the same place": kind.low > twins.high,
        "the middle block is worse for it, on the same pictures": above["superclass"].low > 0,
        f"colour asks for another place, `{tops['colour']}`": tops["colour"] != tops["superclass"],
        f"the background chooses nothing: {chosen['background'][1]} of {chosen['background'][2] - 1} other places "
        "cannot be told from the best": chosen["background"][1] > chosen["background"][2] / 2,
    }
    return (findings,)


@app.cell(hide_code=True)
def _(findings, images, mo):
    mo.md(
        f"## What was found\n\n| with {images} pictures to choose and {images} others to report | |\n|---|---|\n"
        + "\n".join(f"| {told} | {'holds' if holds else 'does **not** hold'} |" for told, holds in findings.items())
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    The order of the blocks is that of *this* small model; Stable Diffusion knows most in other places. What carries
    over is the procedure: fix the question, choose with one set of pictures, report on another, and keep the majority
    and the twin in view. For a checkpoint of yours all of it is one command, which asks a dozen questions more
    (matching, depth, position, texture, ...) and writes one page:

    ```bash
    denoscope card sd15 --quick --plan    # what it would read, and how long that takes; without --plan it does it
    ```

    Next: [is it semantics or position?](semantics_or_position.md) All tasks and their baselines stand in
    [evaluate](../evaluate.md), and what a card says in [card](../card.md).
    """)
    return


if __name__ == "__main__":
    app.run()
