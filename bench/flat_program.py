"""The flat program of ``bench.preview``: declares the resources of resources.json, one after the other."""

import importlib
import json
from pathlib import Path

import pulumi
import pulumi_gcp as gcp

config = pulumi.Config("plantain")
urls = {f"{name}_custom_endpoint": url for name, url in config.require_object("endpoints").items()}
google = gcp.Provider("google", access_token=config.require("accessToken"), **urls)
made: dict[str, pulumi.Resource] = {}
for resource in json.loads(Path(__file__).with_name("resources.json").read_text()):
    module, _, name = resource["type"].removeprefix("gcp:").partition("/")
    kind = getattr(importlib.import_module(f"pulumi_gcp.{module}"), name.partition(":")[2])
    snake = {
        "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key): value
        for key, value in resource["inputs"].items()
    }
    if "contentType" in resource["inputs"]:
        snake["source"] = pulumi.FileAsset(__file__)  # the archive was recorded by its path
    after = [made[urn] for urn in resource["after"] if urn in made]
    options = pulumi.ResourceOptions(provider=google, depends_on=after)
    made[resource["urn"]] = kind(resource["name"], **snake, opts=options)
