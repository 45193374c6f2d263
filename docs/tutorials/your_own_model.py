import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Bring your own model")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    mo.md("""
    # Bring your own model

    Two ways. A **checkpoint in diffusers format** (a fine-tune, a pruned or merged one) is a folder, and `ds.load` takes
    folders. A **network of your own** needs a class of five short methods, and everything else works on it. Both are
    done here, and both end in a question: *what did I do to it?*
    """)
    return (mo,)


@app.cell
def _():
    import shutil

    import torch

    import denoscope as ds
    from denoscope.measures.statistics import bootstrap_difference

    return bootstrap_difference, ds, shutil, torch


@app.cell
def _():
    images, blocks = 320, ["down.*", "mid", "up.*"]  # to compare checkpoints with, and where
    steps, lessons = 150, 128  # of training a network of our own, and pictures to train it on
    return blocks, images, lessons, steps


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## A checkpoint in a folder

    Yours comes from `pipeline.save_pretrained(folder)`. Here we write one: the embedded model as it is, and the same with
    the smaller half of the weights of every layer set to zero, which is what simple pruning does.
    """)
    return


@app.cell
def _(ds, shutil, torch):
    from denoscope.models.embedded import WEIGHTS

    model = ds.load("embedded")
    shutil.copytree(WEIGHTS, "checkpoints/same", dirs_exist_ok=True)
    shutil.copytree(WEIGHTS, "checkpoints/pruned", dirs_exist_ok=True)
    pruned_unet = ds.load("checkpoints/pruned", dtype="fp32").parts.denoiser
    with torch.no_grad():
        for weight in pruned_unet.parameters():
            if weight.dim() > 1:
                weight[weight.abs() < weight.abs().median()] = 0
    pruned_unet.save_pretrained("checkpoints/pruned/unet")
    return (model,)


@app.cell
def _(ds, model):
    same, pruned = (ds.load(f"checkpoints/{name}", dtype="fp32") for name in ("same", "pruned"))
    two = list(ds.open_data("menagerie:test", 2))
    first, again = (one.read(two, "up.2", ds.Condition(timestep=50))["up.2"].values for one in (model, same))
    equal = bool((first == again).all())
    f"the copy reads the same, bit by bit: {equal}; pruned: {pruned.recipe['name']}, weights {pruned.recipe['weights']}"
    return equal, pruned


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Two things to know. A registered name has a card that says in which precision it is read; a folder has none, and is
    read in bfloat16 unless you say otherwise, which is enough to change the last digits of everything. And the recipe
    names the *weights* by their digest, not only the folder: a store of one checkpoint is never taken for that of
    another, even if you overwrite the folder.

    ## What did pruning cost, and where?

    Both read the same pictures with the same noise, so that every difference is the weights'. CKA says how alike the two
    checkpoints find the same pictures at each block (1: the same up to rotation and scale).
    """)
    return


@app.cell
def _(blocks, ds, images, model, pruned):
    pooled = ds.Keep(layout="pooled")
    before, after = (
        ds.extract(one, "menagerie:val", blocks, 50, limit=images, out=f"runs/{name}", keep=pooled, progress=False)
        for name, one in (("before", model), ("after", pruned))
    )
    return after, before


@app.cell
def _(after, before, ds):
    from denoscope.core.picture import Picture
    from denoscope.figures.plots import Band, bars
    from denoscope.measures.comparison import cka

    names = [str(site) for site in before.sites]
    alike = {name: float(cka(before.get(name).values, after.get(name).values)) for name in names}
    probes = {
        kind: {name: ds.evaluate(store, "probe", site=name, fact="superclass", estimator="ridge") for name in names}
        for kind, store in (("before", before), ("after", after))
    }
    scores = [probes["after"][name]["accuracy"] for name in names]
    Picture(
        "Superclass after pruning, by block",
        bars(
            names,
            Band(*zip(*((score.value, score.low, score.high) for score in scores), strict=True)),
            "kind of thing, after pruning",
            "accuracy",
            {"majority": probes["before"][names[0]]["accuracy, majority class"].value},
        ),
    )
    return alike, probes


@app.cell
def _(alike, bootstrap_difference, mo, probes):
    cost = {
        name: bootstrap_difference(probes["after"][name].table["hit"], probes["before"][name].table["hit"])
        for name in alike
    }
    mo.md(
        "| block | CKA with the original | superclass before | after | paired change |\n|---|---|---|---|---|\n"
        + "\n".join(
            f"| `{name}` | {alike[name]:.2f} | {probes['before'][name]['accuracy'].value:.2f} "
            f"| {probes['after'][name]['accuracy'].value:.2f} | {lost.value:+.2f} [{lost.low:+.2f}, {lost.high:+.2f}] |"
            for name, lost in cost.items()
        )
    )
    return (cost,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Alike is not as good as. The middle of the network sees other likenesses than before, and lost nothing by it, since
    the kind of thing could not be read there anyway; where it could, CKA hardly moved, and the last column says what it
    cost.

    ## A network of your own

    Five convolutions that are told the noise level, around the VAE of the embedded model. `ModelMixin` and `ConfigMixin`
    of diffusers give it `save_pretrained` and a random twin; the rest is what you would write anyway.
    """)
    return


