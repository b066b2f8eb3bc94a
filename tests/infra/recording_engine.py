"""A Pulumi engine that creates nothing and remembers everything it was asked to create.

It answers registrations with made-up outputs of the right form, and keeps what the published mocks throw away: the
dependencies and options of each resource. Absence can only be asserted after `run` returned, because registrations
go on after the program's last line.
"""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.mocks import test as run_to_the_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = "plantain"
LABELS = {
    "campaign": "spring-launch",
    "owner": "brand-studio",
    "cost-center": "cc-4711",
    "env": "prod",
    "data-class": "internal",
    "ends-on": "2027-06-30",
}
"""Of every project that exists already: those of the smallest campaign file."""


@dataclass(frozen=True)
class Registered:
    """One resource as the program registered it."""

    urn: str
    type: str
    name: str
    inputs: dict[str, Any]
    dependencies: frozenset[str]
    provider: str
    parent: str
    ignore_changes: tuple[str, ...]
    delete_before_replace: bool
    protect: bool
    deleted_with: str


@dataclass
class Recording:
    """Everything one program registered and asked for."""

    resources: dict[str, Registered] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def of_type(self, *tokens: str) -> list[Registered]:
        """Resources whose type ends with one of the tokens, such as storage/bucket:Bucket."""
        return [resource for resource in self.resources.values() if resource.type.removeprefix("gcp:") in tokens]

    def only(self, token: str) -> Registered:
        found = self.of_type(token)
        assert len(found) == 1, f"{len(found)} resources of type {token}"
        return found[0]

    def named(self, token: str, name: str) -> Registered:
        found = [resource for resource in self.of_type(token) if resource.name == name]
        assert found, f"no {token} is named {name}, but {sorted(r.name for r in self.of_type(token))}"
        return found[0]

    def cloud(self) -> list[Registered]:
        """Every resource that Google Cloud would hold."""
        return [resource for resource in self.resources.values() if resource.type.startswith("gcp:")]

    def ancestors(self, resource: Registered) -> frozenset[str]:
        """URNs of everything that exists before the resource is created."""
        seen: set[str] = set()
        waiting = list(resource.dependencies)
        while waiting:
            urn = waiting.pop()
            if urn not in seen and urn in self.resources:
                seen.add(urn)
                waiting.extend(self.resources[urn].dependencies)
        return frozenset(seen)

    def comes_after(self, resource: Registered) -> Iterator[Registered]:
        for urn in self.ancestors(resource):
            yield self.resources[urn]


