"""Where each Google API is reached, when it is not at its public address.

Private endpoints and local stand-ins are given to the provider as arguments, not as environment variables: the
state remembers a provider's arguments, so that a later `pulumi destroy` in a bare shell goes to the same place.
"""

import inspect

import pulumi_gcp as gcp

_SUFFIX = "_custom_endpoint"


def argument_names() -> frozenset[str]:
    """The names `plantain:endpoints` may use: arguments of the provider without their common suffix."""
    parameters = inspect.signature(gcp.ProviderArgs.__init__).parameters
    return frozenset(name.removesuffix(_SUFFIX) for name in parameters if name.endswith(_SUFFIX))


def provider_arguments(endpoints: dict[str, str]) -> dict[str, str]:
    """The provider's arguments for `{"kms": "https://…/v1/"}`."""
    return {f"{name}{_SUFFIX}": url for name, url in endpoints.items()}
