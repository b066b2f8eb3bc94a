"""User-managed service account keys: what organisations forbid, and Google issues when they do not."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import load_pem_x509_certificate

from sandbox.call import Call
from sandbox.errors import InvalidArgument, NotFound
from sandbox.hierarchy import ACCOUNTS
from sandbox.resources import Resource

Document = dict[str, Any]
SECONDS = "%Y-%m-%dT%H:%M:%SZ"


class Key(Resource):
    """A key pair; the private half is shown once and not kept."""

    kind = "iam.keys"

    def generate(self, call: Call) -> str:
        """A 40-digit hexadecimal id."""
        return call.cloud.identifiers.hexadecimal("serviceAccountKeys", 40)

    def create(self, call: Call) -> Document:
        """Make a pair."""
        account_name = call.name.removesuffix("/keys")
        account = call.cloud.store.get(ACCOUNTS, account_name)
        if account is None:
            raise NotFound("Unknown service account")
        key_id = self.generate(call)
        pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = pair.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = pair.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        document = {
            "name": f"{account_name}/keys/{key_id}",
            "validAfterTime": call.cloud.clock.now().strftime(SECONDS),
            "validBeforeTime": "9999-12-31T23:59:59Z",
            "keyAlgorithm": "KEY_ALG_RSA_2048",
            "keyOrigin": "GOOGLE_PROVIDED",
            "keyType": "USER_MANAGED",
            "_publicKey": base64.b64encode(public).decode(),
        }
        call.cloud.store.put(self.kind, document["name"], document)
        file = {
            "type": "service_account",
            "project_id": call.project,
            "private_key_id": key_id,
            "private_key": private.decode(),
            "client_email": account["email"],
            "client_id": account["uniqueId"],
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": "https://oauth2.googleapis.com/token",
            "universe_domain": "googleapis.com",
        }
        return {
            **self.view(call, document),
            "privateKeyType": "TYPE_GOOGLE_CREDENTIALS_FILE",
            "privateKeyData": base64.b64encode(json.dumps(file).encode()).decode(),
        }

    def get(self, call: Call) -> Document:
        """With the public key on demand."""
        document = self.read(call)
        shown = self.view(call, document)
        if call.query.get("publicKeyType"):
            shown["publicKeyData"] = document["_publicKey"]
        return shown

    def upload(self, call: Call) -> Document:
        """Take the public half of a pair that was made elsewhere, in a certificate."""
        account_name = call.name.removesuffix("/keys")
        if call.cloud.store.get(ACCOUNTS, account_name) is None:
            raise NotFound("Unknown service account")
        try:
            certificate = load_pem_x509_certificate(base64.b64decode(call.body.get("publicKeyData", "")))
        except ValueError:
            raise InvalidArgument(
                "Invalid public key: publicKeyData must be an X.509 certificate in PEM, base64-encoded."
            ) from None
        public = certificate.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        document = {
            "name": f"{account_name}/keys/{self.generate(call)}",
            "validAfterTime": certificate.not_valid_before_utc.strftime(SECONDS),
            "validBeforeTime": certificate.not_valid_after_utc.strftime(SECONDS),
            "keyAlgorithm": "KEY_ALG_RSA_2048",
            "keyOrigin": "USER_PROVIDED",
            "keyType": "USER_MANAGED",
            "_publicKey": base64.b64encode(public).decode(),
        }
        call.cloud.store.put(self.kind, document["name"], document)
        return self.view(call, document)


def switch(call: Call) -> Document:
    """Disable a key, or enable it again; what it signs counts accordingly."""
    document = Key().read(call)
    document.pop("disabled", None)
    document.pop("disableReason", None)
    if call.method.action == "disable":
        document |= {"disabled": True, "disableReason": "SERVICE_ACCOUNT_KEY_DISABLE_REASON_USER_INITIATED"}
    call.cloud.store.put(Key.kind, document["name"], document)
    return {}


HANDLERS = {"iam.keys.upload": Key().upload, "iam.keys.disable": switch, "iam.keys.enable": switch}