@app.cell
def _(torch):
    from itertools import pairwise

    from diffusers import ConfigMixin, ModelMixin
    from diffusers.configuration_utils import register_to_config

    class Five(ModelMixin, ConfigMixin):
        """Predicts the noise of a latent with five convolutions."""

        @register_to_config
        def __init__(self, in_channels=4, width=48):
            super().__init__()
            sizes = [in_channels + 1, width, width, width, width, in_channels]
            self.layers = torch.nn.ModuleList(torch.nn.Conv2d(*two, 3, padding=1) for two in pairwise(sizes))

        def forward(self, x, level):
            x = torch.cat([x, level.view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])], dim=1)
            for layer in self.layers[:-1]:
                x = torch.nn.functional.silu(layer(x))
            return self.layers[-1](x)

    return (Five,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Now the five methods. `encode` (and `decode`) come with the VAE, `noise` with the noise schedule; what is left is how to
    call it, what it is told in words (nothing), and where it can be read. Its recipe must say what its weights follow
    from: stores are told apart by it.
    """)
    return


@app.cell
def _(torch):
    from denoscope.models.base import Model
    from denoscope.models.hooks import output_tap
    from denoscope.models.levels import VariancePreserving
    from denoscope.models.text import Text

    class Plain(Model):
        """A denoiser without text."""

        def __init__(self, parts):
            super().__init__(parts)
            self.levels = VariancePreserving(parts.scheduler)

        def embed(self, prompts):
            return Text(torch.zeros(len(prompts), 1, 1))

        def forward(self, latents, timesteps, text, guidance=None):
            return self.parts.denoiser(latents, timesteps / 1000)

        def pick(self):
            for i in range(4):
                yield output_tap(f"conv.{i}", f"layers.{i}")
            yield output_tap("out", "layers.4")

    return (Plain,)


@app.cell
def _(Five, Plain, lessons, model, steps, torch):
    from dataclasses import replace

    torch.manual_seed(0)
    recipe = {"name": "five convolutions", "lessons": lessons, "steps": steps}  # what its weights follow from
    mine = Plain(replace(model.parts, denoiser=Five(), text=[], recipe=recipe))
    mine.sites
    return (mine,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    Train it for a few seconds to tell the noise in latents of drawn scenes. This is plain torch: denoscope brings the latents
    and the forward process.
    """)
    return


@app.cell
def _(ds, lessons, mine, steps, torch):
    scenes = ds.open_data("menagerie:train,size=96", lessons)
    pictures = torch.stack([torch.tensor(scene.image).permute(2, 0, 1) / 127.5 - 1 for scene in scenes])
    with torch.no_grad():
        latents = torch.cat([mine.encode(some) for some in pictures.split(16)])
    net, dice = mine.parts.denoiser.requires_grad_(True).train(), torch.Generator().manual_seed(0)
    optimiser, losses = torch.optim.AdamW(net.parameters(), lr=2e-3), []
    for _ in range(steps):
        clean = latents[torch.randint(len(latents), (8,), generator=dice)]
        level = torch.randint(1000, (8,), generator=dice)
        noise = torch.randn(clean.shape, generator=dice)
        noised = mine.noise(clean, noise, [mine.levels.timestep(int(one)) for one in level])
        loss = (net(noised, level / 1000) - noise).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    net.requires_grad_(False).eval()
    early, late = (sum(some) / len(some) for some in (losses[:10], losses[-30:]))
    f"mean squared error: {early:.2f} in the first ten steps, {late:.2f} in the last thirty; 1 is to predict nothing"
    return early, late


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    What does it know? Ask what you would ask of Stable Diffusion, beside its random-init twin. For example, where the
    scene plays:
    """)
    return


@app.cell
def _(ds, early, images, mine):
    from denoscope.models.loading import untrained

    assert early > 0  # it is trained first
    half = images // 2
    own = ds.extract(mine, "menagerie:test", "conv.3", 400, limit=half, out="runs/mine", progress=False)
    twin = ds.extract(
        untrained(mine), "menagerie:test", "conv.3", 400, limit=half, out="runs/mine-twin", progress=False
    )
    known = ds.evaluate(own, "probe", fact="background", estimator="ridge", twin=twin)
    known
    return (known,)


@app.cell
def _(cost, equal, known, late, probes):
    best = max(cost, key=lambda name: probes["before"][name]["accuracy"].value)
    lost, score = cost[best], known["accuracy"]
    majority, twins = (known[f"accuracy, {of}"] for of in ("majority class", "random-init twin"))
    findings = {
        "a folder reads as the model that was saved in it, bit by bit": equal,
        f"pruning costs `{best}`, the block that knew the kind of thing best, {lost.value:+.2f} "
        f"[{lost.low:+.2f}, {lost.high:+.2f}] of accuracy (n = {lost.n} pictures, paired)": lost.high < 0,
        f"the network of our own learned to tell noise (error {late:.2f}, 1 is to predict nothing)": late < 0.9,
        f"it holds where a scene plays: {score.value:.2f} [{score.low:.2f}, {score.high:.2f}], majority "
        f"{majority.value:.2f} (n = {score.n})": score.low > majority.high,
        f"which its untrained twin holds as well ({twins.value:.2f} [{twins.low:.2f}, {twins.high:.2f}]), so that it says "
        "nothing about learning": twins.low > majority.high,
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
    That last line is why the twin stands beside every claim: a colour average survives random weights.

    What such a class does not give by itself: a name for the command line, words (`text_parts`), and attention maps;
    CONTRIBUTING.md says how a model or a family is registered. How sites are named stands in [sites](../sites.md),
    which checkpoints load by name in [models](../models.md). First of these tutorials:
    [which site should I use?](which_site.md)
    """)
    return


if __name__ == "__main__":
    app.run()
