"""`python -m seqdata.sandbox`: serve a sandbox of the default parameters."""

from __future__ import annotations

import sys

from seqdata.sandbox.box import serve

if __name__ == "__main__":
    sys.exit(serve())
