"""Build triggers: kept as configured. Nothing starts them, since no repository is outside.

Source: https://docs.cloud.google.com/build/docs/api/reference/rest/v1/projects.locations.triggers (read 2026-11).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import AlreadyExists, InvalidArgument, NotFound
from sandbox.resources import Resource

if TYPE_CHECKING:
    from sandbox.call import Call

Document = dict[str, Any]

NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?")
#: Where a trigger's build is described: exactly one of them.
TEMPLATES = ("autodetect", "build", "filename", "gitFileSource")
#: Below a project alone lie the triggers of this location.
GLOBAL = "locations/global/triggers"


class Trigger(Resource):
    """A trigger, named by its id or by the name that its maker gave it."""

    kind = "cloudbuild.triggers"
    package = "google.devtools.cloudbuild.v1"
    message = "BuildTrigger"
    short_name = True

    def located(self, call: Call) -> str:
        """The called name with its location."""
        return re.sub(r"^(projects/[^/]+)/triggers", rf"\1/{GLOBAL}", call.name)

    def new_name(self, call: Call) -> str:
        """An id, below the location."""
        return f"{self.located(call)}/{call.cloud.identifiers.uuid('triggers')}"

    def create(self, call: Call) -> Any:
        """Under an id that is made, so that the answer names it."""
        document = self.accept(call)
        name = self.new_name(call)
        others = self.below(call)
        taken = {other["name"] for other in others}
        document.setdefault("name", next(n for n in self.generated() if n not in taken))
        if document["name"] in taken:
            raise AlreadyExists(f"trigger ({call.project}, {document['name']}) already exists")
        document |= {"id": name.rpartition("/")[2], "resourceName": name}
        self.stamp(call, document, created=True)
        self.check(document)
        call.cloud.store.put(self.kind, name, document)
        return self.view(call, document)

    @staticmethod
    def generated() -> Any:
        """Names for triggers without one."""
        yield "trigger"
        count = 0
        while True:
            count += 1
            yield f"trigger-{count}"

    def check(self, document: Document) -> None:
        """A name that may be, and one description of the build.

        Raises:
            InvalidArgument: it is not so.
        """
        if not NAME.fullmatch(document["name"]):
            raise InvalidArgument(
                f"invalid trigger name {document['name']!r}: at most 64 letters, digits and hyphens, none at an end"
            )
        given = [field for field in TEMPLATES if document.get(field)]
        if len(given) != 1:
            raise InvalidArgument(f"a trigger needs exactly one of {', '.join(TEMPLATES)}; it has {given or 'none'}")

    def below(self, call: Call) -> list[Document]:
        """The triggers of the called location."""
        call.name = self.located(call)
        return self.stored(call)

    def listing(self, call: Call) -> Any:
        """Those of a location; of a project alone, the global ones."""
        call.name = self.located(call)
        return super().listing(call)

    def read(self, call: Call) -> Document:
        """By id or by name."""
        place, _, wanted = self.located(call).rpartition("/")
        for name, document in call.cloud.store.items(self.kind, place):
            if wanted in {document["id"], document["name"]}:
                call.name = name
                return document
        raise self.missing(call)

    def patch(self, call: Call) -> Any:
        """Change the masked fields; without a mask all that a caller may write is replaced."""
        return super().patch(call) if call.query.get("updateMask") else self.update(call)

    def changed(self, call: Call, before: Document, after: Document) -> None:
        """What names it stays, unless the caller gives it another name."""
        del call
        after |= {key: before[key] for key in ("id", "resourceName", "createTime")}
        after.setdefault("name", before["name"])
        self.check(after)

    def update(self, call: Call) -> Any:
        """Replace all but what names it."""
        before = self.read(call)
        return self.save(call, before, self.accept(call))

    def missing(self, call: Call) -> NotFound:
        """Does not name what is missing."""
        del call
        return NotFound("Requested entity was not found.")
