"""The command line: one command per verb, made from the fields of a function or dataclass."""

import os
import sys
from collections.abc import Sequence

from denoscope.core.errors import DenoscopeError

__all__ = ["main"]

BAD_INPUT = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is returned.

    Bad input ends in one line on stderr and status 2, an interrupt in one line and status 130. Everything else
    that goes wrong is a defect of ours and keeps its traceback.
    """
    # Before torch starts its threads: waiting threads that spin make a busy machine several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from denoscope.cli.app import run
    from denoscope.cli.output import complain

    try:
        run(arguments)
    except DenoscopeError as error:
        complain(str(error))
        return BAD_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return BAD_INPUT
    except KeyboardInterrupt:
        complain("interrupted; what was written before is kept, and the same command goes on from there")
        return INTERRUPTED
    return 0
