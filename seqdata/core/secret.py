"""Secrets on their way through the package: shown by nothing, and written nowhere by accident.

A notebook's traceback may print every local variable and every attribute that a line names, and
it is saved with the notebook. So a token, a password or a one-time secret is sealed where it
comes in, and opened where it leaves: in the header of a request, in the file of tokens, in the
field of a page.
"""

from __future__ import annotations

from typing import NoReturn

from pydantic import SecretBytes, SecretStr


class Secret(SecretStr):
    """Text that no repr shows and no pickle takes along."""

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled: it would be written down")


class SecretBody(SecretBytes):
    """Bytes that no repr shows and no pickle takes along."""

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled: it would be written down")


def sealed(value: str | SecretStr) -> Secret:
    """Return a secret, from one or from plain text."""
    if isinstance(value, Secret):
        return value
    return Secret(value.get_secret_value() if isinstance(value, SecretStr) else value)


def opened(value: SecretStr | None) -> str | None:
    """Return the plain text of a secret; None where there is none."""
    return None if value is None else value.get_secret_value()
