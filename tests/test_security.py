"""What SECURITY.md claims of stores and pictures; the other claims name the tests that hold them."""

import json
import re
import struct
import zlib
from pathlib import Path

import pytest

import denoscope as ds
from denoscope.core.errors import DenoscopeError, StoreError, UnknownName
from denoscope.core.recipe import Origin
from denoscope.core.report import Report
from denoscope.extract import extract
from denoscope.store import Store
from denoscope.store.version import STORE
from fakes import FakeModel, Pictures

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_claim_names_a_test_that_exists() -> None:
    """Each row of the table ends with files of tests, or with the words for the row above."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what |")]
    held = [row.rstrip("| ").rsplit("|", 1)[1].strip() for row in rows]
    assert len(held) >= 10 and all(held)
    for text in held:
        paths = re.findall(r"`(tests/[^`]+)`", text)
        assert paths or text == "the same"
        assert all((ROOT / path).exists() for path in paths)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store of four samples with a report, and a secret beside it."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "report.json").write_text('{"task": "secret"}')
    extract(FakeModel(), Pictures(4), "mid", 50, out=tmp_path / "store", progress=False)
    return tmp_path / "store"


@pytest.mark.parametrize("name", ["../../secret", "..", "/etc/passwd", "."])
def test_a_reports_name_leads_nowhere_else(folder: Path, name: str) -> None:
    """Only names that the folder of reports holds are opened."""
    with pytest.raises(UnknownName):
        Store(folder).report(name)


@pytest.mark.parametrize("file", ["../../secret/report.json", "/etc/passwd", "..", "sub/x.svg"])
def test_a_reports_figures_lie_beside_it(tmp_path: Path, file: str) -> None:
    """A report that names a file elsewhere as its figure would show it to whoever opens the page; it is refused."""
    report = Report("norms", {}, (), {"recipe": "1"}, Origin.now(0.0), figures={"curve": b"<svg></svg>"})
    told = json.loads((report.save(tmp_path) / "report.json").read_text())
    assert Report.load(tmp_path).figures == report.figures
    (tmp_path / "report.json").write_text(json.dumps(told | {"figures": {"curve": file}}))
    with pytest.raises(StoreError, match="outside of its folder"):
        Report.load(tmp_path)


def test_newer_reports_are_refused(tmp_path: Path) -> None:
    """In a line; one without a version is of the first."""
    report = Report("norms", {}, (), {"recipe": "1"}, Origin.now(0.0))
    told = json.loads((report.save(tmp_path) / "report.json").read_text())
    assert told.pop("format") == 1
    (tmp_path / "report.json").write_text(json.dumps(told))
    assert Report.load(tmp_path).task == "norms"
    (tmp_path / "report.json").write_text(json.dumps(told | {"format": 2}))
    with pytest.raises(StoreError, match="format version 2; this denoscope reads version 1"):
        Report.load(tmp_path)


def test_an_index_cannot_point_out_of_its_folder(folder: Path) -> None:
    """Shards are those that the folder holds; a name that the index tells is looked up among them."""
    import pyarrow.parquet as parquet

    (path,) = folder.glob("*/index.parquet")
    (shard,) = folder.glob("*/shards/*.safetensors")
    outside = folder.parent / "outside.safetensors"
    outside.write_bytes(shard.read_bytes())
    table = parquet.read_table(path)
    names = [f"../../../{outside.stem}"] * len(table)
    column = table.schema.get_field_index("shard")
    parquet.write_table(table.set_column(column, "shard", [names]).replace_schema_metadata(table.schema.metadata), path)
    with pytest.raises(StoreError, match="lacks"):
        Store(folder).get("mid")


def test_a_recipe_elsewhere_is_not_this_one(folder: Path) -> None:
    """A folder under another name than its recipe's digest is refused."""
    (recipe,) = folder.glob("*/recipe.json")
    recipe.parent.rename(folder / ("0" * 16))
    with pytest.raises(StoreError, match="its address"):
        _ = Store(folder).recipes


@pytest.mark.parametrize("length", [1 << 62, (1 << 63) - 1, 10**6])
def test_a_header_may_lie_about_its_length(folder: Path, length: int) -> None:
    """One line, without asking for that much memory."""
    (shard,) = folder.glob("*/shards/*.safetensors")
    shard.write_bytes(struct.pack("<Q", length) + shard.read_bytes()[8:])
    with pytest.raises(StoreError, match="damaged or was changed"):
        Store(folder, verify=False).get("mid")


def test_a_tensor_may_lie_about_its_place(folder: Path) -> None:
    """Offsets beyond the file are no reading beyond it."""
    (shard,) = folder.glob("*/shards/*.safetensors")
    raw = shard.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + length])
    key = next(name for name in header if name != "__metadata__")
    start, end = header[key]["data_offsets"]
    header[key]["data_offsets"] = [start + (1 << 40), end + (1 << 40)]
    text = json.dumps(header).encode()
    shard.write_bytes(len(text).to_bytes(8, "little") + text + raw[8 + length :])
    with pytest.raises(StoreError):
        Store(folder, verify=False).get("mid")


def test_the_version_is_read_and_nothing_else(folder: Path) -> None:
    """A file of another shape is a line."""
    for text in ("null", "[2]", '{"version": [2]}', '{"version": true}', "\x00"):
        (folder / STORE).write_text(text)
        with pytest.raises(StoreError) as told:
            Store(folder)
        assert "\n" not in str(told.value)


def test_a_decompression_bomb_in_a_folder_is_skipped(tmp_path: Path) -> None:
    """By its header: a picture of 60,000 x 60,000 pixels in a hundred bytes is listed, and the others are read."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    body = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "bomb.png").write_bytes(body + b"\x00\x00\x00\x00IEND\xaeB`\x82")
    from PIL import Image

    Image.new("RGB", (16, 16)).save(tmp_path / "good.png")
    found = ds.open_data(tmp_path)
    good, broken = [], []
    for index in range(len(found)):
        try:
            good.append(found[index].id)
        except DenoscopeError as error:
            broken.append(str(error))
    skipped = [*broken, *getattr(found, "skipped", {})]
    assert good == ["good.png"] and len(skipped) == 1 and "bomb" in skipped[0]
