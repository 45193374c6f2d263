"""The reports that lie beside a store's activations."""

import logging
import tempfile
from hashlib import sha256
from pathlib import Path

from denoscope.core.errors import InputError, unknown
from denoscope.core.recipe import canonical
from denoscope.core.report import Report
from denoscope.store.place import Place

__all__ = ["REPORTS", "Shelf"]

log = logging.getLogger(__name__)

REPORTS = "reports"


class Shelf:
    """A folder of reports, one folder each.

    Args:
        place: the store's folder.
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the reports, sorted."""
        folders = self._place.names(REPORTS)
        return tuple(name for name in folders if self._place.exists(f"{REPORTS}/{name}/report.json"))

    def save(self, report: Report, name: str | None = None) -> str:
        """Write a report and give its name: the task and a digest of parameters and inputs unless one is given.

        On the Hub, where nothing is written, a warning says so; the report itself is still in hand.
        """
        name = name or self.name_of(report)
        if "/" in name or name.startswith("."):
            raise InputError(f"a report's name is one folder name, not {name!r}")
        if self._place.read_only:
            log.warning("%s is only read; the report is not kept there, save it to a folder of yours", self._place.url)
            return name
        if self._place.local:
            report.save(self._place.path(f"{REPORTS}/{name}"))
            return name
        with tempfile.TemporaryDirectory() as folder:
            for file in report.save(folder).iterdir():
                self._place.put(f"{REPORTS}/{name}/{file.name}", file.read_bytes())
        return name

    @staticmethod
    def name_of(report: Report) -> str:
        """The name that a report is saved under unless another is given."""
        digest = sha256(canonical([dict(report.parameters), dict(report.inputs)]).encode()).hexdigest()[:8]
        return f"{report.task}-{digest}"

    def load(self, name: str) -> Report:
        """A report by name.

        Raises:
            UnknownName: there is none of that name.
        """
        if name not in self.names:
            raise unknown("report", name, self.names, "store.reports")
        if self._place.local:
            return Report.load(self._place.path(f"{REPORTS}/{name}"))
        with tempfile.TemporaryDirectory() as folder:
            for file in self._place.names(f"{REPORTS}/{name}"):
                Path(folder, file).write_bytes(self._place.read(f"{REPORTS}/{name}/{file}"))
            return Report.load(folder)
