"""Google's own Python clients, unchanged: each makes something, reads it back, and meets one refusal."""

from __future__ import annotations

import subprocess
import sys

import pytest
from google.api_core import exceptions
from google.cloud import (  # type: ignore[attr-defined]  # they ship no types
    asset_v1,
    bigquery,
    functions_v2,
    kms_v1,
    logging_v2,
    pubsub_v1,
    resourcemanager_v3,
    run_v2,
    secretmanager_v1,
    storage,
    tasks_v2,
)
from google.genai import Client

from tests.sandbox.clients.conftest import REGION


def test_resource_manager(project: str, name: str) -> None:
    projects = resourcemanager_v3.ProjectsClient(transport="rest")
    assert projects.get_project(name=f"projects/{project}").state == resourcemanager_v3.Project.State.ACTIVE
    keys = resourcemanager_v3.TagKeysClient(transport="rest")
    made = keys.create_tag_key(
        tag_key=resourcemanager_v3.TagKey(parent=f"projects/{project}", short_name=name)
    ).result()
    assert made.namespaced_name == f"{project}/{name}"
    with pytest.raises(exceptions.Forbidden):
        keys.get_tag_key(name="tagKeys/1")


def test_kms(place: str, name: str) -> None:
    client = kms_v1.KeyManagementServiceClient(transport="rest")
    ring = client.create_key_ring(parent=place, key_ring_id=name, key_ring=kms_v1.KeyRing())
    purpose = kms_v1.CryptoKey.CryptoKeyPurpose.ENCRYPT_DECRYPT
    key = client.create_crypto_key(parent=ring.name, crypto_key_id="key", crypto_key=kms_v1.CryptoKey(purpose=purpose))
    sealed = client.encrypt(name=key.name, plaintext=b"secret").ciphertext
    assert client.decrypt(name=key.name, ciphertext=sealed).plaintext == b"secret"
    with pytest.raises(exceptions.BadRequest, match="Decryption failed"):
        client.decrypt(name=key.name, ciphertext=b"nonsense")


def test_storage(project: str, name: str) -> None:
    client = storage.Client(project=project)
    bucket = client.create_bucket(name, location=REGION)
    bucket.blob("a.txt").upload_from_string("text")
    assert bucket.blob("a.txt").download_as_text() == "text"
    with pytest.raises(exceptions.Conflict):
        bucket.delete()


def test_secret_manager(project: str, name: str) -> None:
    client = secretmanager_v1.SecretManagerServiceClient(transport="rest")
    secret = client.create_secret(
        parent=f"projects/{project}", secret_id=name, secret=secretmanager_v1.Secret({"replication": {"automatic": {}}})
    )
    version = client.add_secret_version(parent=secret.name, payload=secretmanager_v1.SecretPayload(data=b"value"))
    assert client.access_secret_version(name=f"{secret.name}/versions/latest").payload.data == b"value"
    client.disable_secret_version(name=version.name)
    with pytest.raises(exceptions.BadRequest):
        client.access_secret_version(name=version.name)


def test_tasks(place: str, name: str) -> None:
    client = tasks_v2.CloudTasksClient(transport="rest")
    queue = client.create_queue(parent=place, queue=tasks_v2.Queue(name=f"{place}/queues/{name}"))
    client.pause_queue(name=queue.name)
    task = client.create_task(
        parent=queue.name, task=tasks_v2.Task({"http_request": {"url": "https://example.com/run"}})
    )
    assert [item.name for item in client.list_tasks(parent=queue.name)] == [task.name]
    with pytest.raises(exceptions.NotFound):
        client.get_queue(name=f"{place}/queues/none")


def test_pubsub(project: str, name: str) -> None:
    publisher = pubsub_v1.PublisherClient(transport="rest")
    topic, subscription = f"projects/{project}/topics/{name}", f"projects/{project}/subscriptions/{name}"
    publisher.create_topic(name=topic)
    subscriber = pubsub_v1.SubscriberClient(transport="rest")
    subscriber.create_subscription(name=subscription, topic=topic)
    publisher.publish(topic, b"one").result(timeout=30)
    received = subscriber.pull(subscription=subscription, max_messages=5).received_messages
    assert [item.message.data for item in received] == [b"one"]
    with pytest.raises(exceptions.Conflict):
        publisher.create_topic(name=topic)


def test_logging(project: str, name: str) -> None:
    client = logging_v2.Client(project=project, _use_grpc=False)
    client.logger(name).log_struct({"event": "outcome"}, severity="WARNING")
    found = list(client.list_entries(filter_=f'logName="projects/{project}/logs/{name}" severity>=WARNING'))
    assert [entry.payload for entry in found] == [{"event": "outcome"}]
    with pytest.raises(exceptions.BadRequest):
        list(client.list_entries(filter_="severity >> 3"))


