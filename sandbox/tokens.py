"""Access tokens and identity tokens of the sandbox: signed here, meaningless anywhere else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.call import Principal
from sandbox.clock import Clock
from sandbox.store import Store

PREFIX = "ya29.sandbox."
KEYS = "sandbox.keys"


def encode(data: bytes) -> str:
    """URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The reverse of ``encode``; raises ``ValueError`` on anything else."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Tokens:
    """Issues and verifies tokens.

    One RSA key per service account signs blobs and JWTs, made when first needed and kept in the store.
    """

    store: Store
    clock: Clock
    secret: bytes
    administrator: str
    administrator_token: str
    _keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)

    def access_token(self, principal: Principal, lifetime: int) -> str:
        """An opaque bearer token for ``lifetime`` seconds."""
        claims = {
            "sub": principal.member,
            "via": list(principal.delegates),
            **({"ids": list(principal.identities)} if principal.identities else {}),
            "exp": int(self.clock.now().timestamp()) + lifetime,
        }
        payload = encode(json.dumps(claims).encode())
        return f"{PREFIX}{payload}.{encode(self._mac(payload))}"

    def principal(self, token: str) -> Principal | None:
        """Whose token it is; None for an unknown, forged or expired one."""
        if hmac.compare_digest(token.encode(), self.administrator_token.encode()):
            return Principal(self.administrator)
        if token.startswith(PREFIX):
            payload, _, mac = token.removeprefix(PREFIX).partition(".")
            try:
                if not hmac.compare_digest(decode(mac), self._mac(payload)):
                    return None
                claims = json.loads(decode(payload))
            except ValueError:
                return None
            return self._unexpired(claims)
        if token.count(".") == 2:  # noqa: PLR2004 -- header, claims, signature
            claims = self.verify(token)
            return self._unexpired({**claims, "sub": self._subject(claims)}) if claims else None
        return None

    def _unexpired(self, claims: dict[str, Any]) -> Principal | None:
        if claims["exp"] <= self.clock.now().timestamp():
            return None
        return Principal(claims["sub"], tuple(claims.get("via", ())), tuple(claims.get("ids", ())))

    @staticmethod
    def _subject(claims: dict[str, Any]) -> str:
        address = claims.get("email", claims.get("sub", ""))
        kind = "serviceAccount" if address.endswith("gserviceaccount.com") else "user"
        return f"{kind}:{address}"

    def _mac(self, payload: str) -> bytes:
        return hmac.new(self.secret, payload.encode(), hashlib.sha256).digest()

    def key(self, email: str) -> rsa.RSAPrivateKey:
        """The account's Google-managed signing key."""
        if email not in self._keys:
            self._keys[email] = self._load(email)
        return self._keys[email]

    def _load(self, email: str) -> rsa.RSAPrivateKey:
        stored = self.store.get(KEYS, email)
        if stored is None:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            pem = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            self.store.put(KEYS, email, {"pem": pem.decode()})
            return key
        loaded = serialization.load_pem_private_key(stored["pem"].encode(), None)
        if not isinstance(loaded, rsa.RSAPrivateKey):
            raise TypeError(f"The stored key of {email} is no RSA key: delete the sandbox's data folder.")
        return loaded

    def forget_keys(self) -> None:
        """Drop the loaded keys: the store no longer holds them."""
        self._keys.clear()

    def key_id(self, email: str) -> str:
        """The key's id, as ``keyId`` of signBlob and ``kid`` of a JWT."""
        public = self.key(email).public_key()
        data = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha1(data, usedforsecurity=False).hexdigest()

    def sign(self, email: str, data: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256, as signBlob."""
        return self.key(email).sign(data, padding.PKCS1v15(), hashes.SHA256())

    def verified(self, email: str, data: bytes, signature: bytes) -> bool:
        """Whether the account's key made the signature."""
        if email not in self._keys and self.store.get(KEYS, email) is None:
            return False
        try:
            self.key(email).public_key().verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        except Exception:  # noqa: BLE001 -- cryptography raises InvalidSignature or ValueError; both mean no
            return False
        return True

    def jwt(self, email: str, claims: dict[str, Any]) -> str:
        """A JWT signed by the account's key."""
        header = {"alg": "RS256", "kid": self.key_id(email), "typ": "JWT"}
        text = f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}"
        return f"{text}.{encode(self.sign(email, text.encode()))}"

    def identity_token(self, principal: Principal, audience: str, lifetime: int) -> str:
        """An OpenID Connect identity token, as the metadata server gives."""
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": "https://accounts.google.com",
            "aud": audience,
            "azp": principal.email,
            "sub": principal.email,
            "email": principal.email,
            "email_verified": True,
            "iat": now,
            "exp": now + lifetime,
        }
        return self.jwt(self.issuer, claims)

    @cached_property
    def issuer(self) -> str:
        """The name under which the sandbox's own signing key is kept."""
        return "accounts.google.com"

    def verify(self, token: str, issuer: str = "") -> dict[str, Any] | None:
        """The claims of a token that this sandbox signed, in its own name or in that of another issuer."""
        text, _, signature = token.rpartition(".")
        try:
            if not self.verified(issuer or self.issuer, text.encode(), decode(signature)):
                return None
            claims = json.loads(decode(text.partition(".")[2]))
        except ValueError:
            return None
        return claims if isinstance(claims, dict) else None
