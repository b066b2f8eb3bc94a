"""Service accounts."""

from __future__ import annotations

import re
from typing import Any

from sandbox.call import Call
from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.fields import mask_paths
from sandbox.hierarchy import ACCOUNTS
from sandbox.resources import Resource

Document = dict[str, Any]
ACCOUNT_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
ETAG = "MDEwMjE5MjA="


class ServiceAccount(Resource):
    """An account by e-mail."""

    kind = ACCOUNTS

    def new_name(self, call: Call) -> str:
        """``accountId`` and the project make the e-mail.

        Raises:
            InvalidArgument: the id breaks the rules.
        """
        account_id = call.body.get("accountId", "")
        if not ACCOUNT_ID.fullmatch(account_id):
            raise InvalidArgument(
                f"The account ID {account_id!r} does not have a valid format: 6 to 30 lower-case letters, digits and "
                "hyphens, a letter first."
            )
        return f"projects/{call.project}/serviceAccounts/{account_id}@{call.project}.iam.gserviceaccount.com"

    def accept(self, call: Call) -> Document:
        """The wrapped account."""
        wrapped = call.body.get("serviceAccount", {})
        return {key: wrapped[key] for key in ("displayName", "description") if wrapped.get(key)}

    def prepare(self, call: Call, document: Document) -> None:
        """Fill what Google generates."""
        email = document["name"].rpartition("/")[2]
        document |= {
            "projectId": call.project,
            "uniqueId": call.cloud.identifiers.number("uniqueId", 21),
            "email": email,
            "etag": ETAG,
            "oauth2ClientId": call.cloud.identifiers.number("uniqueId", 21),
        }

    def touch(self, call: Call, document: Document) -> None:
        """The etag of an account does not change in answers."""

    def read(self, call: Call) -> Document:
        """The account, unless it is too new to be seen."""
        document = super().read(call)
        if call.cloud.consistency.hides_identity(document["email"]):
            raise self.missing(call)
        return document

    def created(self, call: Call, document: Document) -> None:
        """From now on it may be seen, or later if the sandbox was told so."""
        call.cloud.consistency.made_identity(document["email"])

    def patch(self, call: Call) -> Document:
        """Body and mask are wrapped; the mask is snake case."""
        document = self.read(call)
        wrapped = call.body.get("serviceAccount", {})
        for path in mask_paths(call.body.get("updateMask", "")):
            if path in {"displayName", "description"}:
                document.pop(path, None)
                if wrapped.get(path):
                    document[path] = wrapped[path]
        call.cloud.store.put(self.kind, call.name, document)
        return self.view(call, document)

    def update(self, call: Call) -> Document:
        """PUT: the display name only."""
        document = self.read(call)
        document["displayName"] = call.body.get("displayName", "")
        call.cloud.store.put(self.kind, call.name, document)
        return self.view(call, document)

    def deleting(self, call: Call, document: Document) -> None:
        """Keep it for undelete, take its keys."""
        call.cloud.store.put("iam.deletedServiceAccounts", document["uniqueId"], document)
        call.cloud.store.delete_below(document["name"])

    def missing(self, call: Call) -> NotFound:
        """Google's wording."""
        return NotFound("Unknown service account")

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Google's wording."""
        account_id = name.rpartition("/")[2].partition("@")[0]
        return AlreadyExists(f"Service account {account_id} already exists within project projects/{call.project}.")


def set_disabled(call: Call, *, disabled: bool) -> Document:
    """Enable or disable."""
    account = ServiceAccount()
    document = account.read(call)
    document.pop("disabled", None)
    if disabled:
        document["disabled"] = True
    call.cloud.store.put(ACCOUNTS, call.name, document)
    return {}


def enable(call: Call) -> Document:
    """Let the account authenticate again."""
    return set_disabled(call, disabled=False)


def disable(call: Call) -> Document:
    """Refuse the account's tokens."""
    return set_disabled(call, disabled=True)


def undelete(call: Call) -> Document:
    """Restore by unique id."""
    unique = call.name.rpartition("/")[2]
    document = call.cloud.store.get("iam.deletedServiceAccounts", unique)
    if document is None:
        raise NotFound("Unknown service account")
    call.cloud.store.delete("iam.deletedServiceAccounts", unique)
    call.cloud.store.put(ACCOUNTS, document["name"], document)
    return {"restoredAccount": document}


HANDLERS = {
    "iam.serviceAccounts.enable": enable,
    "iam.serviceAccounts.disable": disable,
    "iam.serviceAccounts.undelete": undelete,
}
