"""Words about objects: right, wrong and random ones, the same whatever is read first."""

import numpy as np
import pytest

from denoscope.core.condition import Condition
from denoscope.core.errors import InputError, UnknownName
from denoscope.core.sample import Sample, fingerprint
from denoscope.data.base import open_data
from denoscope.data.people import People
from denoscope.data.twins import TWINS
from denoscope.data.worded import PROMPTS, Worded, label_of
from twinned import twin

__all__ = ["twin"]

PIXELS = np.zeros((2, 2, 3), np.uint8)


def shown(names: list[str], images: int = 2) -> list[Sample]:
    """Pictures of objects, object by object."""
    return [
        Sample(f"{name}/{i}", PIXELS, {"object": name, "object_index": number, "caption": f"this is {name}"})
        for number, name in enumerate(names)
        for i in range(images)
    ]


def test_labels_are_written_as_published() -> None:
    """Underscores are spaces and digits go, so that namesakes share a prompt."""
    assert label_of("chicken1") == label_of("chicken2") == "chicken"
    assert label_of("chicken_wire") == "chicken wire" and label_of("air_bag2") == "air bag"


def test_every_object_lends_its_label_to_one_that_is_called_otherwise() -> None:
    """A permutation of objects, the same for all pictures of one; nobody keeps its label, namesakes included."""
    names = [f"thing_{letter}" for letter in "abcdefgh"] + ["chicken1", "chicken2", "chicken3"]
    for seed in range(20):
        found = Worded(shown(names), seed)
        facts = [sample.facts for sample in (found[i] for i in range(len(found)))]
        assert sorted(row["shuffled_object"] for row in facts) == sorted(2 * names)
        assert all(row["shuffled_label"] == label_of(row["shuffled_object"]) != row["label"] for row in facts)
        assert all(row["wrong_label"] != row["label"] for row in facts)
        assert len({(row["object"], row["shuffled_object"]) for row in facts}) == len(names)
        for row in facts:
            assert len(row["random_tokens"].split()) == len(row["label"].split())
            assert not set(row["random_tokens"].split()) & set(row["label"].split())


def test_wrong_labels_differ_between_pictures_and_shuffled_ones_between_seeds() -> None:
    """By lot: another seed deals otherwise, and every other label comes up."""
    names = [f"thing {letter}" for letter in "abcdef"]
    many = Worded(shown(names, 40))
    assert len({many[i].facts["wrong_label"] for i in range(40)}) == len(names) - 1
    dealt = [tuple(Worded(shown(names), seed).shuffled.items()) for seed in range(6)]
    assert len(set(dealt)) > 1 and dealt[0] == tuple(Worded(shown(names), 0).shuffled.items())


def test_words_do_not_depend_on_the_order_of_reading() -> None:
    """The last picture first, and the first one last; pixels and other facts pass."""
    samples = shown([f"thing {letter}" for letter in "abcd"])
    forward, back = Worded(samples), Worded(samples)
    last = back[len(samples) - 1]
    assert [forward[i].facts for i in range(len(samples))][-1] == last.facts
    assert last.image is samples[-1].image and last.facts["caption"] == "this is thing d"
    assert fingerprint(forward) == fingerprint(back) != fingerprint(Worded(samples, 1))


def test_each_prompt_is_filled_from_the_facts() -> None:
    """All of them, on simulated people by their spec; objects are known before a picture is drawn."""
    people = open_data("worded:seed=3@people:test,objects=6,images=1")
    sample = people[0]
    said = {kind: Condition(timestep=5, prompt=prompt).text_for(sample.facts) for kind, prompt in PROMPTS.items()}
    assert said["unconditional"] == "" and said["label"] == f"a photo of a {sample.facts['object']}"
    assert len(set(said.values())) == len(PROMPTS)
    assert isinstance(people, Worded) and isinstance(people.samples, People)
    assert people.objects == people.samples.names and people.seed == 3
    assert open_data("people:test,objects=6,images=1")[0].facts["triplets"].shape == sample.facts["triplets"].shape


def test_things_and_plain_categories_are_worded_too(twin) -> None:
    """Names of a published data set without reading its pictures; categories where there are no objects."""
    assert "things" in TWINS
    things = open_data(f"worded:@things:{twin('things')}")
    labels = {things[i].facts["label"] for i in range(3)}
    assert all(not any(letter.isdigit() or letter == "_" for letter in label) for label in labels)
    scene = open_data("worded:@menagerie:test", 12)[0]
    assert scene.facts["label"] == scene.facts["category"] != scene.facts["wrong_label"]


def test_what_cannot_be_worded_is_refused() -> None:
    """One label for all, no object at all, an option or a seed that is none."""
    with pytest.raises(InputError, match="3 of 4 objects are called 'cat'"):
        Worded(shown(["cat1", "cat2", "cat3", "dog"]))[0]
    with pytest.raises(InputError, match="no sample has a fact"):
        _ = Worded([Sample("a", PIXELS)]).objects
    with pytest.raises(UnknownName, match="speed"):
        open_data("worded:speed=1@people:test")
    with pytest.raises(InputError, match="seed of worded is a number"):
        open_data("worded:seed=x@people:test")
