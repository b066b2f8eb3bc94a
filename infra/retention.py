"""What may be deleted: the provider's deletion policies, decided once per stack.

Policies are written on every resource whose loss cannot be undone, because the provider's defaults differ by
resource and by major version.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Retention:
    """Deletion policies by kind of resource.

    Attributes:
        project: PREVENT makes a destroy fail before anything is deleted.
        bucket: as project.
        perimeter: as project. Deleting a perimeter opens every project in it, those of other stacks too.
        key: ABANDON leaves a key and its versions as they are. Deleting the resource would schedule every version
            for destruction, and with it everything it ever encrypted.
        protect: whether the engine refuses, before it deletes anything else, to delete any of the above. A deletion
            policy alone is noticed only when the resource's turn comes.
        force_destroy: whether a bucket may be deleted with objects in it.
    """

    project: str
    bucket: str
    perimeter: str
    key: str
    protect: bool
    force_destroy: bool


KEEP = Retention(
    project="PREVENT", bucket="PREVENT", perimeter="PREVENT", key="ABANDON", protect=True, force_destroy=False
)
DISCARD = Retention(
    project="DELETE", bucket="DELETE", perimeter="DELETE", key="DELETE", protect=False, force_destroy=True
)


def retention(*, deletion_protection: bool) -> Retention:
    """The policies of a stack."""
    return KEEP if deletion_protection else DISCARD
