"""Google's clients of what surrounds projects, unchanged: they make, read, list, change and delete over gRPC."""

from __future__ import annotations

import pytest
from google.api_core import exceptions

from tests.sandbox.clients.conftest import package

ORGANIZATION = "organizations/123456789012"
ACCOUNT = "billingAccounts/010101-010101-010101"


def test_projects_live_and_die(project: str, name: str) -> None:
    del project
    library = package("cloud.resourcemanager_v3")
    client = library.ProjectsClient()
    made = client.create_project(
        project=library.Project(parent=ORGANIZATION, project_id=name, display_name="spring")
    ).result(timeout=20)
    assert made.name.startswith("projects/")
    assert client.get_project(name=f"projects/{name}").display_name == "spring"
    assert [item.project_id for item in client.search_projects(query=f"projectId={name}")] == [name]
    assert name in [item.project_id for item in client.list_projects(parent=ORGANIZATION)]
    made.labels["team"] = "images"
    changed = client.update_project(project=made, update_mask={"paths": ["labels"]}).result(timeout=20)
    assert dict(changed.labels) == {"team": "images"}
    gone = client.delete_project(name=made.name).result(timeout=20)
    assert gone.state == library.Project.State.DELETE_REQUESTED
    assert client.undelete_project(name=made.name).result(timeout=20).state == library.Project.State.ACTIVE
    with pytest.raises(exceptions.AlreadyExists):
        client.create_project(project=library.Project(parent=ORGANIZATION, project_id=name)).result(timeout=20)


def test_folders_hold_projects(project: str, name: str) -> None:
    del project
    library = package("cloud.resourcemanager_v3")
    client = library.FoldersClient()
    made = client.create_folder(folder=library.Folder(parent=ORGANIZATION, display_name=name)).result(timeout=20)
    assert client.get_folder(name=made.name).display_name == name
    assert made.name in [item.name for item in client.list_folders(parent=ORGANIZATION)]
    made.display_name = f"{name}-b"
    assert client.update_folder(folder=made, update_mask={"paths": ["display_name"]}).result(timeout=20)
    client.delete_folder(name=made.name).result(timeout=20)
    with pytest.raises(exceptions.GoogleAPICallError):
        client.create_folder(folder=library.Folder(parent="folders/1", display_name=name)).result(timeout=20)


def test_organisation_policies_are_inherited(project: str) -> None:
    library = package("cloud.orgpolicy_v2")
    client, constraint = library.OrgPolicyClient(), "iam.disableServiceAccountKeyCreation"
    policy = f"projects/{project}/policies/{constraint}"
    spec = library.PolicySpec(rules=[library.PolicySpec.PolicyRule(enforce=True)])
    client.create_policy(parent=f"projects/{project}", policy=library.Policy(name=policy, spec=spec))
    assert client.get_policy(name=policy).spec.rules[0].enforce
    assert client.get_effective_policy(name=policy).spec.rules[0].enforce
    assert constraint in [item.name.rpartition("/")[2] for item in client.list_policies(parent=f"projects/{project}")]
    spec.rules[0].enforce = False
    assert not client.update_policy(policy=library.Policy(name=policy, spec=spec)).spec.rules[0].enforce
    client.delete_policy(name=policy)
    with pytest.raises(exceptions.NotFound):
        client.get_policy(name=policy)


def test_services_are_enabled_by_operations(project: str) -> None:
    library = package("cloud.service_usage_v1")
    client = library.ServiceUsageClient()
    service = f"projects/{project}/services/dns.googleapis.com"
    client.disable_service(library.DisableServiceRequest(name=service)).result(timeout=20)
    assert client.get_service(library.GetServiceRequest(name=service)).state == library.State.DISABLED
    client.enable_service(library.EnableServiceRequest(name=service)).result(timeout=20)
    enabled = client.list_services({"parent": f"projects/{project}", "filter": "state:ENABLED"})
    assert service.rpartition("/")[2] in [item.config.name for item in enabled]
    with pytest.raises(exceptions.GoogleAPICallError):
        client.enable_service({"name": "projects/none-of-ours/services/dns.googleapis.com"}).result(timeout=20)


