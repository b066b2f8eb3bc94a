"""What a shell needs so that unchanged Google clients talk to the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.call import Origin, Principal
from sandbox.services.openidconnect import APPLICATION_DEFAULT_CLIENT

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

YEAR_SECONDS = 365 * 24 * 3600

#: Must not be set beside ours: each of them would send a client somewhere else, or as somebody else.
CLEARED = (
    "GOOGLE_CREDENTIALS",
    "GOOGLE_CLOUD_KEYFILE_JSON",
    "GCLOUD_KEYFILE_JSON",
    "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
    "GOOGLE_BILLING_PROJECT",
    "USER_PROJECT_OVERRIDE",
    "GOOGLE_API_USE_CLIENT_CERTIFICATE",
    "http_proxy",
    "https_proxy",
    "HTTP_PROXY",
    "ALL_PROXY",
    "all_proxy",
    "no_proxy",
)


def client_environment(cloud: Cloud, *, member: str | None = None, origin: Origin | None = None) -> dict[str, str]:
    """Variables by name. Of the general proxy variables only the upper-case ones are set, which gRPC's C core ignores.

    It has its own pair instead, so that nothing that talks gRPC on loopback, as Pulumi does, is sent to the proxy.

    Args:
        cloud: the running sandbox.
        member: whose application-default credentials; the administrator's by default.
        origin: where the client stands; outside of every network by default.
    """
    member = member or cloud.settings.administrator
    folder = cloud.settings.data.resolve() / "clients" / member.partition(":")[2]
    certificate = str(cloud.gateway.authority.certificate_path.resolve())
    credentials = cloud.gateway.admit(origin) if origin else ""
    token = cloud.tokens.access_token(Principal(member), YEAR_SECONDS)
    return {
        "GOOGLE_APPLICATION_CREDENTIALS": str(write_credentials(folder, token)),
        "CLOUDSDK_CONFIG": str(folder),
        "CLOUDSDK_AUTH_ACCESS_TOKEN": token,
        "HTTPS_PROXY": cloud.gateway.proxy_url(credentials),
        "NO_PROXY": "127.0.0.1,localhost,::1",
        "grpc_proxy": cloud.gateway.proxy_url(credentials),
        "no_grpc_proxy": "127.0.0.1,localhost,::1",
        "SSL_CERT_FILE": certificate,
        "REQUESTS_CA_BUNDLE": certificate,
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": certificate,
        "HTTPLIB2_CA_CERTS": certificate,
        "NODE_EXTRA_CA_CERTS": certificate,
    }


def write_credentials(folder: Path, refresh_token: str) -> Path:
    """An application-default credentials file, readable by its owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "application_default_credentials.json"
    path.touch(mode=0o600)
    document = {
        "type": "authorized_user",
        "client_id": APPLICATION_DEFAULT_CLIENT,
        "client_secret": "sandbox",
        "refresh_token": refresh_token,
    }
    path.write_text(json.dumps(document))
    return path
