import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Is it semantics or position?")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    mo.md("""
    # Is it semantics or position?

    A cell on a dog's nose is most similar to the nose in a second picture: the site *knows noses*. Or it knows "a
    little left of the middle", and both noses happen to be there. Photographs are framed alike, so that the two are
    easily confused, and a similarity map does not tell them apart by itself.

    This tutorial takes four blocks of the embedded model and asks each of them in four ways that do tell.
    """)
    return (mo,)


@app.cell
def _():
    import numpy as np
    from PIL import Image

    import denoscope as ds
    from denoscope.core.picture import Picture
    from denoscope.figures.heat import Panel, overlay, word_sheet
    from denoscope.measures.similarity import similarity_map

    return Image, Panel, Picture, ds, np, overlay, similarity_map, word_sheet


@app.cell
def _():
    originals, scenes, pairs, pieces = 24, 80, 300, 72  # pictures, and pairs of them, of the four questions
    sites = ["down.1", "mid", "up.1", "up.2"]
    return originals, pairs, pieces, scenes, sites


@app.cell
def _(ds):
    model = ds.load("embedded")
    return (model,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## 1. A copy of which every place is known

    A picture is changed, and each cell of the copy asks for the most similar cell of the original. Every right answer
    is known. A *blurred* copy leaves everything where it was; a *shifted* one moves it; a *mirrored* one puts it on
    the other side. A site that follows content does not care which of the three it gets.
    """)
    return


@app.cell
def _(ds, model, originals, sites):
    changed = ds.open_data("changed:blur=0.5,shift,mirror@menagerie:test,objects=one", 4 * originals)
    copies = ds.extract(model, changed, sites, 50, out="runs/copies", progress=False)
    found = {site: ds.evaluate(copies, "dense", site=site, data=changed) for site in sites}
    return changed, copies, found


@app.cell
def _(Image, Panel, Picture, changed, copies, ds, np, overlay, similarity_map, sites, word_sheet):
    def hot(site, query, where, target):
        """The target, coloured by its similarity to the query's cell at some pixel."""
        first, second = (copies.get(site, timestep=50, ids=[sample.id]) for sample in (query, target))
        cell = tuple(first.frames[0].cell_at(where, first.grid))
        heat = similarity_map(first, 0, cell, second)[0]
        heat = ((heat - heat.min()) / np.ptp(heat)) ** 4
        side = Image.fromarray(heat).resize(target.image.shape[1::-1], Image.Resampling.BICUBIC)
        return overlay(target.image, np.asarray(side))

    original, mirrored = changed[0], changed[3]
    known = ds.open_data("menagerie:test,objects=one", 1)[0].facts["keypoints"]  # of the first picture
    name, (x, y, _) = next(iter(known.items()))
    asked = original.image.copy()
    asked[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3] = (255, 0, 255)
    panels = [Panel(asked, f"asked: {name}"), *(Panel(hot(site, original, (x, y), mirrored), site) for site in sites)]
    Picture("What is similar to one place, in the mirrored copy", word_sheet([panels], ["in its mirror image"]))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    One place of one picture (left), and how similar everything in the mirror image is to it. Content has gone to the
    other side; what stays on the same side is position. One picture proves nothing, so here are all of them:
    """)
    return


@app.cell
def _(found, mo, sites):
    def told(score):
        return f"{score.value:.2f} [{score.low:.2f}, {score.high:.2f}]"

    kinds = ("blur 0.5", "shift 1", "mirror 1")
    mo.md(
        "| accuracy | blurred, in place | shifted | mirrored | same position, mirrored |\n|---|---|---|---|---|\n"
        + "\n".join(
            f"| `{site}` | "
            + " | ".join(told(found[site][f"accuracy, {kind}"]) for kind in kinds)
            + f" | {found[site]['accuracy, same position, mirror 1'].value:.2f} |"
            for site in sites
        )
        + f"\n\n{found[sites[0]]['accuracy, mirror 1'].n} pictures; 95 % intervals over them."
    )
    return (told,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    All four look almost perfect as long as nothing moves. That column alone would have made a fine "robust to blur" in a
    paper; an encoder that knew nothing but where a cell lies has 1.00 there. Once things move, `mid` and `up.1` lose
    nearly all of it. (A third of the 3 x 3 cells of `mid` lie in the middle column, and a mirror leaves them there.)
    `down.1` follows a picture that is shifted, but not one that is mirrored: it holds what things *look* like.
    To find the very cell is harder where cells are small: `up.2` has 576 of them, `up.1` and `down.1` 144 and 36.

    ## 2. Can the place be read off a cell?

    A linear map from a cell to its row and column, learned on some scenes, tested on others. An untrained network is
    asked the same: padded convolutions count from the edges before anything was learned. (R2 is 1 where row and column
    are told exactly, and 0 where the mean place is all that is known.)
    """)
    return


