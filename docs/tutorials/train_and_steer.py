import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Train and steer")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    mo.md("""
    # Train and steer

    A sparse autoencoder finds directions in what a site holds. Some of them are active on night scenes. Does pushing
    one make it night? That an atom *reads* something does not mean that it *writes* it, and a picture that changed
    does not mean that it changed as was meant. So each step here has a control.

    We train an autoencoder, choose an atom by what it does to seven pictures, and judge it on others with other noise, beside a push of the same size in a random direction and beside simply asking for it in words.
    """)
    return (mo,)


@app.cell
def _():
    import numpy as np

    import denoscope as ds
    from denoscope.features.candidates import telling
    from denoscope.features.judging import judge
    from denoscope.measures.statistics import wilson

    return ds, judge, np, telling, wilson


@app.cell
def _():
    scenes, cells = 240, 120_000  # pictures and cells to learn from
    levels = [200, 500, 800]  # timesteps to learn at
    labelled = 120  # pictures that the judge is made of
    tried, held = 7, 28  # prompts to choose an atom with, and to judge it on
    steps = 8  # of denoising
    return cells, held, labelled, levels, scenes, steps, tried


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Train

    The cells of `up.2` at three noise levels, since generation passes through all of them; 64 pixels, the size of the
    pictures that will be steered. A tenth of the pictures is held out, and the report says how much of *their* cells is
    left unexplained, beside as many principal components as an atom code has entries.
    """)
    return


@app.cell
def _(cells, ds, levels, mo, scenes):
    model = ds.load("embedded")
    spec, small = "menagerie:train,objects=one,size=64", ds.Canvas(size=64)
    store = ds.extract(model, spec, "up.2", levels, limit=scenes, canvas=small, out="runs/cells", progress=False)
    settings = {"atoms": 256, "k": 16, "cells": cells, "batch": 1024}
    sae = ds.learn(store, "topk", site="up.2", timesteps="all", progress=False, **settings)
    columns = ("FVU", "FVU, 16 principal components", "FVU, random atoms")
    mo.md(
        "| noise level | unexplained by the autoencoder | by 16 principal components | by random atoms |\n"
        "|---|---|---|---|\n"
        + "\n".join(
            f"| {level} | " + " | ".join(f"{sae.report[f'{name} at {level}'].value:.2f}" for name in columns) + " |"
            for level in levels
        )
    )
    return model, sae, spec, store


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Which atoms read night?

    For each atom, its mean code in night scenes against all others, in standard deviations (Cohen's d), averaged over
    the noise levels. This is reading only: it says nothing about pictures yet.
    """)
    return


@app.cell
def _(levels, mo, np, sae, store, telling):
    facts = store.facts()
    read = [store.get("up.2", timestep=level) for level in levels]
    scores = telling(sae, read, [facts[name]["background"] for name in read[0].ids], "night")
    atoms = [int(atom) for atom in np.argsort(-np.abs(scores))[:8]]
    mo.md(
        "| atom | d, night against other scenes |\n|---|---|\n"
        + "\n".join(f"| {k} | {scores[k]:+.2f} |" for k in atoms)
    )
    return atoms, scores


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Which of them write it?

    Somebody has to look at the pictures. A judge that is always right on scenes may be wrong on pictures that were pushed
    out of the ordinary: in a first version of this tutorial the judge called three quarters of them night, and they were
    meadows under a dark blue sky. So there are two judges that see different things, and only what both call night is
    night: the nearest class mean of the model's own readings, and the nearest class mean of 4 x 4 colours, which knows
    nothing of the model. Both are made from half of the labelled scenes; their accuracy is told on the other half.
    """)
    return


