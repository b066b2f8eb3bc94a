"""Keys in a project of a security team."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.organization import owned
from tests.end_to_end.shapes.life import answer, destroyed, generates, organization, project, quiet, whole
from tests.end_to_end.steps import Steps


def central_keys(folder: Path, steps: Steps) -> None:
    """Keys in a ring of the campaign's own in a security team's project, which is a member of the perimeter."""
    keys = "security-keys"
    with organization(folder) as made:
        number = project(made, keys, "cloudkms")
        stack = made.stack(
            "prod",
            campaigns=made.campaign("spring-launch", keys={"project": keys, "hardware": True}),
            perimeter=owned("inline", otherMembers=[f"projects/{number}"]),
        )
        with steps.step("up"):
            stack.up()
            campaign = stack.outputs()["campaigns"]["spring-launch"]
            assert all(key.startswith(f"projects/{keys}/") for key in campaign["keys"].values()), campaign["keys"]
            bucket = made.call("GET", f"storage/v1/b/{campaign['bucket']}")
            assert bucket["encryption"]["defaultKmsKeyName"] == campaign["keys"]["images"]
        quiet(steps, stack)
        with steps.step("an image"):
            generates(made, stack, "spring-launch")
        with steps.step("without the security team's key no image"):
            version = made.call("GET", f"cloudkms/v1/{campaign['keys']['images']}")["primary"]["name"]
            state = f"cloudkms/v1/{version}?updateMask=state"
            made.call("PATCH", state, {"state": "DISABLED"})
            refused = answer(made, stack, "spring-launch", "A plantain behind a locked door")
            assert "images" not in refused, refused
            assert "key" in str(refused["error"]).lower(), refused
            made.call("PATCH", state, {"state": "ENABLED"})
        whole(steps, made)
        destroyed(steps, made, stack)
        with steps.step("the security team's project stays, the versions of the keys wait for their end"):
            assert made.call("GET", f"cloudresourcemanager/v1/projects/{keys}")["lifecycleState"] == "ACTIVE"
            for key in campaign["keys"].values():
                versions = made.call("GET", f"cloudkms/v1/{key}/cryptoKeyVersions")["cryptoKeyVersions"]
                assert {one["state"] for one in versions} == {"DESTROY_SCHEDULED"}
