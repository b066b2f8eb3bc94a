"""The end of a campaign in four steps, each of which can be repeated: read-only, evidence, detach, delete.

What each step did is kept in ``campaigns/retired/<name>.json``, so that nobody has to remember where it stopped.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plantain.campaigns.detachment import without
from plantain.errors import InputError, PlantainError

if TYPE_CHECKING:
    from plantain.google_cloud import GoogleCloud
    from plantain.stack import Stack

Document = dict[str, Any]
STEPS = ("read-only", "evidence", "detach", "delete")
INVOKER = "roles/run.invoker"
HOLD_DAYS = 30


@dataclass
class Retirement:
    """One campaign on its way out.

    Attributes:
        outputs: of the deployed campaign, kept in the record once it is detached.
        told: one line for each thing that was done.
    """

    root: Path
    name: str
    outputs: Document
    cloud: GoogleCloud
    stack: Stack
    now: dt.datetime
    told: Callable[[str], None]

    @property
    def path(self) -> Path:
        """The record of the retirement."""
        return record_path(self.root, self.name)

    def done(self) -> dict[str, Document]:
        """What was done, by step."""
        steps: dict[str, Document] = read_record(self.root, self.name).get("steps", {})
        return steps

    def run(self, step: str, evidence: Path) -> None:
        """Take one step.

        Raises:
            InputError: a step before it is missing.
            GoogleCloudError: a call was refused; what was done before stays done.
        """
        before = STEPS[: STEPS.index(step)]
        missing = [one for one in before if one not in self.done()]
        if missing:
            raise InputError(
                f"{self.name} cannot take step {step!r} before {', '.join(missing)}.",
                cure=f"plantain campaign retire {self.name} --step {missing[0]}",
            )
        facts = {
            "read-only": self._read_only,
            "evidence": lambda: self._evidence(evidence),
            "detach": self._detach,
            "delete": self._delete,
        }[step]()
        record = read_record(self.root, self.name)
        steps = record.get("steps", {}) | {step: {"at": self.now.isoformat(timespec="seconds"), **facts}}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        document = {"campaign": self.name, "outputs": self.outputs, "steps": steps}
        self.path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")

    def _service(self) -> str:
        return f"projects/{self.outputs['projectId']}/locations/{self.outputs['region']}/services/{self._short()}"

    def _short(self) -> str:
        return str(self.outputs["functionName"]).rpartition("/")[2]

    def _read_only(self) -> Document:
        """Nobody may ask for images any more; those that exist can still be read by their readers."""
        service = self._service()
        policy = self.cloud.call("GET", "run", f"v2/{service}:getIamPolicy")
        members = sorted(
            {member for one in policy.get("bindings", ()) if one["role"] == INVOKER for member in one["members"]}
        )
        if members:
            policy["bindings"] = [one for one in policy["bindings"] if one["role"] != INVOKER]
            self.cloud.call("POST", "run", f"v2/{service}:setIamPolicy", body={"policy": policy})
        self.told(f"{INVOKER} taken from {', '.join(members) or 'nobody, it was taken before'}")
        return {"invokers": members}

    def _evidence(self, folder: Path) -> Document:
        """What has to outlive the project, with a digest of each file."""
        folder.mkdir(parents=True, exist_ok=True)
        project = self.outputs["projectId"]
        source = self.root / "campaigns" / f"{self.name}.yaml"
        if source.is_file():
            shutil.copy(source, folder)
        answers = {
            "project.json": self.cloud.call("GET", "cloudresourcemanager", f"v3/projects/{project}"),
            "iam-policy.json": self.cloud.call(
                "POST", "cloudresourcemanager", f"v3/projects/{project}:getIamPolicy", body={}
            ),
            "outputs.json": self.outputs,
            "keys.json": [
                self.cloud.call("GET", "cloudkms", f"v1/{name}")
                for name in sorted(self.outputs.get("keys", {}).values())
            ],
        }
        for name, document in answers.items():
            (folder / name).write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        objects = 0
        with (folder / "objects.jsonl").open("w", encoding="utf-8") as file:
            for item in self.cloud.pages("storage", f"storage/v1/b/{self.outputs['bucket']}/o", "items"):
                kept = ("name", "size", "generation", "md5Hash", "crc32c", "timeCreated", "metadata", "kmsKeyName")
                file.write(json.dumps({key: item[key] for key in kept if key in item}, sort_keys=True) + "\n")
                objects += 1
        entries = 0
        with (folder / "outcomes.jsonl").open("w", encoding="utf-8") as file:
            body = {"resourceNames": [f"projects/{project}"], "filter": 'jsonPayload.event="outcome"', "pageSize": 1000}
            for entry in self.cloud.pages("logging", "v2/entries:list", "entries", method="POST", body=body):
                file.write(json.dumps(entry, sort_keys=True) + "\n")
                entries += 1
        digests = write_digests(folder)
        self.told(f"{folder}: {objects} objects listed, {entries} outcomes, {len(digests)} files with digests")
        return {"folder": str(folder), "objects": objects, "outcomes": entries, "files": digests}

    def _detach(self) -> Document:
        """The stack forgets the campaign; the project stays, inside the perimeter."""
        export, gone = without(self.stack.export(), self.name)
        if gone:
            self.stack.replace_state(export)
        file = self.root / "campaigns" / f"{self.name}.yaml"
        if file.is_file():
            target = self.root / "campaigns" / "retired" / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            file.rename(target)
        member = f"projects/{self.outputs['projectNumber']}"
        self.told(f"{len(gone)} resources taken out of the state of {self.stack.name}; nothing was deleted")
        self.told(f"campaigns/{self.name}.yaml lies in campaigns/retired/ now")
        self.told(f"keep the project in the perimeter: add {member} to plantain:perimeter.otherMembers, then pulumi up")
        if not list((self.root / "campaigns").glob("*.yaml")):
            self.told("it was the last campaign: pulumi config set plantain:campaigns ''")
        return {"resources": len(gone), "member": member}

    def _delete(self) -> Document:
        """The project is marked for deletion: Google keeps it for thirty days, in which it can be brought back."""
        folder = Path(self.done()["evidence"]["folder"])
        damaged = changed_files(folder, self.done()["evidence"]["files"])
        if damaged:
            raise PlantainError(
                f"The evidence in {folder} is not what it was: {', '.join(damaged)}. Nothing was deleted.",
                cure=f"plantain campaign retire {self.name} --step evidence",
            )
        project, number = self.outputs["projectId"], self.outputs["projectNumber"]
        liens = list(self.cloud.pages("cloudresourcemanager", "v3/liens", "liens", parent=f"projects/{number}"))
        for lien in liens:
            self.cloud.call("DELETE", "cloudresourcemanager", f"v3/{lien['name']}")
        self.cloud.call("DELETE", "cloudresourcemanager", f"v3/projects/{project}")
        end = (self.now + dt.timedelta(days=HOLD_DAYS)).date()
        self.told(f"project {project} is deleted on {end}; until then: gcloud projects undelete {project}")
        return {"until": str(end), "liens": len(liens)}


def record_path(root: Path, name: str) -> Path:
    """Where a retirement is recorded."""
    return root / "campaigns" / "retired" / f"{name}.json"


def read_record(root: Path, name: str) -> Document:
    """The record of a retirement; empty when it was not begun."""
    path = record_path(root, name)
    if not path.is_file():
        return {}
    try:
        found: Document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is no JSON: {error}", cure=f"git checkout {path}") from None
    return found


def write_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of the evidence, also as ``SHA256SUMS`` for ``sha256sum --check``."""
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != "SHA256SUMS"
    }
    lines = [f"{digest}  {name}\n" for name, digest in digests.items()]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    return digests


def changed_files(folder: Path, digests: dict[str, str]) -> list[str]:
    """Files of the evidence that are gone or not what they were."""
    return [
        name
        for name, digest in digests.items()
        if not (folder / name).is_file() or hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest
    ]
