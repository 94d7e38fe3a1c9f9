"""``python -m seqdata``: the command line."""

from seqdata.cli import main

main()
