"""What every component has in common: its type's name and the order its children wait for."""

from collections.abc import Sequence

import pulumi


class Component(pulumi.ComponentResource):
    """A group of resources.

    Pulumi does not hand a component's `depends_on` on to its children, so it is kept here and given to each child
    by `_options`.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        *,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Start a component.

        Args:
            kind: what it is, such as Network; part of its type.
            name: prefix of the logical names of its children.
            after: what must exist before any child is created.
            opts: options of the component itself.
        """
        super().__init__(f"plantain:infra:{kind}", name, None, opts)
        self._after = tuple(dict.fromkeys(after))

    def _options(
        self,
        *,
        after: Sequence[pulumi.Resource] = (),
        delete_before_replace: bool | None = None,
        ignore_changes: list[str] | None = None,
        hooks: pulumi.ResourceHookBinding | None = None,
        protect: bool | None = None,
        deleted_with: pulumi.Resource | None = None,
    ) -> pulumi.ResourceOptions:
        """Options for a child.

        Args:
            after: what must exist before it, besides what the whole component waits for.
            delete_before_replace: for what has a fixed name.
            ignore_changes: properties that others write.
            hooks: what the engine calls around its changes.
            protect: whether the engine refuses to delete it.
            deleted_with: a resource whose deletion ends this one too, so that it needs no call of its own.
        """
        return pulumi.ResourceOptions(
            parent=self,
            depends_on=list(dict.fromkeys((*self._after, *after))),
            protect=protect,
            deleted_with=deleted_with,
            delete_before_replace=delete_before_replace,
            ignore_changes=ignore_changes,
            hooks=hooks,
        )
