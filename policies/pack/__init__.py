"""The Pulumi policy pack. It runs in an environment of its own, where `pulumi_policy` is installed."""

from policies.pack.pack import serve

__all__ = ["serve"]
