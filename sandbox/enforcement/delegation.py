"""Chains of impersonation: each account in turn must be allowed to let the next act.

Source: https://docs.cloud.google.com/iam/docs/create-short-lived-credentials-delegated (read 2026-08): the caller needs
``iam.serviceAccounts.implicitDelegation`` on the first delegate, each delegate on the next, and the last one the
method's own permission on the target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.call import Principal
from sandbox.errors import InvalidArgument
from sandbox.hierarchy import ACCOUNTS

if TYPE_CHECKING:
    from sandbox.call import Call

DELEGATION = "iam.serviceAccounts.implicitDelegation"


def last_delegate(call: Call) -> Principal:
    """Who asks for the target's credential: the last delegate, or the caller when there is none.

    Raises:
        InvalidArgument: a delegate is no service account's name.
        PermissionDenied: a link of the chain is missing.
    """
    principal = call.principal
    for name in call.body.get("delegates", []) if call.method.service == "iamcredentials" else ():
        account = call.cloud.hierarchy.canonical(str(name))
        document = call.cloud.store.get(ACCOUNTS, account)
        if document is None:
            raise InvalidArgument(
                f"Invalid delegate {name!r}: projects/-/serviceAccounts/EMAIL of an existing account."
            )
        call.cloud.permissions.require(principal, DELEGATION, "iam", account)
        principal = Principal(f"serviceAccount:{document['email']}", (*principal.delegates, principal.member))
    return principal