def test_billing_and_budgets(project: str, name: str) -> None:
    billing = package("cloud.billing_v1").CloudBillingClient()
    assert billing.get_billing_account(name=ACCOUNT).open_
    info = {"billing_account_name": ACCOUNT}
    assert billing.update_project_billing_info(name=f"projects/{project}", project_billing_info=info).billing_enabled
    library = package("cloud.billing.budgets_v1")
    client = library.BudgetServiceClient()
    budget = library.Budget(display_name=name, amount={"specified_amount": {"units": 100, "currency_code": "USD"}})
    made = client.create_budget(parent=ACCOUNT, budget=budget)
    assert client.get_budget(name=made.name).amount.specified_amount.units == 100
    made.display_name = "b"
    assert client.update_budget({"budget": made, "update_mask": {"paths": ["display_name"]}}).display_name == "b"
    assert made.name in [item.name for item in client.list_budgets(parent=ACCOUNT)]
    client.delete_budget(name=made.name)
    with pytest.raises(exceptions.NotFound):
        client.get_budget(name=made.name)


def test_service_accounts_and_their_tokens(project: str, name: str) -> None:
    library, parent = package("cloud.iam_admin_v1"), f"projects/{project}"
    client = library.IAMClient()
    made = client.create_service_account({"name": parent, "account_id": name})
    assert client.get_service_account({"name": made.name}).email == f"{name}@{project}.iam.gserviceaccount.com"
    assert made.email in [item.email for item in client.list_service_accounts({"name": parent})]
    changed = client.patch_service_account(
        {"service_account": {"name": made.name, "display_name": "b"}, "update_mask": {"paths": ["display_name"]}}
    )
    assert changed.display_name == "b"
    policy = client.get_iam_policy({"resource": made.name})
    policy.bindings.add(role="roles/iam.serviceAccountTokenCreator", members=["user:user@example.com"])
    client.set_iam_policy({"resource": made.name, "policy": policy})
    credentials = package("cloud.iam_credentials_v1").IAMCredentialsClient()
    scope = ["https://www.googleapis.com/auth/cloud-platform"]
    token = credentials.generate_access_token(name=f"projects/-/serviceAccounts/{made.email}", scope=scope)
    assert token.access_token
    client.delete_service_account({"name": made.name})
    with pytest.raises(exceptions.NotFound):
        client.get_service_account({"name": made.name})


def test_custom_roles(project: str, name: str) -> None:
    library, parent = package("cloud.iam_admin_v1"), f"projects/{project}"
    client = library.IAMClient()
    role = {"title": name, "included_permissions": ["storage.objects.get"], "stage": "GA"}
    made = client.create_role({"parent": parent, "role_id": name, "role": role})
    assert list(client.get_role({"name": made.name}).included_permissions) == ["storage.objects.get"]
    assert client.delete_role({"name": made.name}).deleted
    with pytest.raises(exceptions.InvalidArgument):
        client.create_role({"parent": parent, "role_id": "x-y", "role": role})


def test_deny_policies(project: str, name: str) -> None:
    library = package("cloud.iam_v2")
    client = library.PoliciesClient()
    point = f"cloudresourcemanager.googleapis.com%2Fprojects%2F{project}"
    rule = {"deny_rule": {"denied_principals": ["principal://goog/subject/jo@example.com"]}}
    rule["deny_rule"]["denied_permissions"] = ["storage.googleapis.com/objects.get"]
    parent = f"policies/{point}/denypolicies"
    made = client.create_policy({"parent": parent, "policy": {"rules": [rule]}, "policy_id": name}).result(timeout=20)
    assert made.name in [item.name for item in client.list_policies(parent=parent)]
    client.delete_policy({"name": made.name}).result(timeout=20)
    with pytest.raises(exceptions.GoogleAPICallError):
        client.get_policy({"name": made.name})


def test_contacts(project: str) -> None:
    library, parent = package("cloud.essential_contacts_v1"), f"projects/{project}"
    client = library.EssentialContactsServiceClient()
    contact = {"email": "security@example.com", "notification_category_subscriptions": ["SECURITY"]}
    made = client.create_contact(parent=parent, contact={**contact, "language_tag": "en"})
    assert client.get_contact(name=made.name).email == "security@example.com"
    found = client.compute_contacts({"parent": parent, "notification_categories": ["SECURITY"]})
    assert made.name in [item.name for item in found]
    client.delete_contact(name=made.name)
    with pytest.raises(exceptions.NotFound):
        client.get_contact(name=made.name)


@pytest.mark.parametrize("transport", ["grpc", "rest"])
def test_quotas_are_asked_for(project: str, transport: str) -> None:
    library = package("cloud.cloudquotas_v1")
    client = library.CloudQuotasClient(transport=transport)
    parent = f"projects/{project}/locations/global"
    infos = list(client.list_quota_infos(parent=f"{parent}/services/cloudkms.googleapis.com"))
    assert infos
    with pytest.raises(exceptions.GoogleAPICallError):
        client.get_quota_preference(name=f"{parent}/quotaPreferences/none")
