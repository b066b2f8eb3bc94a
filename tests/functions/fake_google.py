"""As much of Google Cloud as the function talks to, behind the real host names.

The function under test is not told of it: its libraries find a proxy in HTTPS_PROXY and a certificate authority in
SSL_CERT_FILE, as they would in any company network. Answers have the shapes of the APIs' documentation.
"""

import asyncio
import base64
import datetime as dt
import hashlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import google_crc32c
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.functions.pictures import png

Json = dict[str, Any]
LOOPBACK = "127.0.0.1"
AIPLATFORM, STORAGE, IAM = "aiplatform.googleapis.com", "storage.googleapis.com", "iamcredentials.googleapis.com"
TASKS, MONITORING, TRACE = "cloudtasks.googleapis.com", "monitoring.googleapis.com", "cloudtrace.googleapis.com"
EU = "aiplatform.eu.rep.googleapis.com"
HOSTS = (AIPLATFORM, EU, STORAGE, IAM, TASKS, MONITORING, TRACE)
TURNS = 100
"""Turns of the event loop in which what was closed is let go of."""
EMAIL = "plantain-runtime@spring-launch-4711.iam.gserviceaccount.com"
TOKEN = "a-token-that-is-never-logged"


@dataclass
class StoredObject:
    """One object."""

    data: bytes
    content_type: str
    metadata: dict[str, str]
    generation: int
    created: str

    def resource(self, bucket: str, name: str) -> Json:
        return {
            "kind": "storage#object",
            "bucket": bucket,
            "name": name,
            "generation": str(self.generation),
            "metageneration": "1",
            "contentType": self.content_type,
            "size": str(len(self.data)),
            "crc32c": crc32c(self.data),
            "timeCreated": self.created,
            "updated": self.created,
            "metadata": self.metadata,
        }


def crc32c(data: bytes) -> str:
    """The checksum that Cloud Storage uses."""
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


@dataclass
class Fault:
    """An answer given instead of the real one; None lets a request pass."""

    host: str
    part: str
    answer: Callable[[], Response | None]
    times: int


@dataclass
class Seen:
    """One request."""

    host: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def json(self) -> Json:
        document: Json = json.loads(self.body)
        return document


def image_answer(data: bytes, mime_type: str = "image/png", *, text: str = "", image_tokens: int = 1120) -> Json:
    """A model's answer with one image, preceded by a draft of its thinking."""
    parts: list[Json] = [
        {"text": "I consider the composition.", "thought": True},
        {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(png(1, 1)).decode()}, "thought": True},
    ]
    if text:
        parts.append({"text": text})
    parts.append(
        {
            "inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()},
            "thoughtSignature": base64.b64encode(b"signature").decode(),
        }
    )
    return {
        "candidates": [
            {
                "content": {"role": "model", "parts": parts},
                "finishReason": "STOP",
                "safetyRatings": [{"category": "HARM_CATEGORY_IMAGE_HATE", "probability": "NEGLIGIBLE"}],
            }
        ],
        "usageMetadata": {
            "promptTokenCount": 12,
            "candidatesTokenCount": image_tokens,
            "thoughtsTokenCount": 200,
            "totalTokenCount": 212 + image_tokens,
            "trafficType": "ON_DEMAND",
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": image_tokens}],
        },
        "modelVersion": "gemini-3-pro-image",
        "responseId": "response-1",
    }


def refusal_answer(finish_reason: str, *, text: str = "", message: str = "") -> Json:
    """A model's answer without an image."""
    candidate: Json = {"content": {"role": "model", "parts": [{"text": text}] if text else []}}
    candidate |= {"finishReason": finish_reason} | ({"finishMessage": message} if message else {})
    return {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 12, "totalTokenCount": 12}}


def error_body(code: int, status: str, message: str, details: list[Json] | None = None) -> Json:
    """Google's error envelope."""
    return {"error": {"code": code, "status": status, "message": message, "details": details or []}}


