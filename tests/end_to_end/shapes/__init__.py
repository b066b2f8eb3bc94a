"""The shapes a stack may have, each put through its whole life with the real engine and full campaigns.

Every shape is a function of a folder and of the steps it records. The tests run some of them, ``python -m
bench.shapes`` all. In each: deployed, a second preview and a refresh that find nothing to do, images where there is a
campaign, what is special about the shape, and a destroy that ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.end_to_end.shapes.adopted_project import adopted_project
from tests.end_to_end.shapes.central_keys import central_keys
from tests.end_to_end.shapes.central_perimeter import central_perimeter
from tests.end_to_end.shapes.foundation import foundation_and_joining
from tests.end_to_end.shapes.seed import state_in_the_bucket
from tests.end_to_end.shapes.two_campaigns import two_campaigns
from tests.end_to_end.steps import Steps

SHAPES: Mapping[str, Callable[[Path, Steps], None]] = {
    "one stack with two campaigns": two_campaigns,
    "foundation and three joining stacks": foundation_and_joining,
    "the customer's own perimeter": central_perimeter,
    "keys in a security project": central_keys,
    "adopted project": adopted_project,
    "seed with its state in the bucket": state_in_the_bucket,
}
