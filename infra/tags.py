"""Resource Manager tags: what organisation policies and IAM conditions can ask for, as they cannot for labels."""

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from infra.campaign_model import Campaign, Labels
from infra.component import Component
from infra.governance_settings import Tags
from infra.settings import Settings


class TagKeys(Component):
    """Tag keys of the organisation, one for each label that is mirrored, with all values the label may have.

    Attributes:
        values: tag values by label and value.
    """

    def __init__(self, settings: Settings, tags: Tags, *, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("TagKeys", "tags", opts=opts)
        self.values: Mapping[str, Mapping[str, gcp.tags.TagValue]] = {
            label: self._key(settings, label) for label in tags.keys
        }
        self.register_outputs({})

    def _key(self, settings: Settings, label: str) -> dict[str, gcp.tags.TagValue]:
        key = gcp.tags.TagKey(
            f"tag-{label}",
            parent=f"organizations/{settings.organization}",
            short_name=f"plantain-{label}",
            description=f"The label {label} of campaigns.",
            opts=self._options(),
        )
        return {
            value: gcp.tags.TagValue(
                f"tag-{label}-{value}",
                parent=key.id,
                short_name=value,
                description=f"{label} is {value}",
                opts=self._options(),
            )
            for value in allowed(label)
        }


class CampaignTags(Component):
    """The tags of one campaign's project."""

    def __init__(
        self,
        campaign: Campaign,
        *,
        number: pulumi.Output[str],
        keys: TagKeys | None,
        bind: tuple[str, ...],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("CampaignTags", campaign.name, opts=opts)
        labels = campaign.labels.as_labels()
        bound: dict[str, pulumi.Input[str]] = {f"{campaign.name}-{value}": value for value in bind}
        for label, values in keys.values.items() if keys else ():
            bound[f"{campaign.name}-{label}"] = values[labels[label]].id
        for name, value in bound.items():
            gcp.tags.TagBinding(
                name,
                parent=number.apply(lambda number: f"//cloudresourcemanager.googleapis.com/projects/{number}"),
                tag_value=value,
                # One project cannot have two values of a key, not even for a moment.
                opts=self._options(delete_before_replace=True),
            )
        self.register_outputs({})


def allowed(label: str) -> list[str]:
    """The values a label of campaigns may have."""
    field = next(field for name, field in Labels.model_fields.items() if (field.alias or name) == label)
    return [str(member) for member in field.annotation or ()]
