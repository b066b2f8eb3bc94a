"""Organisation, folders and projects: ids and numbers, parents, and which service accounts exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sandbox.store import Store

Document = dict[str, Any]

PROJECTS = "cloudresourcemanager.projects"
FOLDERS = "cloudresourcemanager.folders"
NUMBERS = "cloudresourcemanager.projectNumbers"
ACCOUNTS = "iam.serviceAccounts"
AGENTS = "iam.serviceAgents"

RESOURCE_MANAGER = "//cloudresourcemanager.googleapis.com/"
USER_ACCOUNT = re.compile(r"^[a-z0-9-]+@(?P<project>[a-z0-9.:-]+)\.iam\.gserviceaccount\.com$")
FUNCTION_SOURCES = re.compile(r"^b/gcf-v2-sources-(?P<number>\d+)-")
AGENT_DOMAIN = re.compile(
    r"@(?:gcp-sa-|gs-project-accounts|gcf-admin-robot|serverless-robot|compute-system|cloudbuild|.*-robot)"
)


class Hierarchy:
    """Reads over the resource tree. Writing belongs to the services."""

    def __init__(self, store: Store, organization: str) -> None:
        self._store = store
        self.organization = f"organizations/{organization}"

    def project(self, id_or_number: str) -> Document | None:
        """The project of an id or a number, deleted ones included."""
        if id_or_number.isdigit():
            pointer = self._store.get(NUMBERS, id_or_number)
            if pointer is None:
                return None
            id_or_number = pointer["projectId"]
        return self._store.get(PROJECTS, f"projects/{id_or_number}")

    def project_number(self, project_id: str) -> str:
        """The number of an existing project; ``0`` when there is none."""
        project = self.project(project_id)
        return str(project["projectNumber"]) if project else "0"

    def canonical(self, name: str) -> str:
        """A resource name with the project's number replaced by its id."""
        head, _, rest = name.partition("/")
        if head != "projects":
            return name
        number, slash, tail = rest.partition("/")
        if number == "-" and tail.startswith("serviceAccounts/"):
            return self._account_name(tail)
        if number.isdigit() and (project := self.project(number)):
            return f"projects/{project['projectId']}{slash}{tail}"
        return name

    def _account_name(self, tail: str) -> str:
        """``serviceAccounts/x...`` below the wildcard project, with the account's own project; x may be its number."""
        _, _, rest = tail.partition("/")
        account, slash, below = rest.partition("/")
        for name, document in self._store.items(ACCOUNTS):
            if account in {document["email"], document["uniqueId"]}:
                return f"{name}{slash}{below}"
        return f"projects/-/{tail}"

    def numbered(self, name: str) -> str:
        """A resource name with the project's id replaced by its number."""
        parts = name.split("/")
        if len(parts) > 1 and parts[0] == "projects" and (project := self.project(parts[1])):
            parts[1] = str(project["projectNumber"])
        return "/".join(parts)

    def ancestors(self, name: str) -> Iterator[str]:
        """From a project, folder or organisation upwards, itself first."""
        while name:
            yield name
            if name.startswith("projects/"):
                document = self.project(name.split("/")[1])
            elif name.startswith("folders/"):
                document = self._store.get(FOLDERS, name)
            else:
                return
            name = document.get("parent", "") if document else ""

    def lineage(self, service: str, name: str) -> Iterator[str]:
        """Full resource names whose policies govern ``name``, nearest first."""
        parts = name.split("/")
        root = "/".join(parts[:2]) if parts[0] in {"projects", "folders", "organizations"} else ""
        if not (service == "cloudresourcemanager" and name == root):
            for length in range(len(parts), 2 if root else 0, -1):
                yield f"//{service}.googleapis.com/{'/'.join(parts[:length])}"
        if not root and parts[0] == "b":
            root = self._bucket_project("/".join(parts[:2]))
        # What belongs to no project (billing accounts, access policies) is governed by the organisation.
        for ancestor in self.ancestors(root or self.organization):
            yield RESOURCE_MANAGER + ancestor

    def _bucket_project(self, name: str) -> str:
        """The project of a bucket; that of sources which Cloud Functions copied is told by the name alone."""
        if bucket := self._store.get("storage.buckets", name):
            return f"projects/{bucket['_project']}"
        found = FUNCTION_SOURCES.match(name)
        project = self.project(found["number"]) if found else None
        return f"projects/{project['projectId']}" if project else ""

    def account_disabled(self, email: str) -> bool:
        """Whether a service account of this organisation was disabled, so that its tokens mean nothing."""
        found = USER_ACCOUNT.match(email)
        if found is None:
            return False
        document = self._store.get(ACCOUNTS, f"projects/{found['project']}/serviceAccounts/{email}")
        return bool(document and document.get("disabled"))

    def service_account_exists(self, email: str) -> bool:
        """Whether a policy may name the account.

        Accounts of projects that this organisation does not hold are Google's or a stranger's business: they pass.
        """
        if found := USER_ACCOUNT.match(email):
            project = found["project"]
            if self._store.get(PROJECTS, f"projects/{project}"):
                return self._store.get(ACCOUNTS, f"projects/{project}/serviceAccounts/{email}") is not None
        if AGENT_DOMAIN.search(email):
            numbers = re.findall(r"\d{6,}", email.partition("@")[0])
            if numbers and self.project(numbers[0]):
                return self._store.get(AGENTS, email) is not None
        return True