@dataclass
class FakeGoogle:
    """State, script and journal of the fake.

    Attributes:
        objects: by bucket and name; a bucket exists when it is a key.
        answers: what the model says next; afterwards it draws.
        seen: every request, oldest first.
        asked: set once the model has been asked for an image.
        pause: seconds a model call takes.
        storage_pause: seconds a call of Cloud Storage takes.
        damage: whether uploads arrive changed.
        unreachable: hosts to which there is no way.
        hook: answers in place of the fake, or calls `answered`.
        connections: those with the function that are open.
    """

    folder: Path
    objects: dict[str, dict[str, StoredObject]] = field(default_factory=dict)
    answers: list[Json] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    uploads: dict[str, tuple[str, Json, str]] = field(default_factory=dict)
    asked: threading.Event = field(default_factory=threading.Event)
    pause: float = 0.0
    storage_pause: float = 0.0
    damage: bool = False
    unreachable: set[str] = field(default_factory=set)
    hook: Callable[[Request], Awaitable[Response]] | None = None
    connections: set[asyncio.StreamWriter] = field(default_factory=set)
    port: int = 0
    proxy_port: int = 0
    clock: int = 0

    def reset(self) -> None:
        """Forget everything but the port numbers."""
        self.objects = {"spring-images": {}}
        self.answers, self.faults, self.seen, self.uploads = [], [], [], {}
        self.asked.clear()
        self.pause, self.storage_pause, self.damage, self.unreachable = 0.0, 0.0, False, set()
        self.hook = None

    def fail(self, host: str, code: int, body: Json | str, *, part: str = "", times: int = 1, **headers: str) -> None:
        """Answer the next requests to a host, whose path contains `part`, with a failure."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}

        def answer() -> Response:
            return PlainTextResponse(body, code, names) if isinstance(body, str) else JSONResponse(body, code, names)

        self.faults.append(Fault(host, part, answer, times))

    def reset_connections(self) -> Response:
        """Reset every open connection, as an answer to whatever was asked."""
        for writer in self.connections:
            writer.transport.abort()
        return PlainTextResponse("nobody reads this")

    def put(self, bucket: str, name: str, data: bytes, content_type: str = "image/png", **metadata: str) -> None:
        """Store an object."""
        self.clock += 1
        created = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.objects.setdefault(bucket, {})[name] = StoredObject(data, content_type, metadata, self.clock, created)

    def calls(self, host: str, part: str = "") -> list[Seen]:
        """Requests to a host whose path contains `part`."""
        return [seen for seen in self.seen if seen.host == host and part in seen.path]

    @property
    def model_calls(self) -> list[Seen]:
        """Requests for images."""
        return self.calls(AIPLATFORM, ":generateContent")

    @property
    def environment(self) -> dict[str, str]:
        """What makes Google's libraries come here."""
        certificate = str(self.folder / "authority.pem")
        proxy = f"http://{LOOPBACK}:{self.proxy_port}"
        metadata = f"{LOOPBACK}:{self.port}"
        return {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": LOOPBACK,
            "no_proxy": LOOPBACK,
            "SSL_CERT_FILE": certificate,
            "REQUESTS_CA_BUNDLE": certificate,
            "GCE_METADATA_HOST": metadata,
            "GCE_METADATA_IP": metadata,
        }

    async def answer(self, request: Request) -> Response:
        """Answer any request."""
        return await self.hook(request) if self.hook else await self.answered(request)

    async def answered(self, request: Request) -> Response:
        """The answer without a hook."""
        host = request.headers["host"].partition(":")[0]
        seen = Seen(host, request.method, unquote(request.url.path), dict(request.headers), await request.body())
        if request.url.query:
            seen.path += f"?{request.url.query}"
        self.seen.append(seen)
        injected = self._injected(seen)
        if injected is not None:
            return injected
        if request.headers.get("metadata-flavor") == "Google":
            return self._metadata(request)
        if not seen.headers.get("authorization", "").startswith("Bearer "):
            return JSONResponse(error_body(401, "UNAUTHENTICATED", "Request is missing credentials."), 401)
        if host in {AIPLATFORM, EU}:
            return await self._model(seen)
        if host in {TASKS, MONITORING, TRACE}:
            return JSONResponse({"name": f"{seen.path.strip('/')}/1"})
        if host == STORAGE:
            await asyncio.sleep(self.storage_pause)
            return self._storage(request, seen)
        if host == IAM:
            digest = hashlib.sha256(base64.b64decode(seen.json["payload"])).digest()
            return JSONResponse({"keyId": "1", "signedBlob": base64.b64encode(digest).decode()})
        return PlainTextResponse(f"no such host: {host}", 404)

    def _injected(self, seen: Seen) -> Response | None:
        for fault in self.faults:
            if fault.host == seen.host and fault.part in seen.path and fault.times > 0:
                fault.times -= 1
                return fault.answer()
        return None

    async def _model(self, seen: Seen) -> Response:
        if ":countTokens" in seen.path:
            return JSONResponse({"totalTokens": 1})
        self.asked.set()
        await asyncio.sleep(self.pause)
        if self.answers:
            return JSONResponse(self.answers.pop(0))
        return JSONResponse(image_answer(png(16, 9, colour=len(self.model_calls), credentials=True)))

    def _storage(self, request: Request, seen: Seen) -> Response:
        parts = unquote(request.url.path).strip("/").split("/")
        at = parts.index("b") + 1
        bucket, name = parts[at], "/".join(parts[at + 2 :])
        if bucket not in self.objects:
            return _storage_error(404, "The specified bucket does not exist.", "notFound")
        if parts[0] == "upload":
            return self._upload(request, seen, bucket)
        if not name:
            prefix = request.query_params.get("prefix", "")
            start = request.query_params.get("startOffset", "")
            kept = sorted((n, o) for n, o in self.objects[bucket].items() if n.startswith(prefix) and n >= start)
            items = [stored.resource(bucket, n) for n, stored in kept]
            return JSONResponse({"kind": "storage#objects", "items": items})
        found = self.objects[bucket].get(name)
        if found is None:
            message = f"No such object: {bucket}/{name}"
            media = parts[0] == "download"
            return PlainTextResponse(message, 404) if media else _storage_error(404, message, "notFound")
        if request.query_params.get("alt") == "media":
            return Response(found.data, media_type=found.content_type)
        return JSONResponse(found.resource(bucket, name))

    def _upload(self, request: Request, seen: Seen, bucket: str) -> Response:
        kind = request.query_params["uploadType"]
        if kind == "multipart":
            boundary = request.headers["content-type"].partition("boundary=")[2].strip('"').encode()
            _, head, body = seen.body.split(b"--" + boundary, 2)
            body = body[: body.rindex(b"\r\n--" + boundary)]
            resource = json.loads(head.partition(b"\r\n\r\n")[2])
            header, _, data = body.partition(b"\r\n\r\n")
            content_type = header.lower().partition(b"content-type: ")[2].partition(b"\r\n")[0].decode()
            return self._finish(request, bucket, resource, content_type, data)
        if request.method == "POST":
            upload = str(len(self.uploads))
            self.uploads[upload] = (
                request.query_params.get("ifGenerationMatch", ""),
                seen.json,
                request.headers["x-upload-content-type"],
            )
            place = f"https://{STORAGE}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={upload}"
            return Response(status_code=200, headers={"location": place})
        condition, resource, content_type = self.uploads[request.query_params["upload_id"]]
        return self._finish(request, bucket, resource, content_type, seen.body, condition)

    def _finish(
        self, request: Request, bucket: str, resource: Json, content_type: str, data: bytes, condition: str = ""
    ) -> Response:
        name = resource["name"]
        if self.damage:
            data += b"!"
        sent, arrived = resource["crc32c"], crc32c(data)
        if sent != arrived:
            message = f'Provided CRC32C "{sent}" doesn\'t match calculated CRC32C "{arrived}".'
            return _storage_error(400, message, "invalid")
        condition = condition or request.query_params.get("ifGenerationMatch", "")
        if condition == "0" and name in self.objects[bucket]:
            return _storage_error(
                412, "At least one of the pre-conditions you specified did not hold.", "conditionNotMet"
            )
        self.put(bucket, name, data, content_type, **resource.get("metadata", {}))
        return JSONResponse(self.objects[bucket][name].resource(bucket, name))

    def _metadata(self, request: Request) -> Response:
        flavor = {"Metadata-Flavor": "Google"}
        path = request.url.path.strip("/")
        account = "computeMetadata/v1/instance/service-accounts"
        if path.endswith("/token"):
            return JSONResponse({"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}, headers=flavor)
        if path.startswith(account):
            scopes = ["https://www.googleapis.com/auth/cloud-platform"]
            return JSONResponse({"aliases": ["default"], "email": EMAIL, "scopes": scopes}, headers=flavor)
        texts = {
            "computeMetadata/v1/project/project-id": "spring-launch-4711",
            "computeMetadata/v1/universe/universe-domain": "googleapis.com",
        }
        return PlainTextResponse(texts.get(path, ""), headers=flavor)


def _storage_error(code: int, message: str, reason: str) -> Response:
    errors = [{"message": message, "domain": "global", "reason": reason}]
    return JSONResponse({"error": {"code": code, "message": message, "errors": errors}}, code)


class Server:
    """Runs the fake in a thread: an HTTP server, and the TLS proxy in front of it."""

    def __init__(self, google: FakeGoogle) -> None:
        self._google = google
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._started = threading.Event()
        self._stop = asyncio.Event()

    def __enter__(self) -> FakeGoogle:
        make_certificate(self._google.folder)
        self._thread.start()
        self._started.wait(30)
        return self._google

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        methods = ["GET", "POST", "PUT", "DELETE"]
        app = Starlette(routes=[Route("/{path:path}", self._google.answer, methods=methods)])
        config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="none", http="h11")
        server = uvicorn.Server(config)
        listening = socket.create_server((LOOPBACK, 0))
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio forgets it for such a socket
        self._google.port = listening.getsockname()[1]
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._google.folder / "authority.pem", self._google.folder / "key.pem")
        proxy = Proxy(context, self._google)
        listener = await asyncio.start_server(proxy.tunnel, LOOPBACK, 0)
        self._google.proxy_port = listener.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        listener.close()
        await proxy.close()
        server.should_exit = True
        await serving
        listening.close()
        for _ in range(TURNS):
            await asyncio.sleep(0)


