"""Failures of Cloud DNS in its own words: https://docs.cloud.google.com/dns/docs/troubleshooting (read 2026-08)."""

from __future__ import annotations

from sandbox.errors import AlreadyExists, InvalidArgument, NotFound, PreconditionFailed


def missing(what: str, name: str) -> NotFound:
    """404 for a resource; ``what`` is its parameter, as ``managedZone``."""
    return NotFound(f'{what} "{name}" not found')


def missing_entity(path: str, name: str) -> NotFound:
    """404 for a part of a request, as ``entity.change.deletions[0]``."""
    return NotFound(f"The '{path}' resource named '{name}' does not exist.")


def taken(path: str, name: str) -> AlreadyExists:
    """409 for a part of a request."""
    return AlreadyExists(f"The resource '{path}' named '{name}' already exists")


def invalid(path: str, value: object) -> InvalidArgument:
    """400 for a value."""
    return InvalidArgument(f"Invalid value for '{path}': '{value}'", reason="invalid")


def changed_meanwhile(path: str) -> PreconditionFailed:
    """412 for a deletion that does not repeat exactly what is there."""
    return PreconditionFailed(f"Precondition not met for '{path}'")


def not_empty(name: str, contents: str) -> InvalidArgument:
    """400 for a container that still holds something."""
    return InvalidArgument(
        f"The resource named '{name}' cannot be deleted because it contains one or more '{contents}'.",
        reason="containerNotEmpty",
    )