class _Outputs(Mocks):
    """What resources and functions answer: their inputs, and what Google Cloud would add."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        outputs = {"name": args.name, **args.inputs}
        match args.typ:
            case "gcp:organizations/project:Project":
                project_id = args.resource_id or args.inputs.get("projectId", f"{args.name}-0a1b2c3")
                outputs |= {"effectiveLabels": LABELS} if args.resource_id else {}
                return f"projects/{project_id}", outputs | {"projectId": project_id, "number": number(args.name)}
            case "gcp:projects/serviceIdentity:ServiceIdentity":
                host = args.inputs["service"].split(".")[0]
                outputs["email"] = f"service-1@gcp-sa-{host}.iam.gserviceaccount.com"
            case "gcp:serviceaccount/account:Account":
                email = f"{args.inputs['accountId']}@{args.inputs['project']}.iam.gserviceaccount.com"
                outputs |= {"email": email, "name": f"projects/{args.inputs['project']}/serviceAccounts/{email}"}
            case "gcp:accesscontextmanager/accessPolicy:AccessPolicy":
                outputs["name"] = "987654321"
            case "gcp:compute/network:Network":
                project, name = args.inputs["project"], args.inputs["name"]
                outputs["selfLink"] = f"https://www.googleapis.com/compute/v1/projects/{project}/global/networks/{name}"
            case "gcp:storage/bucketObject:BucketObject":
                outputs["generation"] = 1_700_000_000_000_000
            case "gcp:cloudfunctionsv2/function:Function":
                outputs["serviceConfig"] = args.inputs["serviceConfig"] | {"uri": "https://images.a.run.app"}
        return f"id/{args.typ}/{args.name}", outputs

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        self._recording.calls.append((args.token, dict(args.args)))
        if args.token == "gcp:storage/getProjectServiceAccount:getProjectServiceAccount":
            email = "service-1@gs-project-accounts.iam.gserviceaccount.com"
            return {"emailAddress": email, "member": f"serviceAccount:{email}", "id": "1"}, []
        if args.token == "gcp:logging/getProjectCmekSettings:getProjectCmekSettings":
            return {"serviceAccountId": "cmek-p1@gcp-sa-logging.iam.gserviceaccount.com", "id": "1"}, []
        if args.token == "gcp:logging/getOrganizationSettings:getOrganizationSettings":
            return {"kmsServiceAccountId": "cmek-o1@gcp-sa-logging.iam.gserviceaccount.com", "id": "1"}, []
        if args.token == "gcp:logging/getFolderSettings:getFolderSettings":
            return {"kmsServiceAccountId": "cmek-f1@gcp-sa-logging.iam.gserviceaccount.com", "id": "1"}, []
        if args.token == "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount":
            return {"email": "bq-1@bigquery-encryption.iam.gserviceaccount.com", "id": "1"}, []
        raise AssertionError(f"no answer for {args.token}")


class _Monitor(MockMonitor):
    """The published mock, but it keeps dependencies and options."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(_Outputs(recording))
        self._recording = recording

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        answer: Any = super().RegisterResource(request)  # type: ignore[no-untyped-call] # the SDK's is not typed
        state = self.resources.get(answer.urn)
        if state is None:
            return answer  # the stack itself
        from pulumi.runtime import rpc  # noqa: PLC0415 - needs the event loop of a running program

        assert answer.urn not in self._recording.resources, f"registered twice: {answer.urn}"
        self._recording.resources[answer.urn] = Registered(
            urn=answer.urn,
            type=request.type,
            name=request.name,
            inputs=_plain(rpc.deserialize_properties(request.object)),
            dependencies=frozenset(request.dependencies),
            provider=request.provider,
            parent=request.parent,
            ignore_changes=tuple(request.ignoreChanges),
            delete_before_replace=request.deleteBeforeReplace,
            protect=request.protect,
            deleted_with=request.deletedWith,
        )
        return answer


def _plain(value: Any) -> Any:
    """Properties as JSON would have them: an asset is the path it is read from."""
    match value:
        case dict():
            return {key: _plain(member) for key, member in value.items()}
        case list():
            return [_plain(member) for member in value]
        case pulumi.FileAsset():
            return str(value.path)
    return value


def number(name: str) -> str:
    """The project number this engine gives to a project of that name."""
    return str(100_000_000_000 + int(hashlib.sha256(name.encode()).hexdigest()[:8], 16))


def run(program: Callable[[], Any], *, stack: str = "test") -> Recording:
    """Run a program to its end and give back what it registered.

    The program may return a mapping of outputs, which is resolved into `Recording.outputs`.
    """
    recording = Recording()

    def body() -> Any:
        result = program()
        if result is None:
            return None
        return pulumi.Output.from_input(result).apply(recording.outputs.update)

    with _event_loops():
        set_mocks(_Outputs(recording), project=PROJECT, stack=stack, preview=False, monitor=_Monitor(recording))
        run_to_the_end(body)()  # type: ignore[no-untyped-call] # the SDK's is not typed
    return recording


@contextmanager
def _event_loops() -> Iterator[None]:
    """Event loops for the program's thread and for those that answer it, all closed in the end.

    Pulumi's runtime makes a loop in every thread that has none, and closes none of them.
    """
    loops: list[asyncio.AbstractEventLoop] = []

    def begin() -> None:
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    begin()
    threads = ThreadPoolExecutor(max_workers=4, initializer=begin)
    loops[0].set_default_executor(threads)
    try:
        yield
    finally:
        threads.shutdown()
        asyncio.set_event_loop(None)
        for loop in loops:
            loop.close()
