"""Refusals of the API."""

from __future__ import annotations


class ApiError(Exception):
    """A request is refused: with a status, a code and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class NotOffered(Exception):
    """The address, or the method at it, is none of the API: 404 in plain text."""


def denied(message: str = "The key does not permit this.") -> ApiError:
    """Say that a key may not do something."""
    return ApiError(403, "ACCESS_DENIED", message)


def invalid(message: str) -> ApiError:
    """Say that a request is not in order."""
    return ApiError(400, "INVALID_PARAMETERS", message)


def missing(what: str) -> ApiError:
    """Say that there is no account, transfer, rule or execution of an id."""
    return ApiError(404, f"{what}_NOT_FOUND", f"{what.replace('_', ' ').capitalize()} not found.")
