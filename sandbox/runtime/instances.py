"""Instances of deployed Cloud Run services, as local processes with an identity and a network of their own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.errors import FailedPrecondition, Unavailable
from sandbox.runtime import secret_variables, telemetry
from sandbox.runtime.builds import Image
from sandbox.runtime.gateway import LOOPBACK, origin_of

if TYPE_CHECKING:
    from sandbox.cloud import Cloud

SERVICES = "run.services"
IMAGES = "run.images"
HOSTS = "run.hosts"

START_SECONDS = 120
STOP_SECONDS = 10
POLL_SECONDS = 0.05
LOG_TAIL = 15

#: Passed on from the sandbox's own environment; nothing else is.
INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")


@dataclass
class Instance:
    """One running process."""

    service: str
    revision: str
    port: int
    process: asyncio.subprocess.Process
    log: Path
    folder: tempfile.TemporaryDirectory[str]
    requests: int = 0
    in_flight: int = 0
    collected: int = 0


@dataclass
class Instances:
    """All instances of a sandbox, by the name of their Cloud Run service."""

    cloud: Cloud
    _running: dict[str, Instance] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _endings: set[asyncio.Task[None]] = field(default_factory=set)

    def serves(self, host: str) -> bool:
        """Whether a host name belongs to a deployed service."""
        return self.cloud.store.get(HOSTS, host.partition(":")[0]) is not None

    def service_of(self, host: str, path: str = "") -> str:
        """The service behind a host that ``serves`` accepts; on the host of a region's functions the path tells."""
        found = self.cloud.store.get(HOSTS, host.partition(":")[0]) or {}
        if parent := found.get("functions"):
            return f"{parent}/services/{path.lstrip('/').partition('/')[0]}"
        return str(found.get("service", ""))

    def identity(self, service: str) -> dict[str, str]:
        """Project, region and service account under which a service runs."""
        document = self.cloud.store.get(SERVICES, service) or {}
        project = service.split("/")[1]
        default = f"{self.cloud.hierarchy.project_number(project)}-compute@developer.gserviceaccount.com"
        return {
            "project": project,
            "region": service.split("/")[3],
            "serviceAccount": document.get("template", {}).get("serviceAccount") or default,
        }

    async def running(self, service: str) -> Instance:
        """A healthy instance of the service's newest revision, started if need be.

        Raises:
            Unavailable: the service's image cannot be run here.
            FailedPrecondition: the container did not start to listen on its port.
        """
        async with self._locks.setdefault(service, asyncio.Lock()):
            document = self.cloud.store.get(SERVICES, service)
            if document is None:
                raise Unavailable(f"The service {service} is gone.")
            revision = document.get("latestReadyRevision") or document.get("latestCreatedRevision", "")
            current = self._running.get(service)
            if current and current.revision == revision and current.process.returncode is None:
                return current
            if current:
                telemetry.collect(self.cloud, current)
                await self._stop(current)
            instance = await self._start(service, revision, document)
            self._running[service] = instance
            return instance

    async def _start(self, service: str, revision: str, document: dict[str, Any]) -> Instance:
        container = document["template"]["containers"][0]
        stored = self.cloud.store.get(IMAGES, container["image"])
        if stored is None:
            raise Unavailable(
                f"The image {container['image']} was not built in this sandbox, so it cannot run here. "
                "Deploy a function from source instead."
            )
        image = Image(stored["digest"], Path(stored["source"]), Path(stored["python"]))
        port = free_port()
        folder = tempfile.TemporaryDirectory(prefix="instance-", ignore_cleanup_errors=True)
        log = Path(folder.name) / "output.log"
        network = vpc_network(document)
        environment = await self._environment(service, revision, container, network, port, folder.name)
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                str(image.python),
                str(Path(__file__).with_name("launcher.py")),
                f"--target={stored['entryPoint']}",
                f"--port={port}",
                f"--host={LOOPBACK}",
                cwd=image.source,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        instance = Instance(service, revision, port, process, log, folder)
        try:
            await self._listening(instance)
        except BaseException:
            await self._stop(instance)
            raise
        return instance

    async def _environment(
        self, service: str, revision: str, container: dict[str, Any], network: str | None, port: int, home: str
    ) -> dict[str, str]:
        gateway = self.cloud.gateway
        metadata_port = await gateway.open_metadata(service, network)
        certificate = str(gateway.authority.certificate_path.resolve())
        proxy = gateway.proxy_url(gateway.admit(origin_of(network)))
        name = service.rpartition("/")[2]
        return {
            **{key: os.environ[key] for key in INHERITED if key in os.environ},
            **{item["name"]: self._variable(service, item) for item in container.get("env", [])},
            "HOME": home,
            "PORT": str(port),
            "K_SERVICE": name,
            "K_REVISION": revision.rpartition("/")[2],
            "K_CONFIGURATION": name,
            "PYTHONUNBUFFERED": "1",
            "GCE_METADATA_HOST": f"{LOOPBACK}:{metadata_port}",
            "GCE_METADATA_IP": f"{LOOPBACK}:{metadata_port}",
            "GCE_METADATA_ROOT": f"{LOOPBACK}:{metadata_port}",
            "HTTPS_PROXY": proxy,
            "NO_PROXY": LOOPBACK,
            "grpc_proxy": proxy,
            "no_grpc_proxy": LOOPBACK,
            "SSL_CERT_FILE": certificate,
            "REQUESTS_CA_BUNDLE": certificate,
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": certificate,
        }

    def _variable(self, service: str, item: dict[str, Any]) -> str:
        """The text of one environment variable, fetched from Secret Manager where it names a secret."""
        reference = item.get("valueSource", {}).get("secretKeyRef")
        if not reference:
            return str(item.get("value", ""))
        document = self.cloud.store.get(SERVICES, service) or {}
        return secret_variables.value(self.cloud, service, document["template"]["serviceAccount"], reference)

    async def _listening(self, instance: Instance) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        while loop.time() < deadline:
            if instance.process.returncode is not None:
                break
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, instance.port)
            except OSError:
                await asyncio.sleep(POLL_SECONDS)
                continue
            writer.close()
            return
        tail = "\n".join(instance.log.read_text(errors="replace").splitlines()[-LOG_TAIL:])
        raise FailedPrecondition(
            f"Revision '{instance.revision.rpartition('/')[2]}' is not ready and cannot serve traffic. The "
            "user-provided container failed to start and listen on the port defined provided by the PORT="
            f"{instance.port} environment variable within the allocated timeout. Last output:\n{tail}"
        )

    async def stop(self, service: str) -> None:
        """End a service's instance, if it runs."""
        instance = self._running.pop(service, None)
        if instance:
            telemetry.collect(self.cloud, instance)
            await self._stop(instance)

    def stop_later(self, service: str) -> None:
        """End a service's instance without waiting for it."""
        if service in self._running:
            task = asyncio.get_running_loop().create_task(self.stop(service))
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)

    def stop_project(self, project_id: str) -> None:
        """End the instances of all services of a project."""
        for service in [name for name in self._running if name.startswith(f"projects/{project_id}/")]:
            self.stop_later(service)

    async def stop_all(self) -> None:
        """End every instance."""
        for service in list(self._running):
            await self.stop(service)
        await asyncio.gather(*self._endings, return_exceptions=True)

    @staticmethod
    async def _stop(instance: Instance) -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(instance.process.pid, sign)
            try:
                await asyncio.wait_for(instance.process.wait(), STOP_SECONDS)
            except TimeoutError:
                continue
            break
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(instance.process.pid, signal.SIGKILL)  # workers that outlived their parent
        instance.folder.cleanup()

    def output(self, service: str) -> str:
        """What the service's instance has written so far."""
        instance = self._running.get(service)
        return instance.log.read_text(errors="replace") if instance else ""

    def collect(self) -> None:
        """Turn what all instances have written so far into log entries."""
        for instance in self._running.values():
            telemetry.collect(self.cloud, instance)

    def report(self) -> list[dict[str, Any]]:
        """Running instances for the status page."""
        return [
            {"service": i.service, "revision": i.revision, "pid": i.process.pid, "port": i.port, "requests": i.requests}
            for i in self._running.values()
        ]


def vpc_network(document: dict[str, Any]) -> str | None:
    """The network through which all of a service's traffic leaves; None when it leaves past the VPC."""
    access = document.get("template", {}).get("vpcAccess", {})
    if access.get("egress") != "ALL_TRAFFIC":
        return None
    for interface in access.get("networkInterfaces", []):
        reference: str = interface.get("network", "")
        if reference:
            path = reference.rpartition("/compute/v1/")[2] if "/compute/v1/" in reference else reference
            project = document["name"].split("/")[1]
            return path if path.startswith("projects/") else f"projects/{project}/global/networks/{path}"
    return None


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
