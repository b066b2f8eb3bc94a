"""What the short fault sweep deploys: an identity, a key, and data that only both together open."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_gcp as gcp

PROJECT = "swept-project"
LOCATION = "us-west1"


def deploy() -> None:
    """Declare everything."""
    endpoints: dict[str, str] = pulumi.Config().require_object("endpoints")
    arguments: dict[str, Any] = {f"{name}_custom_endpoint": url for name, url in endpoints.items()}
    provider = gcp.Provider("gcp", access_token="sandbox", poll_interval="100ms", **arguments)
    options = pulumi.ResourceOptions(provider=provider)
    painter = gcp.serviceaccount.Account("painter", project=PROJECT, account_id="painter", opts=options)
    gcp.projects.IAMMember(
        "painter-logs", project=PROJECT, role="roles/logging.logWriter", member=painter.member, opts=options
    )
    ring = gcp.kms.KeyRing("ring", project=PROJECT, location=LOCATION, name="ring", opts=options)
    key = gcp.kms.CryptoKey("key", key_ring=ring.id, name="key", opts=options)
    agent = gcp.storage.get_project_service_account(project=PROJECT, opts=pulumi.InvokeOptions(provider=provider))
    granted = gcp.kms.CryptoKeyIAMMember(
        "agent-key",
        crypto_key_id=key.id,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=f"serviceAccount:{agent.email_address}",
        opts=options,
    )
    bucket = gcp.storage.Bucket(
        "images",
        project=PROJECT,
        name="swept-images",
        location=LOCATION,
        uniform_bucket_level_access=True,
        encryption={"default_kms_key_name": key.id},
        opts=pulumi.ResourceOptions(provider=provider, depends_on=[granted]),
    )
    gcp.storage.BucketIAMMember(
        "painter-images", bucket=bucket.name, role="roles/storage.objectUser", member=painter.member, opts=options
    )
    topic = gcp.pubsub.Topic("made", project=PROJECT, name="made", opts=options)
    gcp.pubsub.Subscription("made", project=PROJECT, name="made", topic=topic.id, opts=options)
    secret = gcp.secretmanager.Secret("salt", project=PROJECT, secret_id="salt", replication={"auto": {}}, opts=options)
    gcp.secretmanager.SecretVersion("salt", secret=secret.id, secret_data="grain", opts=options)
