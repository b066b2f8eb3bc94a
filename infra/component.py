"""What every component has in common: its type's name, the order it waits for, and how its children end."""

from collections.abc import Sequence

import pulumi


class Component(pulumi.ComponentResource):
    """A group of resources.

    Pulumi hands neither `depends_on` nor `deleted_with` of a component on to its children, so both are kept here
    and given to each child by `_options`.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        *,
        after: Sequence[pulumi.Resource] = (),
        project: pulumi.Resource | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Start a component.

        Args:
            kind: what it is, such as Network; part of its type.
            name: prefix of the logical names of its children.
            after: what must exist before any child is created.
            project: the project the children live in. When that is deleted, they are not deleted one by one: it
                is faster, and a subnet whose addresses Cloud Run still holds cannot stand in the way.
            opts: options of the component itself.
        """
        super().__init__(f"plantain:infra:{kind}", name, None, opts)
        self._after = tuple(after)
        self._project_resource = project

    def _options(
        self,
        *,
        after: Sequence[pulumi.Resource] = (),
        delete_before_replace: bool | None = None,
        ignore_changes: list[str] | None = None,
        hooks: pulumi.ResourceHookBinding | None = None,
        ends_with_project: bool = True,
    ) -> pulumi.ResourceOptions:
        """Options for a child.

        Args:
            after: what must exist before it, besides what the whole component waits for.
            delete_before_replace: for what has a fixed name.
            ignore_changes: properties that others write.
            hooks: what the engine calls around its changes.
            ends_with_project: False for what has to be deleted on its own before its project.
        """
        return pulumi.ResourceOptions(
            parent=self,
            depends_on=[*self._after, *after],
            deleted_with=self._project_resource if ends_with_project else None,
            delete_before_replace=delete_before_replace,
            ignore_changes=ignore_changes,
            hooks=hooks,
        )
