"""Google's clients of what runs and watches, unchanged: they make, read, list, change and delete over gRPC."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core import exceptions

from tests.sandbox.clients.conftest import REGION, package

#: google.api.MetricDescriptor.ValueType
INT64 = 2


def test_repositories(place: str, name: str) -> None:
    library = package("cloud.artifactregistry_v1")
    client = library.ArtifactRegistryClient()
    made = client.create_repository(
        parent=place, repository_id=name, repository=library.Repository(format_=library.Repository.Format.DOCKER)
    ).result(timeout=20)
    assert client.get_repository(name=made.name).format_ == library.Repository.Format.DOCKER
    made.description = "images"
    assert client.update_repository(repository=made, update_mask={"paths": ["description"]}).description == "images"
    assert made.name in [item.name for item in client.list_repositories(parent=place)]
    client.delete_repository(name=made.name).result(timeout=20)
    with pytest.raises(exceptions.NotFound):
        client.get_repository(name=made.name)


def test_worker_pools(place: str, name: str) -> None:
    library = package("cloud.devtools.cloudbuild_v1")
    client = library.CloudBuildClient()
    pool = {"private_pool_v1_config": {"worker_config": {"machine_type": "e2-standard-2", "disk_size_gb": 100}}}
    client.create_worker_pool({"parent": place, "worker_pool_id": name, "worker_pool": pool}).result(timeout=20)
    found = client.get_worker_pool({"name": f"{place}/workerPools/{name}"})
    assert found.state == library.WorkerPool.State.RUNNING
    assert [item.name for item in client.list_worker_pools({"parent": place})] == [found.name]
    client.delete_worker_pool({"name": f"{place}/workerPools/{name}"}).result(timeout=20)
    with pytest.raises(exceptions.NotFound):
        client.get_worker_pool({"name": f"{place}/workerPools/{name}"})


def test_connectors_to_networks(place: str) -> None:
    library = package("cloud.vpcaccess_v1")
    client = library.VpcAccessServiceClient()
    with pytest.raises(exceptions.GoogleAPICallError):
        client.get_connector(name=f"{place}/connectors/none")
    assert list(client.list_connectors(parent=place)) == []


def test_dashboards(project: str, name: str) -> None:
    library, parent = package("cloud.monitoring_dashboard_v1"), f"projects/{project}"
    client = library.DashboardsServiceClient()
    widget = {"text": {"content": "hello", "format_": "RAW"}}
    dashboard = {"display_name": name, "column_layout": {"columns": [{"widgets": [widget]}]}}
    made = client.create_dashboard({"parent": parent, "dashboard": dashboard})
    assert client.get_dashboard({"name": made.name}).column_layout.columns[0].widgets[0].text.content == "hello"
    made.display_name = "b"
    assert client.update_dashboard({"dashboard": made}).display_name == "b"
    assert made.name in [item.name for item in client.list_dashboards({"parent": parent})]
    client.delete_dashboard({"name": made.name})
    with pytest.raises(exceptions.NotFound):
        client.get_dashboard({"name": made.name})


def test_time_series_channels_services_and_uptime(project: str, name: str) -> None:
    library, parent = package("cloud.monitoring_v3"), f"projects/{project}"
    metrics = library.MetricServiceClient()
    kind = f"custom.googleapis.com/{name}"
    point = {"interval": {"end_time": {"seconds": 1795280000}}, "value": {"int64_value": 3}}
    series = {"metric": {"type": kind}, "resource": {"type": "global"}, "points": [point]}
    metrics.create_time_series(name=parent, time_series=[series])
    assert metrics.get_metric_descriptor(name=f"{parent}/metricDescriptors/{kind}").value_type == INT64
    interval = {"start_time": {"seconds": 1795270000}, "end_time": {"seconds": 1795290000}}
    found = metrics.list_time_series({"name": parent, "filter": f'metric.type = "{kind}"', "interval": interval})
    assert [item.points[0].value.int64_value for item in found] == [3]
    metrics.delete_metric_descriptor(name=f"{parent}/metricDescriptors/{kind}")
    channels = library.NotificationChannelServiceClient()
    channel = {"type_": "email", "labels": {"email_address": "a@example.com"}}
    made = channels.create_notification_channel(name=parent, notification_channel=channel)
    assert made.name in [item.name for item in channels.list_notification_channels(name=parent)]
    channels.delete_notification_channel(name=made.name)
    services = library.ServiceMonitoringServiceClient()
    service = services.create_service({"parent": parent, "service_id": name, "service": {"custom": {}}})
    indicator: Any = {"basic_sli": {"availability": {}}}
    assert services.get_service(name=service.name).name == service.name
    with pytest.raises(exceptions.GoogleAPICallError):
        services.create_service_level_objective(
            parent=service.name, service_level_objective={"service_level_indicator": indicator, "goal": 2}
        )
    services.delete_service(name=service.name)
    with pytest.raises(exceptions.NotFound):
        channels.get_notification_channel(name=made.name)


def test_sinks_and_metrics_of_logs(project: str, name: str) -> None:
    client, parent = package("cloud.logging_v2").Client(project=project), f"projects/{project}"
    sink = client.sink(name, filter_="severity>=ERROR", destination=f"pubsub.googleapis.com/{parent}/topics/none")
    with pytest.raises(exceptions.GoogleAPICallError):
        client.sink(name, filter_="severity >> 3", destination=sink.destination).create()
    sink.create()
    assert name in [item.name for item in client.list_sinks()]
    sink.delete()
    metric = client.metric(name, filter_="severity>=ERROR", description="errors")
    metric.create()
    assert metric.exists()
    metric.description = "b"
    metric.update()
    metric.reload()
    assert metric.description == "b"
    metric.delete()
    assert not metric.exists()
    config = package("cloud.logging_v2.services.config_service_v2").ConfigServiceV2Client()
    bucket = {"parent": f"{parent}/locations/{REGION}", "bucket_id": name, "bucket": {"retention_days": 7}}
    made = config.create_bucket_async(bucket).result(timeout=20)
    assert made.retention_days == 7


def test_functions_run_and_assets_list_nothing_by_the_wrong_name(project: str, place: str, name: str) -> None:
    functions = package("cloud.functions_v2").FunctionServiceClient()
    assert list(functions.list_functions(parent=place)) == []
    with pytest.raises(exceptions.NotFound):
        functions.get_function(name=f"{place}/functions/none")
    library = package("cloud.run_v2")
    run = library.ServicesClient()
    service = library.Service({"template": {"containers": [{"image": "gcr.io/cloudrun/hello"}]}})
    made = run.create_service(parent=place, service_id=name, service=service).result(timeout=20)
    made.labels["team"] = "images"
    assert dict(run.update_service(service=made).result(timeout=20).labels) == {"team": "images"}
    assert made.name in [item.name for item in run.list_services(parent=place)]
    run.delete_service(name=made.name).result(timeout=20)
    with pytest.raises(exceptions.NotFound):
        run.get_service(name=made.name)
    assets = package("cloud.asset_v1").AssetServiceClient()
    found = assets.search_all_resources(scope=f"projects/{project}")
    assert any(item.asset_type == "cloudresourcemanager.googleapis.com/Project" for item in found)


def test_keys_secrets_and_queues(project: str, place: str, name: str) -> None:
    library = package("cloud.kms_v1")
    keys = library.KeyManagementServiceClient()
    ring = keys.create_key_ring(parent=place, key_ring_id=name, key_ring={})
    purpose = library.CryptoKey.CryptoKeyPurpose.ASYMMETRIC_SIGN
    template = {"algorithm": library.CryptoKeyVersion.CryptoKeyVersionAlgorithm.EC_SIGN_P256_SHA256}
    key = keys.create_crypto_key(
        parent=ring.name, crypto_key_id="sign", crypto_key={"purpose": purpose, "version_template": template}
    )
    version = f"{key.name}/cryptoKeyVersions/1"
    assert keys.asymmetric_sign(name=version, digest={"sha256": bytes(32)}).signature
    key.labels["team"] = "images"
    assert keys.update_crypto_key(crypto_key=key, update_mask={"paths": ["labels"]}).labels["team"] == "images"
    assert keys.destroy_crypto_key_version(name=version).state.name == "DESTROY_SCHEDULED"
    with pytest.raises(exceptions.FailedPrecondition):
        keys.asymmetric_sign(name=version, digest={"sha256": bytes(32)})
    secrets = package("cloud.secretmanager_v1").SecretManagerServiceClient()
    secret = secrets.create_secret(
        parent=f"projects/{project}", secret_id=name, secret={"replication": {"automatic": {}}}
    )
    secrets.add_secret_version(parent=secret.name, payload={"data": b"value"})
    assert secrets.access_secret_version(name=f"{secret.name}/versions/latest").payload.data == b"value"
    secrets.delete_secret(name=secret.name)
    with pytest.raises(exceptions.NotFound):
        secrets.get_secret(name=secret.name)
    tasks = package("cloud.tasks_v2").CloudTasksClient()
    queue = tasks.create_queue(parent=place, queue={"name": f"{place}/queues/{name}"})
    queue.rate_limits.max_dispatches_per_second = 5
    assert tasks.update_queue(queue=queue).rate_limits.max_dispatches_per_second == 5
    assert queue.name in [item.name for item in tasks.list_queues(parent=place)]
    tasks.delete_queue(name=queue.name)
    with pytest.raises(exceptions.NotFound):
        tasks.get_queue(name=queue.name)


def test_zones_which_have_rest_alone(project: str, name: str) -> None:
    zone = package("cloud.dns").Client(project=project).zone(name, "example.com.", description="images")
    zone.create()
    assert zone.exists()
    zone.delete()
    assert not zone.exists()
