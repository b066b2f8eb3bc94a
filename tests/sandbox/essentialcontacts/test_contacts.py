from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import ORGANIZATION, Caller

Document = dict[str, Any]
CONTACT = {"email": "sec@example.com", "languageTag": "en", "notificationCategorySubscriptions": ["SECURITY"]}


def test_a_contact_is_valid_and_named_by_number(admin: Caller, cloud: Any, project: str) -> None:
    made = admin("POST", f"/essentialcontacts/v1/projects/{project}/contacts", CONTACT)[1]
    assert made["name"].startswith(f"projects/{cloud.hierarchy.project_number(project)}/contacts/")
    assert made["validationState"] == "VALID"
    assert admin("GET", f"/essentialcontacts/v1/{made['name']}")[1] == made


def test_a_new_address_is_ignored_and_new_categories_are_kept(admin: Caller, project: str) -> None:
    made = admin("POST", f"/essentialcontacts/v1/projects/{project}/contacts", CONTACT)[1]
    body = {"email": "new@example.com", "notificationCategorySubscriptions": ["ALL"]}
    changed = admin("PATCH", f"/essentialcontacts/v1/{made['name']}", body)[1]
    assert (changed["email"], changed["notificationCategorySubscriptions"]) == ("sec@example.com", ["ALL"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": "nobody"}, 400),
        ({"notificationCategorySubscriptions": []}, 400),
        ({"languageTag": ""}, 400),
        ({}, 409),
    ],
)
def test_what_cannot_be_a_contact_is_refused(admin: Caller, project: str, change: Document, code: int) -> None:
    path = f"/essentialcontacts/v1/projects/{project}/contacts"
    assert admin("POST", path, CONTACT)[0] == 200
    assert admin("POST", path, {**CONTACT, **change})[0] == code


def test_contacts_of_a_category_include_those_above(admin: Caller, project: str) -> None:
    admin("POST", f"/essentialcontacts/v1/projects/{project}/contacts", CONTACT)
    above = {**CONTACT, "email": "all@example.com", "notificationCategorySubscriptions": ["ALL"]}
    admin("POST", f"/essentialcontacts/v1/{ORGANIZATION}/contacts", above)
    path = f"/essentialcontacts/v1/projects/{project}/contacts:compute"
    for category, expected in (("SECURITY", ["sec@example.com", "all@example.com"]), ("BILLING", ["all@example.com"])):
        found = admin("GET", path, params={"notificationCategories": category})[1]["contacts"]
        assert [contact["email"] for contact in found] == expected
    test = {"contacts": [f"{ORGANIZATION}/contacts/99"], "notificationCategory": "ALL"}
    assert admin("POST", f"/essentialcontacts/v1/{ORGANIZATION}/contacts:sendTestMessage", test)[0] == 404
