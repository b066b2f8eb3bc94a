"""Services and their service level objectives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.services.monitoring.resource import MonitoringResource

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

KIND = "monitoring.services"
HIGHEST_GOAL = 0.9999


class Numbered(MonitoringResource):
    """Answers with the project's number in names."""

    package = "google.monitoring.v3"
    parameter = ""

    def identifier(self, call: Call) -> str:
        """The caller's id, or a generated one."""
        return call.query.get(self.parameter) or call.cloud.identifiers.uuid(self.kind).replace("-", "")[:22]

    def view(self, call: Call, document: Document) -> Document:
        """Named by the project's number."""
        return super().view(call, {**document, "name": call.cloud.hierarchy.numbered(document["name"])})

    def duplicate(self, call: Call, name: str) -> AlreadyExists:
        """Names the resource."""
        del call
        return AlreadyExists(f"{name} already exists.")


class Service(Numbered):
    """Something that objectives are set for."""

    kind = KIND
    parameter = "serviceId"

    def deleting(self, call: Call, document: Document) -> None:
        """Its objectives go with it."""
        del document
        call.cloud.store.delete_below(call.name)

    def missing(self, call: Call) -> NotFound:
        """Names service and project."""
        number = call.cloud.hierarchy.project_number(call.project or "")
        return NotFound(f"There is no service with id '{call.name.rpartition('/')[2]}' in project '{number}'")


class Objective(Numbered):
    """How good a service shall be."""

    kind = "monitoring.serviceLevelObjectives"
    parameter = "serviceLevelObjectiveId"

    def prepare(self, call: Call, document: Document) -> None:
        """The service exists, the goal is one, the period is of one kind."""
        service = document["name"].partition("/serviceLevelObjectives/")[0]
        if call.cloud.store.get(KIND, service) is None:
            number = call.cloud.hierarchy.project_number(call.project or "")
            raise NotFound(f"There is no service with id '{service.rpartition('/')[2]}' in project '{number}'")
        self.check(document)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """Still a goal and a period."""
        del call, before
        self.check(after)

    @staticmethod
    def check(document: Document) -> None:
        """Refuse what cannot be an objective."""
        if not 0 < float(document.get("goal", 0)) <= HIGHEST_GOAL:
            raise InvalidArgument(f"The goal must be greater than 0 and at most {HIGHEST_GOAL}.")
        if ("rollingPeriod" in document) == ("calendarPeriod" in document):
            raise InvalidArgument("An objective has either a rollingPeriod or a calendarPeriod.")
        if not document.get("serviceLevelIndicator"):
            raise InvalidArgument("An objective needs a serviceLevelIndicator.")

    def missing(self, call: Call) -> NotFound:
        """Names objective, service and project."""
        identity, service = call.name.rpartition("/")[2], call.segment("services")
        return NotFound(f'There is no slo with id "{identity}" under service "{service}" in project "{call.project}"')