def test_functions(place: str) -> None:
    client = functions_v2.FunctionServiceClient(transport="rest")
    assert "python313" in [item.name for item in client.list_runtimes(parent=place).runtimes]
    assert list(client.list_functions(parent=place)) == []
    with pytest.raises(exceptions.NotFound):
        client.get_function(name=f"{place}/functions/none")


def test_run(project: str, place: str, name: str) -> None:
    client = run_v2.ServicesClient(transport="rest")
    service = {"template": {"containers": [{"image": "gcr.io/cloudrun/hello"}]}}
    made = client.create_service(parent=place, service_id=name, service=run_v2.Service(service)).result()
    assert made.template.service_account.endswith("-compute@developer.gserviceaccount.com")
    assert [item.name for item in client.list_services(parent=place)] == [made.name]
    with pytest.raises(exceptions.NotFound, match="not found"):
        client.get_service(name=f"projects/{project}/locations/{REGION}/services/none")


def test_asset(project: str, name: str) -> None:
    storage.Client(project=project).create_bucket(name, location=REGION)
    client = asset_v1.AssetServiceClient(transport="rest")
    found = client.search_all_resources(scope=f"projects/{project}", asset_types=["storage.googleapis.com/Bucket"])
    assert f"//storage.googleapis.com/{name}" in [item.name for item in found]
    with pytest.raises(exceptions.GoogleAPICallError):
        list(client.search_all_resources(scope="projects/none-of-ours"))


def test_bigquery(project: str, name: str) -> None:
    client = bigquery.Client(project=project)
    client.create_dataset(name)
    schema = [bigquery.SchemaField("campaign", "STRING"), bigquery.SchemaField("cost", "NUMERIC")]
    table = client.create_table(bigquery.Table(f"{project}.{name}.costs", schema=schema))
    rows = [{"campaign": "a", "cost": "1.5"}, {"campaign": "a", "cost": "2"}]
    assert client.insert_rows_json(table, rows) == []
    answer = client.query_and_wait(f"SELECT campaign, SUM(cost) AS cost FROM `{name}.costs` GROUP BY campaign")  # noqa: S608 -- a name made above
    assert [(row.campaign, str(row.cost)) for row in answer] == [("a", "3.5")]
    with pytest.raises(exceptions.BadRequest):
        client.query_and_wait("SELECT nonsense FROM nowhere")


def test_genai(project: str) -> None:
    client = Client(vertexai=True, project=project, location="global")
    answer = client.models.generate_content(model="gemini-3-pro-image", contents="a red kite")
    assert answer.parts is not None
    assert any(part.inline_data for part in answer.parts)
    with pytest.raises(Exception, match="was not found"):
        client.models.generate_content(model="gemini-0", contents="a red kite")


DISCOVERY = """
import sys
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

project, name = sys.argv[1:]
policies = build("monitoring", "v3", static_discovery=True).projects().alertPolicies()
series = 'metric.type="run.googleapis.com/request_count" AND resource.type="cloud_run_revision"'
absent = {"filter": series, "duration": "300s"}
condition = {"displayName": "absent", "conditionAbsent": absent}
body = {"displayName": name, "combiner": "OR", "conditions": [condition]}
made = policies.create(name=f"projects/{project}", body=body).execute()
assert policies.get(name=made["name"]).execute()["displayName"] == name
accounts = build("iam", "v1", static_discovery=True).projects().serviceAccounts()
accounts.create(name=f"projects/{project}", body={"accountId": name}).execute()
compute = build("compute", "v1", static_discovery=True)
network = {"name": name, "autoCreateSubnetworks": False}
insert = compute.networks().insert(project=project, body=network).execute()
assert compute.globalOperations().wait(project=project, operation=insert["name"]).execute()["status"] == "DONE"
assert compute.networks().get(project=project, network=name).execute()["selfLink"].endswith(f"/global/networks/{name}")
compute.networks().delete(project=project, network=name).execute()
policies = build("accesscontextmanager", "v1", static_discovery=True).accessPolicies()
if not policies.list(parent="organizations/123456789012").execute():
    policies.create(body={"parent": "organizations/123456789012", "title": "policy"}).execute()
policy = policies.list(parent="organizations/123456789012").execute()["accessPolicies"][0]["name"]
level = {"name": f"{policy}/accessLevels/{name}", "title": name, "basic": {"conditions": [{"regions": ["CH"]}]}}
operation = policies.accessLevels().create(parent=policy, body=level).execute()
assert policies.accessLevels().get(name=level["name"]).execute()["basic"] == level["basic"]
policies.accessLevels().delete(name=level["name"]).execute()
try:
    accounts.create(name=f"projects/{project}", body={"accountId": name}).execute()
except HttpError as error:
    print(error.resp.status)
"""


def test_monitoring_iam_compute_and_access_levels_through_the_discovery_client(project: str, name: str) -> None:
    # A process of its own: httplib2 looks for its certificates when it is imported.
    command = [sys.executable, "-W", "ignore", "-c", DISCOVERY, project, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.stdout.strip(), done.returncode) == ("409", 0), done.stderr
