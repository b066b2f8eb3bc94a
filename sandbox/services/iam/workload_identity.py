"""Workload identity pools and their providers: whose tokens from elsewhere are believed, and how far.

Source: https://docs.cloud.google.com/iam/docs/workload-identity-federation (read 2026-08).
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from sandbox.call import Call
from sandbox.enforcement.constraints import admits_any
from sandbox.enforcement.expressions import ExpressionError, compiled
from sandbox.errors import FailedPrecondition, InvalidArgument, NotFound
from sandbox.resources import Resource

Document = dict[str, Any]

POOLS = "iam.workloadIdentityPools"
PROVIDERS = "iam.providers"
ISSUERS = "iam.workloadIdentityPoolProviders"

ID = re.compile(r"[a-z0-9-]{4,32}")
ATTRIBUTE = re.compile(
    r"google\.(subject|groups|display_name|profile_photo|posix_username)|attribute\.[a-z0-9_]{1,100}"
)
KEPT_DAYS = 30
KINDS = ("aws", "oidc", "saml", "x509")


class Federated(Resource):
    """What pools and providers share: numbered names, deletion that can be taken back for 30 days."""

    unnamed = True
    package = "google.iam.v1"

    def view(self, call: Call, document: Document) -> Document:
        """Names carry the project's number."""
        shown = super().view(call, document)
        return {**shown, "name": call.cloud.hierarchy.numbered(shown["name"])}

    def operation_name(self, call: Call, name: str) -> str:
        """Operations lie below what they change."""
        number = call.cloud.identifiers.number
        claimed = call.cloud.operations.slots.claim(f"iam/{name}", name, lambda: number("operations", 24))
        return f"{call.cloud.hierarchy.numbered(name)}/operations/{claimed}"

    def new_name(self, call: Call) -> str:
        """An id that Google takes.

        Raises:
            InvalidArgument: it breaks the rules.
        """
        name = super().new_name(call)
        chosen = name.rpartition("/")[2]
        if not ID.fullmatch(chosen) or chosen.startswith("gcp-"):
            raise InvalidArgument(
                f"Invalid id {chosen!r}: 4 to 32 lower-case letters, digits and hyphens, not starting with gcp-."
            )
        return name

    def prepare(self, call: Call, document: Document) -> None:
        """New ones are active."""
        document["state"] = "ACTIVE"

    def select(self, call: Call, documents: list[Document]) -> list[Document]:
        """Deleted ones on demand."""
        if call.query.get("showDeleted") == "true":
            return documents
        return [document for document in documents if document["state"] != "DELETED"]

    def delete(self, call: Call) -> Document | Any:
        """Soft: the name stays taken for 30 days."""
        document = self.read(call)
        if document["state"] == "DELETED":
            raise self.missing(call)
        expiry = call.cloud.clock.now() + timedelta(days=KEPT_DAYS)
        document |= {"state": "DELETED", "expireTime": expiry.strftime("%Y-%m-%dT%H:%M:%SZ")}
        call.cloud.store.put(self.kind, call.name, document)
        return self.answer(call, call.name, document)


class Pool(Federated):
    """A pool."""

    kind = POOLS
    message = "WorkloadIdentityPool"


class Provider(Federated):
    """A provider of a pool."""

    kind = PROVIDERS
    message = "WorkloadIdentityPoolProvider"

    def prepare(self, call: Call, document: Document) -> None:
        """An existing pool, one issuer, a mapping that names the subject."""
        super().prepare(call, document)
        pool = call.cloud.store.get(POOLS, call.name.rpartition("/providers")[0] or call.name)
        if pool is None or pool["state"] == "DELETED":
            raise NotFound("Requested entity was not found.")
        check(call, document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """As at creation."""
        check(call, after)


def check(call: Call, provider: Document) -> None:
    """Refuse a provider that Google refuses.

    Raises:
        InvalidArgument: no issuer or several, a malformed mapping, condition or key set.
        FailedPrecondition: the organisation admits other issuers only.
    """
    if sum(kind in provider for kind in KINDS) != 1:
        raise InvalidArgument("A provider has exactly one of aws, oidc, saml, x509.")
    mapping = provider.get("attributeMapping", {})
    if "aws" not in provider and "google.subject" not in mapping:
        raise InvalidArgument("The attribute mapping must map google.subject.")
    for name, expression in {**mapping, "": provider.get("attributeCondition", "true")}.items():
        if name and not ATTRIBUTE.fullmatch(name):
            raise InvalidArgument(f"Invalid mapped attribute key: {name}.")
        try:
            compiled(expression)
        except ExpressionError as error:
            raise InvalidArgument(f"Error in {name or 'the attribute condition'}: {error}") from None
    if oidc := provider.get("oidc"):
        check_issuer(call, oidc)


def check_issuer(call: Call, oidc: Document) -> None:
    """Refuse an issuer that cannot be one, or that organisation policy does not admit."""
    issuer = oidc.get("issuerUri", "")
    if not issuer.startswith("https://"):
        raise InvalidArgument("The issuer URI must be an https URL.")
    if keys := oidc.get("jwksJson"):
        try:
            json.loads(keys)["keys"]
        except (ValueError, KeyError, TypeError):
            raise InvalidArgument("oidc.jwks_json is no JSON Web Key Set.") from None
    if call.project and not admits_any(call.cloud, call.project, ISSUERS, {issuer}):
        raise FailedPrecondition(f"Org Policy violated for value: '{issuer}'.")


def undelete(call: Call) -> Document | Any:
    """Take a deletion back."""
    resource = Pool() if call.method.collection == "workloadIdentityPools" else Provider()
    document = resource.read(call)
    if document["state"] != "DELETED":
        raise FailedPrecondition("The resource is not deleted.")
    document["state"] = "ACTIVE"
    del document["expireTime"]
    call.cloud.store.put(resource.kind, call.name, document)
    return resource.answer(call, call.name, document)


def attestation_rules(call: Call) -> Document:
    """Which of Google Cloud's own resources may attest to be of a pool; only managed pools have any."""
    pool = Pool().read(call)
    rules = pool.get("_attestationRules", [])
    return {"attestationRules": rules} if rules else {}


def set_attestation_rules(call: Call) -> Document | Any:
    """Replace all of them."""
    pool = {**Pool().read(call), "_attestationRules": call.body.get("attestationRules", [])}
    call.cloud.store.put(POOLS, call.name, pool)
    return Pool().answer(call, call.name, pool)


HANDLERS = {
    f"{POOLS}.undelete": undelete,
    f"{POOLS}.listAttestationRules": attestation_rules,
    f"{POOLS}.setAttestationRules": set_attestation_rules,
    f"{PROVIDERS}.undelete": undelete,
}
