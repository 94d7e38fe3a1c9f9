"""A local Sequence to practise and test on: a deterministic household over real HTTP.

`Sandbox` is imported when it is first asked for, since it needs the packages of the extra
named sandbox.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqdata.sandbox.box import Sandbox, serve

__all__ = ["Sandbox", "serve"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from seqdata.sandbox import box

        return getattr(box, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
