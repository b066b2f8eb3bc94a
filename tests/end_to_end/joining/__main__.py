"""A stack that does nothing but join: the smallest that several of can be deployed at the same moment."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:] = [str(ROOT), str(ROOT / "functions"), *[entry for entry in sys.path if entry != str(ROOT / "joining")]]

from infra import provider_modules  # noqa: E402 - the path comes first

provider_modules.install()

import pulumi  # noqa: E402 - as above

from infra import provider, settings  # noqa: E402 - the path comes first
from infra.google_api import GoogleApi  # noqa: E402 - the path comes first
from infra.membership import Membership  # noqa: E402 - the path comes first
from infra.perimeter_settings import JoinedPerimeter  # noqa: E402 - the path comes first
from infra.readiness import Readiness, member_of  # noqa: E402 - the path comes first

stack = settings.load()
assert isinstance(stack.perimeter, JoinedPerimeter)
number = pulumi.Config("joining").require("number")
google = pulumi.ResourceOptions(provider=provider.google(stack, stack=pulumi.get_stack()))
member = Membership(pulumi.get_stack(), stack.perimeter, number=pulumi.Output.from_input(number), opts=google)
inside = Readiness(
    "inside",
    GoogleApi.of(stack),
    [member_of(stack.perimeter.perimeter, f"projects/{number}", "status")],
    after=[member],
)
pulumi.export("waitedFor", inside.done.output)
