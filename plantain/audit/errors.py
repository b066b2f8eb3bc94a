"""What the audit can fail with.

AuditError                    1
├── SourceError               2   a state, an event log, a list of exceptions cannot be read
├── BundleError               2   a folder holds no evidence, or evidence of another version
├── SigningKeyError           2   the key cannot be read or cannot sign
└── EvidenceChanged          12   evidence does not verify: somebody or something changed it
"""

from __future__ import annotations

from plantain.errors import PlantainError


class AuditError(PlantainError):
    """The audit failed."""


class SourceError(AuditError):
    """A source of the audit cannot be read."""

    exit_code = 2


class BundleError(AuditError):
    """A folder holds no evidence that this version can read."""

    exit_code = 2


class SigningKeyError(AuditError):
    """The key cannot be read, or it cannot sign."""

    exit_code = 2


class EvidenceChanged(AuditError):
    """Evidence does not verify."""

    exit_code = 12
