"""Site names: one grammar, peers' spellings, globs that stay within their part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denoscope.core.errors import UnknownName
from denoscope.core.frame import Grid
from denoscope.core.site import Site, SiteInfo, alias, select

PATHS = {
    "in": "conv_in",
    "down.0.res.0": "down_blocks.0.resnets.0",
    "down.0.attn.0": "down_blocks.0.attentions.0",
    "down.0": "down_blocks.0",
    "mid.res.0": "mid_block.resnets.0",
    "mid": "mid_block",
    "up.0": "up_blocks.0",
    "up.1.res.1": "up_blocks.1.resnets.1",
    "up.1.attn.2": "up_blocks.1.attentions.2",
    "up.1.us": "up_blocks.1.upsamplers.0",
    "up.1": "up_blocks.1",
    "out": "conv_out",
}
SITES = [
    SiteInfo(Site(name, path), (8, 4, 4), Grid(4, 4, 16.0), (i + 1) / len(PATHS))
    for i, (name, path) in enumerate(PATHS.items())
]
parts = st.sampled_from(["up", "down", "mid", "0", "1", "12", "attn", "cross", "q", "map", "txt", "img", "dit"])


def names(found: list[Site]) -> list[str]:
    """Names in order."""
    return [site.name for site in found]


@given(st.lists(parts, min_size=1, max_size=6).map(".".join))
def test_a_site_round_trips_through_its_name(name: str) -> None:
    """Parsing what a site prints gives an equal site with an equal hash, whatever its path."""
    site = Site(name, "some.path")
    assert Site.parse(str(site)) == Site.parse(str(Site.parse(str(site))))
    assert Site(name) == site and hash(Site(name)) == hash(site)


@pytest.mark.parametrize(
    "name,stream",
    [
        ("up.1", "image"), ("up.1.attn.0.blk.0.cross.q", "query"), ("up.1.attn.0.blk.0.self.k", "key"),
        ("dit.d.3.txt", "text"), ("dit.d.3.txt.v", "value"), ("dit.d.3.map.it", "attention"),
        ("dit.s.2.img.mlp", "image"),
    ],
)  # fmt: skip
def test_streams_are_read_off_the_name(name: str, stream: str) -> None:
    """The last part of the name that tells a stream wins."""
    assert Site(name).stream == stream


@pytest.mark.parametrize(
    "peer,ours",
    [
        ("h", "mid"), ("h-space", "mid"), ("mid_block", "mid"), ("m", "mid"), ("conv_in", "in"), ("conv_out", "out"),
        ("up_blocks[1]", "up.1"), ("down_blocks.0", "down.0"), ("u1", "up.1"), ("u1.r1", "up.1.res.1"),
        ("d0.a1", "down.0.attn.1"), ("m.r0", "mid.res.0"), ("m.a0", "mid.attn.0"), ("u1.up", "up.1.us"),
        ("d0.down", "down.0.ds"), ("dift:1", "up.1"), ("us6", "up.1"), ("us3", "up.0"), ("us4", "up.1.attn.0"),
        ("output_blocks.5", "up.1"), ("output_blocks[3]", "up.1.attn.0"), ("output_blocks.0", "up.0.res.0"),
        ("up.1.attn.2", "up.1.attn.2"), (" mid ", "mid"), ("up", "up"), ("us", "us"),
    ],
)  # fmt: skip
def test_peers_names(peer: str, ours: str) -> None:
    """sdhelper's, DIFT's, CleanDIFT's and CompVis' names mean what they mean there; canonical ones pass."""
    assert alias(peer) == ours
    assert alias(alias(peer)) == alias(peer)


@pytest.mark.parametrize(
    "pattern,expected",
    [
        ("up.*", ["up.0", "up.1"]),
        ("up.**", ["up.0", "up.1.res.1", "up.1.attn.2", "up.1.us", "up.1"]),
        ("**.res.*", ["down.0.res.0", "mid.res.0", "up.1.res.1"]),
        ("up.1.*", ["up.1.us"]),
        ("*", ["in", "mid", "out"]),
        ("up.[01]", ["up.0", "up.1"]),
        ("up_blocks[1].resnets[1]", ["up.1.res.1"]),
        ("up_blocks.1.attentions.2", ["up.1.attn.2"]),
        ("depth@1.0", ["up.1"]),
        ("depth@0.0", ["down.0"]),
        (["up.1", "mid", "h", "up.1"], ["mid", "up.1"]),
        (Site("up.1"), ["up.1"]),
    ],
    ids=str,
)
def test_select(pattern: str | list[str] | Site, expected: list[str]) -> None:
    """Names, globs, paths, depths and lists of them resolve in the model's order, each site once."""
    assert names(select(pattern, SITES)) == expected


def test_selected_sites_carry_their_path() -> None:
    """What is selected knows where it lies in the denoiser."""
    assert select("h", SITES)[0].path == "mid_block"


@pytest.mark.parametrize(
    "pattern", ["up.7", "down_blocks[9]", "nothing.*", "depth@deep", "depth@nan", "__import__('os')"]
)
def test_unknown_sites(pattern: str) -> None:
    """What means no site is answered in one line with near names, and never evaluated."""
    with pytest.raises(UnknownName) as caught:
        select(pattern, SITES)
    assert "\n" not in str(caught.value)
    if pattern == "up.7":
        assert "up.0" in str(caught.value) or "up.1" in str(caught.value)


def test_depth_without_blocks_is_told() -> None:
    """A depth in a model that has no block says so instead of failing inside."""
    with pytest.raises(UnknownName):
        select("depth@0.5", SITES[:2])


def test_facts_of_a_site() -> None:
    """Stride and channels follow from shape and grid."""
    info = SITES[0]
    assert (info.name, info.stride, info.channels) == ("in", 16.0, 8)
    assert SiteInfo(Site("x"), (77, 32), None, 0.0).stride is None
    assert SiteInfo(Site("x"), (77, 32), None, 0.0).channels == 32


def test_all_is_no_site_but_tells_how_to_say_it() -> None:
    """Tasks take the word for all that is stored; of a model it would be hundreds."""
    with pytest.raises(UnknownName, match=r"'\*\*' is every one"):
        select("all", SITES)
    assert len(select("**", SITES)) == len(SITES)
