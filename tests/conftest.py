"""For all tests: how Hypothesis and Ctrl-C behave, and the report of failures that no test raised."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.plantain.raised_report import RaisedReport

# How long an example takes says how busy the machine is, and nothing about what is tested.
settings.register_profile(
    "unhurried",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")


def pytest_configure(config: pytest.Config) -> None:
    # A shell's background jobs ignore it, and so would their children.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(RaisedReport(), "failures that no test raised")
