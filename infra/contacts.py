"""Whom Google tells of security incidents, suspensions and bills: groups, because people leave."""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from infra.component import Component
from infra.governance_settings import Contact


class Contacts(Component):
    """Essential contacts of the folder or organisation; projects below inherit them."""

    def __init__(
        self,
        scope: str,
        contacts: Sequence[Contact],
        *,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Contacts", "contacts", after=after, opts=opts)
        self.contacts = [
            gcp.essentialcontacts.Contact(
                contact.email,
                parent=scope,
                email=contact.email,
                language_tag=contact.language,
                notification_category_subscriptions=sorted(contact.categories),
                opts=self._options(),
            )
            for contact in contacts
        ]
        self.register_outputs({})
