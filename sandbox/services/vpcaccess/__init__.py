"""Serverless VPC Access: connectors."""

from __future__ import annotations

from sandbox.services import locations
from sandbox.services.registry import Service
from sandbox.services.vpcaccess import connectors

SERVICE = Service(
    name="vpcaccess",
    title="Serverless VPC Access API",
    prefix=connectors.Connector.package,
    resources=(connectors.Connector,),
    handlers=locations.handlers("vpcaccess", locations.REGIONS),
)
