"""`python -m denoscope`: the command line."""

import sys

from denoscope.cli import main

if __name__ == "__main__":
    sys.exit(main())