@app.cell
def _(ds, judge, labelled, model, np, spec, wilson):
    world = list(ds.open_data(spec, labelled))
    reader = judge(model, world, "down.1", "background")

    def colours(images):
        return np.stack([np.asarray(image, float).reshape(4, 16, 4, 16, 3).mean((1, 3)).ravel() for image in images])

    seen, names = colours([scene.image for scene in world]), np.array([scene.facts["background"] for scene in world])
    middle, spread, kinds = seen[::2].mean(0), seen[::2].std(0), sorted(set(names))
    means = np.stack([((seen[::2] - middle) / spread)[names[::2] == kind].mean(0) for kind in kinds])

    def painter(images):
        gaps = np.square(((colours(images) - middle) / spread)[:, None] - means).sum(2)
        return [kinds[nearest] for nearest in gaps.argmin(1)]

    def both(images):
        """What both judges say, and `unsure` where they differ."""
        return [a if a == b else "unsure" for a, b in zip(reader(list(images)), painter(images), strict=True)]

    right = int((np.array(both([scene.image for scene in world[1::2]])) == names[1::2]).sum())
    agreed = wilson(right, len(names[1::2]))
    f"both are right on {right} of {agreed.n} scenes that neither has seen"
    return agreed, both


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    The atoms are pushed in prompts that leave the place open. Two things matter here ([steer](../steer.md)): the push is
    in units of a cell's own length, and it acts only on the rows with the prompt, since guidance would cancel what is
    added to both.
    """)
    return


@app.cell
def _(atoms, both, ds, model, np, sae, scores, steps, tried):
    from denoscope.dictionaries.edits import by_site

    things = ["red dog", "blue car", "green tree", "white cup", "brown cat", "yellow bus", "purple flower"]
    prompts = [f"a photo of a {thing}" for thing in things] * 4
    sampling = {"steps": steps, "guidance": 4.0, "height": 64, "width": 64}

    def push(atom):
        edit = ds.add(sae, atom, strength=float(np.copysign(1.0, scores[atom])), unit="norm", site="up.2")
        return [ds.within(edit, branch="cond")]

    reached = {
        atom: both(model.generate(prompts[:tried], edits=by_site(push(atom)), seed=1, **sampling).images).count("night")
        for atom in atoms
    }
    best = max(reached, key=reached.__getitem__)
    return best, prompts, push, reached, sampling


@app.cell(hide_code=True)
def _(atoms, best, mo, reached, scores, tried):
    mo.md(
        f"| atom | reads night, d | made it night, of {tried} prompts |\n|---|---|---|\n"
        + "\n".join(f"| {atom} | {scores[atom]:+.2f} | {reached[atom]} |" for atom in atoms)
        + f"\n\nReading is not writing: the order is not the same. Atom {best} goes on, and the number that chose it is not "
        "reported, for it was the best of several on few prompts.\n\n## Judge it on other pictures\n\nOther noise, more "
        "prompts. Beside the push stands its control, which changes every cell at every step by exactly as much, in a "
        'random direction; and the prompt with "at night" in it, which is what can be had.'
    )
    return


@app.cell
def _(best, both, ds, held, model, prompts, push, sampling):
    target = {"judges": {"background": both}, "target": {"background": "night"}}
    told = ds.sweep(model, prompts[:held], push(best), (1.0,), seed=100, **target, **sampling)
    told.report
    return (told,)


@app.cell
def _(both, held, model, prompts, sampling, wilson):
    asked = model.generate([f"{prompt} at night" for prompt in prompts[:held]], seed=100, **sampling)
    words = wilson(both(asked.images).count("night"), held)
    f"in words: night in {words.value:.2f} [{words.low:.2f}, {words.high:.2f}] of {words.n} pictures"
    return asked, words


@app.cell
def _(asked, np, told):
    from PIL import Image

    rows = [told.images[0][:7], told.images[1][:7], asked.images[:7]]  # without, with the atom, in words
    Image.fromarray(np.concatenate([np.concatenate(list(row), axis=1) for row in rows])).resize((896, 384), 0)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Top: as the prompt says. Middle: the same noise with the atom pushed. Bottom: the same noise with "at night" in the
    prompt.
    """)
    return


@app.cell
def _(agreed, atoms, best, told, wilson, words):
    shares = [told.report[f"background is night, dose {of}"] for of in ("0", "1", "1, control direction")]
    without, with_it, control = (wilson(round(share.value * share.n), share.n) for share in shares)
    beyond = told.report["background is night, dose 1 beyond direction"]
    findings = {
        f"the judges can be believed on scenes: both right on {agreed.value:.2f} [{agreed.low:.2f}, {agreed.high:.2f}], "
        f"n = {agreed.n}": agreed.low > 0.9,
        f"pushing atom {best} makes it night in {with_it.value:.2f} [{with_it.low:.2f}, {with_it.high:.2f}] of pictures, "
        f"without it {without.value:.2f} (n = {with_it.n})": with_it.low > without.high,
        f"a random direction of the same size does not ({control.value:.2f}): beyond it {beyond.value:+.2f} "
        f"[{beyond.low:+.2f}, {beyond.high:+.2f}], paired": beyond.low > 0,
        f"words do it in {words.value:.2f} [{words.low:.2f}, {words.high:.2f}]": words.low > without.high,
        f"the atom that reads night best, {atoms[0]}, is not the one that writes it best, {best}": atoms[0] != best,
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
    A push as long as the cells themselves is a large one: what it edits lies five times as far from the usual as without
    it (*distance*), and what its control edits as well. It is the direction that makes night, not the size.

    This is a favourable case, and chosen as one. Of six targets that were tried on this model, night is the one that a
    single atom of `up.2` writes; atoms that read snow, red, house or cat as clearly do not bring them about, and what
    *words* change in the text's keys and values does far better ([results](../results/steering/README.md)). Try
    `"snow"` above.

    The same from the shell:

    ```bash
    denoscope learn topk runs/cells --site up.2 --timesteps all --atoms 256 --k 16
    denoscope interpret --help       # what atoms stand for, on sheets and with words
    denoscope steer embedded --help  # pushes, controls and judges
    denoscope explore runs/cells --dictionary FOLDER
    ```

    Pages: [learn](../learn.md), [interpret](../interpret.md), [steer](../steer.md). Next:
    [reproduce a published table](published_table.md).
    """)
    return


if __name__ == "__main__":
    app.run()
