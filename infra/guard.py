"""What makes a destroy of a protected stack fail before it deletes anything.

The engine deletes in reverse order of dependencies and looks at protection only when a resource's turn comes: a
destroy would take the function, grants and alerts away before it met a protected bucket. A guard depends on
everything it guards, so its turn comes first.
"""

from collections.abc import Sequence

import pulumi

from infra.component import Component


class Guard(Component):
    """A component without resources that is deleted before what it guards."""

    def __init__(
        self,
        name: str,
        *,
        guarded: Sequence[pulumi.Resource],
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Guard resources.

        Args:
            name: what is guarded.
            guarded: components or resources; of a component, all children.
            protect: whether the guard stands in the way. A guard that does not is still there, so that protection
                can be switched off by an update.
            opts: options of the component.
        """
        options = pulumi.ResourceOptions(depends_on=list(guarded), protect=protect)
        super().__init__("Guard", name, opts=pulumi.ResourceOptions.merge(options, opts))
        self.register_outputs({})
