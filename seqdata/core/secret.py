"""Secrets on their way through the package: shown by nothing, and written nowhere by accident.

A notebook's traceback may print every local variable and every attribute that a line names, and
it is saved with the notebook. So a token, a password or a one-time secret is sealed where it
comes in, and opened where it leaves: in the header of a request, in the file of tokens, in the
field of a page.
"""

from __future__ import annotations

from typing import Any, Generic, NoReturn, Protocol, TypeVar

T = TypeVar("T", bound=str | bytes)


class _Sealed(Generic[T]):
    """A value that no repr shows and no pickle takes along."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def get_secret_value(self) -> T:
        """Open it."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._value == self._value

    def __hash__(self) -> int:
        return hash((type(self), self._value))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __str__(self) -> str:
        return "**********" if self._value else ""

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled: it would be written down")


class Secret(_Sealed[str]):
    """Text that no repr shows and no pickle takes along."""

    __slots__ = ()


class SecretBody(_Sealed[bytes]):
    """Bytes that no repr shows and no pickle takes along."""

    __slots__ = ()


class SomebodysSecret(Protocol):
    """What a caller may seal a text in: ours, or pydantic's ``SecretStr``."""

    def get_secret_value(self) -> Any:
        """Open it."""


def sealed(value: str | SomebodysSecret) -> Secret:
    """Return a secret, from one or from plain text."""
    if isinstance(value, Secret):
        return value
    return Secret(value if isinstance(value, str) else value.get_secret_value())


def opened(value: Secret | None) -> str | None:
    """Return the plain text of a secret; None where there is none."""
    return None if value is None else value.get_secret_value()
