"""The demo's page of similarity maps: photographs and scenes side by side."""

import html
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from denoscope.core.activations import Activations
from denoscope.core.recipe import Recipe
from denoscope.core.sample import Sample
from denoscope.explorer.maps import Query, maps_page
from denoscope.store.store import Store

__all__ = ["page"]

START = ("up.2", "50")

_PHOTOS = ("astronaut", "chelsea", "coffee", "rocket", "china", "flower", "camera", "coins")
_PLACES = (
    Query("chelsea", 171, 117, "cat's eye"),
    Query("astronaut", 90, 330, "space suit"),
    Query("coffee", 285, 141, "coffee"),
)
_PARTS = (("dog", "eye"), ("bus", "front_wheel"), ("bird", "breast"), ("flower", "centre"))
"""Category and keypoint of scenes that are asked about; the second scene of the category answers."""

_LEAD = (
    "Point at any cell: every picture shows how similar its own cells are to that one, in the representation of the "
    "embedded model at the chosen site and noise. Square: the cell that is asked about. Ring: the most similar cell."
)


def page(
    store: Store,
    recipes: tuple[Recipe, Recipe],
    sites: Sequence[str],
    photos: Sequence[Sample],
    scenes: Sequence[Sample],
    shown: int = 16,
) -> str:
    """HTML with a view per site and noise level.

    Args:
        store: with the activations.
        recipes: of the photographs and of the scenes.
        sites: in the order in which they are offered.
        photos, scenes: what was read.
        shown: how many scenes the page has.
    """
    queries, asked = _queries(scenes)
    known = {sample.id: sample for sample in (*photos, *scenes)}
    left = [sample.id for sample in photos if sample.id in _PHOTOS]
    right = list(dict.fromkeys([*asked, *(sample.id for sample in scenes)]))[:shown]
    layers = [
        _together(
            store.get(site, timestep=condition["timestep"], recipe=recipes[0].digest, ids=left),
            store.get(site, timestep=condition["timestep"], recipe=recipes[1].digest, ids=right),
        )
        for condition in sorted(recipes[0].conditions, key=lambda condition: condition["timestep"])
        for site in sites
    ]
    groups = dict.fromkeys(left, "Photographs") | dict.fromkeys(right, "Generated scenes")
    return maps_page(
        layers,
        {name: known[name].image for name in groups},
        [query for query in (*queries, *_PLACES) if query.sample in groups],
        title="denoscope: similarity maps",
        lead=_LEAD,
        groups=groups,
        notes=[_recipe_note(recipes), _credits([known[name] for name in left])],
        start=START,
    )


def _together(first: Activations, second: Activations) -> Activations:
    """Rows of both; they share site, condition and grid."""
    values = np.concatenate([first.numpy(), second.numpy()])
    return replace(first, values=values, ids=first.ids + second.ids, frames=first.frames + second.frames, draws=())


def _queries(scenes: Sequence[Sample]) -> tuple[list[Query], list[str]]:
    """Keypoints to ask about, and the ids of all scenes that they need."""
    queries: list[Query] = []
    for category, part in _PARTS:
        twins = [scene for scene in scenes if _shows(scene, category, part)][:2]
        if len(twins) == 2:
            x, y, _ = twins[0].facts["keypoints"][part]
            queries.append(Query(twins[0].id, x, y, f"{category}: {part.replace('_', ' ')}", twins[1].id))
    return queries, [name for query in queries for name in (query.sample, query.other)]


def _shows(scene: Sample, category: str, part: str) -> bool:
    """Whether the scene shows one object, of that category, with that part in sight."""
    facts = scene.facts
    return facts["category"] == category and len(facts["objects"]) == 1 and facts["keypoints"][part][2]


def _recipe_note(recipes: Sequence[Recipe]) -> str:
    """What was asked, as a line of HTML."""
    first = recipes[0]
    model = ", ".join(f"{key} {value}" for key, value in first.model.items())
    digests = " and ".join(f"<code>{recipe.digest}</code>" for recipe in recipes)
    noise = "noise of each image's own from (seed 0, sample id), empty prompt"
    return f'Recipes {digests} in <code>store/</code>: {html.escape(model)}; {noise}. \
How well objects hold together at each site: <a href="report/report.html">report</a>.'


def _credits(photos: Sequence[Sample]) -> str:
    told = (f"{photo.facts['title']} ({photo.facts['source']}, {photo.facts['licence']})" for photo in photos)
    return html.escape(f"Photographs: {'; '.join(told)}. Scenes: the menagerie, drawn by denoscope.")