class Proxy:
    """Answers CONNECT, ends TLS, passes the bytes on to a port."""

    def __init__(self, context: ssl.SSLContext, google: FakeGoogle) -> None:
        self._context = context
        self._google = google
        self._tunnels: set[asyncio.Task[Any]] = set()

    async def tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tunnels.add(task)
        writers = [writer]
        try:
            asked = await reader.readuntil(b"\r\n\r\n")
            if asked.split(b" ")[1].partition(b":")[0].decode() in self._google.unreachable:
                writer.write(b"HTTP/1.1 502 Bad gateway\r\nContent-Length: 0\r\n\r\n")
                writer.close()
                await writer.wait_closed()
                return
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await writer.start_tls(self._context)
            self._google.connections.add(writer)
            inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, self._google.port)
            writers.append(inner_writer)
            await asyncio.gather(pipe(reader, inner_writer), pipe(inner_reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # cancelled only by `close`; Python 3.11 would report a cancelled handler as an error
        finally:
            self._google.connections.discard(writer)
            for each in writers:
                each.transport.abort()
            self._tunnels.discard(task)

    async def close(self) -> None:
        """End all connections."""
        tunnels = list(self._tunnels)
        for task in tunnels:
            task.cancel()
        await asyncio.gather(*tunnels, return_exceptions=True)


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until there are no more."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def make_certificate(folder: Path) -> None:
    """A certificate for Google's hosts that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake Google")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int(time.time()))
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (folder / "authority.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