@app.cell
def _(ds, mo, model, scenes, sites, told):
    spec = "menagerie:test,objects=one"
    read = ds.extract(model, spec, sites, 50, limit=scenes, out="runs/scenes", progress=False)
    untrained = ds.load("untrained:embedded")
    twin = ds.extract(untrained, spec, sites, 50, limit=scenes, out="runs/twin", progress=False)
    place = {site: ds.evaluate(read, "position", site=site, twin=twin, folds=3) for site in sites}
    mo.md(
        "| R2 of row and column | trained | untrained |\n|---|---|---|\n"
        + "\n".join(
            f"| `{site}` | {told(report['R2'])} | {told(report['R2, random-init twin'])} |"
            for site, report in place.items()
        )
    )
    return place, read


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## 3. Does it find the same part of *another* thing?

    Keypoints (nose, wheel, door, ...) of one scene ask in another scene with a thing of the same kind, at another place
    and size. Beside the share of correct keypoints (PCK) stand the answer "same position", and what a perfect encoder
    would reach on so coarse a grid.
    """)
    return


@app.cell
def _(ds, mo, pairs, read, sites, told):
    matched = {site: ds.evaluate(read, "correspondence", site=site, pairs=pairs) for site in sites}
    mo.md(
        "| | PCK@0.1 | same position | ceiling of the grid |\n|---|---|---|---|\n"
        + "\n".join(
            f"| `{site}` | {told(report['PCK@0.1'])} | {report['PCK@0.1, same position'].value:.2f} "
            f"| {report['PCK@0.1, ceiling'].value:.2f} |"
            for site, report in matched.items()
        )
    )
    return (matched,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## 4. Where do wrong answers go?

    Things are cut out and laid at random places on grey, so that content and place have nothing to do with one another.
    Of the wrong answers, how many more lie near the place that asked than near the place on the opposite side of the
    truth? This *pull* is 0 where position plays no part, however bad the matches are.
    """)
    return


@app.cell
def _(ds, mo, model, pieces):
    laid = ds.extract(
        model, f"cutouts:count={pieces},size=96", ["up.1", "up.2"], 50, out="runs/cutouts", progress=False
    )
    pulled = {site: ds.evaluate(laid, "displacement", site=site)["pull"] for site in ("up.1", "up.2")}
    mo.md("\n\n".join(f"`{site}`, {score}" for site, score in pulled.items()))
    return (pulled,)


@app.cell
def _(found, matched, place, pulled):
    still, moved = (found["up.1"][f"accuracy, {kind}"] for kind in ("blur 0.5", "mirror 1"))
    here, there = (matched[site]["PCK@0.1"] for site in ("up.1", "up.2"))
    findings = {
        f"`up.1` finds places that stay ({still.value:.2f}) and loses them when the picture is mirrored "
        f"({moved.value:.2f} [{moved.low:.2f}, {moved.high:.2f}], n = {moved.n} pictures)": moved.high < still.low / 2,
        "at `up.2` mirrored places are found more often than at `up.1`": found["up.2"]["accuracy, mirror 1"].low
        > moved.high,
        "position needs no training: it is read off the untrained `up.1` too "
        f"(R2 {place['up.1']['R2, random-init twin'].value:.2f})": place["up.1"]["R2, random-init twin"].low > 0.5,
        f"parts of other things are matched at `up.2` (PCK {there.value:.2f} [{there.low:.2f}, {there.high:.2f}], "
        f"n = {there.n} pictures in keypoint pairs), above the same position": there.low
        > matched["up.2"]["PCK@0.1, same position"].high,
        f"and hardly at `up.1` ({here.value:.2f} [{here.low:.2f}, {here.high:.2f}]), whose grid would allow "
        f"{matched['up.1']['PCK@0.1, ceiling'].value:.2f}": here.high < there.low,
        f"wrong answers of `up.1` are drawn to the place that asked ({pulled['up.1'].value:+.2f} "
        f"[{pulled['up.1'].low:+.2f}, {pulled['up.1'].high:+.2f}], n = {pulled['up.1'].n}), those of `up.2` less": pulled[
            "up.1"
        ].low
        > max(0.0, pulled["up.2"].high),
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
    So `up.1` of this model answers with position, `down.1` with looks, `up.2` with what a part *is*, and a similarity map
    of one picture, or a blurred copy, would have shown all three as "semantic". Of what `up.1` knows of places training
    added nothing: the untrained network has more of it. Removing position is not the cure: at `up.2`, erasing it costs half of the matches, since
    what varies with the place is also what the picture shows there ([mitigate](../mitigate.md)). Choosing another
    block is.

    For a model of yours, the same four questions:

    ```bash
    denoscope extract sd15 changed:blur=0.5,shift,mirror@PHOTOS --sites 'up.*' --timesteps 50 --out runs/copies
    denoscope evaluate dense runs/copies --sites all
    denoscope card sd15 --plan     # these and a dozen more
    ```

    Pages: [changed copies](../tasks/dense.md), [position](../tasks/position.md),
    [correspondence](../tasks/correspondence.md), [displacement](../tasks/displacement.md). Next:
    [train and steer](train_and_steer.md).
    """)
    return


if __name__ == "__main__":
    app.run()
