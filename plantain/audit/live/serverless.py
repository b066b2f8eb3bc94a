"""Functions, services, images and which of them may run, queues, topics, secrets, Vertex AI's own resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plantain.audit.live import access
from plantain.audit.live.reader import Reader, last, live, without
from policies.catalogue import Resource


def read(reader: Reader, project: str, locations: Iterable[str]) -> Iterator[Resource]:
    """What runs in a project, in some locations."""
    for location in locations:
        where = {"project": project, "location": location}
        parent = f"projects/{project}/locations/{location}"
        for function in reader.all("cloudfunctions", f"v2/{parent}/functions", "functions"):
            service = dict(function.get("serviceConfig") or {})
            if "directVpcNetworkInterface" in service:
                service["directVpcNetworkInterfaces"] = service.pop("directVpcNetworkInterface")
            properties = {**function, **where, "name": last(function["name"]), "serviceConfig": service}
            yield live("gcp:cloudfunctionsv2/function:Function", function["name"], "cloudfunctions", properties)
            policy = access.policy(reader, "GET", "cloudfunctions", f"v2/{function['name']}:getIamPolicy")
            kind = "gcp:cloudfunctionsv2/functionIamMember:FunctionIamMember"
            scope = {**where, "cloudFunction": function["name"]}
            yield from access.members(kind, function["name"], "cloudfunctions", scope, policy)
        yield from _services(reader, parent, where)
        yield from _repositories(reader, parent, where)
        yield from _queues(reader, parent, where)
        for pool in reader.all("cloudbuild", f"v1/{parent}/workerPools", "workerPools"):
            properties = {**pool, **where, "name": last(pool["name"])}
            yield live(
                "gcp:cloudbuild/workerPool:WorkerPool",
                f"{parent}/workerPools/{last(pool['name'])}",
                "cloudbuild",
                properties,
            )
    yield from _image_policy(reader, project)
    yield from _secrets_and_topics(reader, project)


def _services(reader: Reader, parent: str, where: Mapping[str, Any]) -> Iterator[Resource]:
    for service in reader.all("run", f"v2/{parent}/services", "services"):
        template = dict(service.get("template") or {})
        template["containers"] = [
            {**without(container, "env"), "envs": container.get("env") or []}
            for container in template.get("containers") or ()
        ]
        properties = {**service, **where, "name": last(service["name"]), "template": template}
        yield live("gcp:cloudrunv2/service:Service", service["name"], "run", properties)
        policy = access.policy(reader, "GET", "run", f"v2/{service['name']}:getIamPolicy")
        scope = {**where, "name": service["name"]}
        yield from access.members(
            "gcp:cloudrunv2/serviceIamMember:ServiceIamMember", service["name"], "run", scope, policy
        )


def _repositories(reader: Reader, parent: str, where: Mapping[str, Any]) -> Iterator[Resource]:
    for found in reader.all("artifactregistry", f"v1/{parent}/repositories", "repositories"):
        name = found["name"]
        properties = {**found, **where, "name": last(name), "repositoryId": last(name)}
        yield live("gcp:artifactregistry/repository:Repository", name, "artifactregistry", properties)
        policy = access.policy(reader, "GET", "artifactregistry", f"v1/{name}:getIamPolicy")
        scope = {**where, "repository": name}
        kind = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
        yield from access.members(kind, name, "artifactregistry", scope, policy)


def _image_policy(reader: Reader, project: str) -> Iterator[Resource]:
    """What Binary Authorization says; a project that has the API has a policy, and without it nothing asks for one."""
    found = reader.one("GET", "binaryauthorization", f"v1/projects/{project}/policy", "policy")
    if found is not None:
        properties = {**found, "project": project}
        yield live("gcp:binaryauthorization/policy:Policy", f"projects/{project}", "binaryauthorization", properties)


def _queues(reader: Reader, parent: str, where: Mapping[str, Any]) -> Iterator[Resource]:
    for queue in reader.all("cloudtasks", f"v2/{parent}/queues", "queues"):
        properties = {**queue, **where, "name": last(queue["name"])}
        yield live("gcp:cloudtasks/queue:Queue", queue["name"], "cloudtasks", properties)
        policy = access.policy(reader, "POST", "cloudtasks", f"v2/{queue['name']}:getIamPolicy", posts_options=True)
        scope = {**where, "name": queue["name"]}
        kind = "gcp:cloudtasks/queueIamMember:QueueIamMember"
        yield from access.members(kind, queue["name"], "cloudtasks", scope, policy)


def _secrets_and_topics(reader: Reader, project: str) -> Iterator[Resource]:
    where = {"project": project}
    for secret in reader.all("secretmanager", f"v1/projects/{project}/secrets", "secrets"):
        id_ = f"projects/{project}/secrets/{last(secret['name'])}"
        replication = dict(secret.get("replication") or {})
        if "automatic" in replication:
            replication["auto"] = replication.pop("automatic")
        properties = {**secret, **where, "secretId": last(id_), "replication": replication}
        yield live("gcp:secretmanager/secret:Secret", id_, "secretmanager", properties)
        policy = access.policy(reader, "GET", "secretmanager", f"v1/{id_}:getIamPolicy")
        kind = "gcp:secretmanager/secretIamMember:SecretIamMember"
        yield from access.members(kind, id_, "secretmanager", {**where, "secretId": id_}, policy)
    for topic in reader.all("pubsub", f"v1/projects/{project}/topics", "topics"):
        properties = {**topic, **where, "name": last(topic["name"])}
        yield live("gcp:pubsub/topic:Topic", topic["name"], "pubsub", properties)
        policy = access.policy(reader, "GET", "pubsub", f"v1/{topic['name']}:getIamPolicy")
        scope = {**where, "topic": topic["name"]}
        yield from access.members("gcp:pubsub/topicIAMMember:TopicIAMMember", topic["name"], "pubsub", scope, policy)
    for subscription in reader.all("pubsub", f"v1/projects/{project}/subscriptions", "subscriptions"):
        name = subscription["name"]
        policy = access.policy(reader, "GET", "pubsub", f"v1/{name}:getIamPolicy")
        kind = "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember"
        yield from access.members(kind, name, "pubsub", {**where, "subscription": name}, policy)
