"""Resources as the SDK hands them over, made into those of the catalogue."""

from collections.abc import Mapping
from typing import Any

from pulumi_policy import proxy  # type: ignore[import-not-found,unused-ignore]  # in the pack's environment only

from policies.catalogue import UNKNOWN, Resource

SOURCE = "preview"
UNKNOWN_TEXTS = frozenset(
    {
        proxy.UNKNOWN_ARCHIVE_VALUE,
        proxy.UNKNOWN_ARRAY_VALUE,
        proxy.UNKNOWN_ASSET_VALUE,
        proxy.UNKNOWN_BOOLEAN_VALUE,
        proxy.UNKNOWN_NUMBER_VALUE,
        proxy.UNKNOWN_OBJECT_VALUE,
        proxy.UNKNOWN_STRING_VALUE,
    }
)


def plain(value: Any) -> Any:
    """A value without the SDK's proxies, which raise when an unknown value is so much as looked at."""
    if isinstance(value, proxy._DictProxy | proxy._ListProxy):  # noqa: SLF001 - their way to what they wrap
        value = value["__target"]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str) and value in UNKNOWN_TEXTS:
        return UNKNOWN
    return value


def resource(given: Any, *, dependencies: Mapping[str, list[Any]] | None = None) -> Resource:
    """A resource of the catalogue from arguments of a resource policy, or from a resource of a stack.

    Args:
        given: `ResourceValidationArgs` or `PolicyResource`.
        dependencies: for a stack's resource, the resources that each property comes from.
    """
    provider = given.provider.props if given.provider else None
    project = plain(provider).get("project") if provider is not None else None
    return Resource(
        urn=given.urn,
        type=getattr(given, "resource_type", ""),
        name=given.name,
        properties=plain(given.props),
        source=SOURCE,
        protect=bool(given.opts.protect),
        dependencies={key: [source.urn for source in sources] for key, sources in (dependencies or {}).items()},
        provider_project=project if isinstance(project, str) else None,
    )
