"""`denoscope demo` and the little server behind it."""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from denoscope.cli.output import say
from denoscope.core.errors import InputError

__all__ = ["demo"]


def demo(*, out: Path = Path("runs/demo"), serve: bool = sys.stdout.isatty(), port: int = 8765) -> None:
    """Read photographs and generated scenes with the embedded model: a store, a report and similarity maps.

    Args:
        out: folder for the results.
        serve: show the results in a browser afterwards, on this machine only; on by default in a terminal.
        port: TCP port to serve on.
    """
    from denoscope.demo import run_demo

    for line in run_demo(out, say):
        say(line)
    if serve:
        _serve(out, port)


class _Quiet(SimpleHTTPRequestHandler):
    """A file server that does not log."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _serve(folder: Path, port: int) -> None:
    """Serve a folder on this machine until interrupted."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(folder)))
    except OSError as error:
        raise InputError(f"cannot serve on port {port}: {error.strerror}; choose another with --port") from None
    with server:
        say(f"serving http://127.0.0.1:{port}/maps.html (Ctrl-C ends)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("")
