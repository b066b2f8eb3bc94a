"""Keys and rings last for ever: whoever follows in the same project and ring must not meet the names of before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
import yaml

from plantain.stack import Stack

from .keys_program import LOCATION, PROJECT, RING
from .organization import ROOT, Organization

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
