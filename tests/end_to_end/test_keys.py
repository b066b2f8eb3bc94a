"""Keys and rings last for ever: whoever follows in the same project and ring must not meet the names of before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
import yaml

from plantain.errors import StackError
from plantain.recovery.existing import take_over
from plantain.stack import Stack

from .keys_program import LOCATION, PROJECT, RING
from .organization import ROOT, Organization, change

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

KEYS = f"cloudkms/v1/projects/{PROJECT}/locations/{LOCATION}/keyRings/{RING}/cryptoKeys"


@pytest.fixture(scope="module")
def organization(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organization]:
    """A project with a key ring, and the small program in the place of the whole one."""
    made = Organization.make(tmp_path_factory.mktemp("keys"))
    try:
        body = {"projectId": PROJECT, "parent": {"type": "organization", "id": "123456789012"}}
        made.call("POST", "cloudresourcemanager/v1/projects", body)
        made.call("POST", f"serviceusage/v1/projects/{PROJECT}/services/cloudkms.googleapis.com:enable", {})
        made.call("POST", f"serviceusage/v1/projects/{PROJECT}/services/cloudquotas.googleapis.com:enable", {})
        made.call("POST", f"{KEYS.removesuffix(f'/{RING}/cryptoKeys')}?keyRingId={RING}", {})
        shutil.copy(ROOT / "tests" / "end_to_end" / "keys_program.py", made.project)
        (made.project / "__main__.py").write_text("from keys_program import deploy\n\ndeploy()\n")
        document = yaml.safe_load((made.project / "Pulumi.yaml").read_text())
        (made.project / "Pulumi.yaml").write_text(yaml.safe_dump({**document, "main": "."}))
        yield made
    finally:
        made.close()


def keys(organization: Organization) -> set[str]:
    """Full names of all keys of the ring, of which none can ever be deleted."""
    return {key["name"] for key in organization.call("GET", KEYS).get("cryptoKeys", [])}


def own(stack: Stack) -> set[str]:
    return set(stack.outputs()["keys"].values())


def test_a_second_campaign_and_the_first_one_anew_get_keys_of_their_own(organization: Organization) -> None:
    first, second = organization.stack("first"), organization.stack("second")
    first.up()
    first.preview(expect_no_changes=True)
    mine = own(first)
    assert len(mine) == 3
    assert keys(organization) == mine
    second.up()
    assert keys(organization) == mine | own(second)
    first.destroy()
    first.up()
    assert not own(first) & (mine | own(second))
    assert keys(organization) == mine | own(second) | own(first)


def test_a_kind_of_key_that_is_taken_back_is_refused_with_the_setting_that_names_the_keys_anew(
    organization: Organization,
) -> None:
    stack = organization.stack("third", keys={"rotationDays": 90})
    stack.up()
    change(stack, keys={"hardware": True})
    stack.up()
    in_hardware = own(stack)
    change(stack, keys={"hardware": False})
    with pytest.raises(StackError) as caught:
        stack.up()
    assert "Key Management never frees one" in str(caught.value)
    assert "suffix: b" in str(caught.value)
    change(stack, keys={"hardware": False, "suffix": "b"})
    stack.up()
    stack.preview(expect_no_changes=True)
    assert not own(stack) & in_hardware
    assert {name.rpartition("/")[2] for name in own(stack)} == {"function-b", "images-b", "logs-b"}
    assert all(f"/keyRings/{PROJECT}-b/" in name for name in own(stack))


def test_a_key_that_the_runbooks_rotate_and_take_back_from_destruction_is_no_change(organization: Organization) -> None:
    stack = organization.stack("fourth", keys={"suffix": "d"})
    stack.up()
    key = f"cloudkms/v1/{stack.outputs()['keys']['images']}"
    call = organization.call
    second = call("POST", f"{key}/cryptoKeyVersions", {})["name"].rpartition("/")[2]
    rotated = call("POST", f"{key}:updatePrimaryVersion", {"cryptoKeyVersionId": second})
    assert rotated["primary"]["name"].endswith(f"/cryptoKeyVersions/{second}")
    first = f"{key}/cryptoKeyVersions/1"
    call("PATCH", f"{first}?updateMask=state", {"state": "DISABLED"})
    stack.preview(expect_no_changes=True)
    assert call("POST", f"{first}:destroy", {})["state"] == "DESTROY_SCHEDULED"
    assert call("POST", f"{first}:restore", {})["state"] == "DISABLED"
    assert call("PATCH", f"{first}?updateMask=state", {"state": "ENABLED"})["state"] == "ENABLED"
    stack.preview(expect_no_changes=True)


def test_a_quota_that_was_asked_for_before_is_taken_over_as_the_refusal_says(organization: Organization) -> None:
    stack = organization.stack("fifth", keys={"suffix": "e"}, **{"plantain:images-a-minute": 60})
    stack.up()
    change(stack, **{"plantain:images-a-minute": None})
    stack.up()
    change(stack, **{"plantain:images-a-minute": 80})
    with pytest.raises(StackError, match="plantain recover --stack fifth"):
        stack.up()
    stack.recover()
    with stack.cloud() as cloud:
        taken = take_over(stack, cloud)
    assert [(one.name, one.refusal) for one in taken] == [("images-a-minute", "")]
    stack.up()
    stack.preview(expect_no_changes=True)
    path = f"cloudquotas/v1/projects/{PROJECT}/locations/global/quotaPreferences/images-a-minute"
    assert organization.call("GET", path)["quotaConfig"]["preferredValue"] == "80"
