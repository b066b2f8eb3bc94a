"""Labels of what belongs to no campaign: the seed project, the log project, their keys, buckets and topics."""

from pydantic import Field

from infra.model import Model
from infra.naming import LABEL_VALUE_PATTERN


class FoundationLabels(Model):
    """The labels of shared things. They carry the same six keys as a campaign's, so that cost reports need one rule."""

    owner: str = Field(
        pattern=LABEL_VALUE_PATTERN,
        description="who answers for what campaigns share: lower-case letters, digits, hyphens and underscores, such "
        "as cloud-platform",
        examples=["cloud-platform"],
    )
    cost_center: str = Field(
        alias="cost-center",
        pattern=LABEL_VALUE_PATTERN,
        description="who pays for it: lower-case letters, digits, hyphens and underscores, such as cc-1000",
        examples=["cc-1000"],
    )
    env: str = Field(
        default="prod",
        pattern=LABEL_VALUE_PATTERN,
        description="one of dev, test, prod, or a word of your own",
        examples=["prod"],
    )
    data_class: str = Field(
        default="confidential",
        alias="data-class",
        pattern=LABEL_VALUE_PATTERN,
        description="how confidential state and audit logs are: lower-case letters, digits, hyphens and underscores",
        examples=["confidential"],
    )

    def as_labels(self) -> dict[str, str]:
        """The six labels; `campaign` is `shared` and `ends-on` is `never`."""
        return {
            "campaign": "shared",
            "owner": self.owner,
            "cost-center": self.cost_center,
            "env": self.env,
            "data-class": self.data_class,
            "ends-on": "never",
        }
