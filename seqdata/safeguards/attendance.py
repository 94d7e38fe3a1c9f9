"""Is somebody there to answer? A transfer at a real service wants to know."""

from __future__ import annotations

import sys
from typing import Any


def is_attended() -> bool:
    """Tell whether a person can answer here; where that cannot be found out, nobody can.

    In a kernel it is what the last request said (`allow_stdin`: a runner such as nbclient
    says false); elsewhere whether standard input is a terminal.
    """
    kernel = _kernel()
    if kernel is not None:
        return getattr(kernel, "_allow_stdin", False) is True
    try:
        return sys.stdin.isatty()
    except (AttributeError, ValueError):  # none, or closed
        return False


def _kernel() -> Any:
    """Return the Jupyter kernel that this process is, or None."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None)
