"""Hooks that the engine calls when a change of a resource fails.

Of a resource that the program no longer declares, the engine knows the names of its hooks and no more. So every program
registers all of them, whether it declares such resources or not, under names that never change.
"""

from collections.abc import Callable
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime.settings import get_monitor

from infra import conflict, lien, taken_name

HOOKS: dict[str, Callable[[pulumi.ErrorHookArgs], bool]] = {
    "perimeter-conflict": lambda arguments: conflict.try_again(arguments.errors),
    "project-lien": lien.explain,
    "taken-name": taken_name.explain,
}
_registered: WeakKeyDictionary[object, dict[str, pulumi.ErrorHook]] = WeakKeyDictionary()


def register() -> dict[str, pulumi.ErrorHook]:
    """Register every hook with the engine that runs this program; once, however often it is called."""
    monitor = get_monitor()
    if monitor not in _registered:
        _registered[monitor] = {name: pulumi.ErrorHook(name, call) for name, call in HOOKS.items()}
    return _registered[monitor]


def conflicting() -> pulumi.ResourceHookBinding:
    """For resources that are parts of a document others write too: try again."""
    return pulumi.ResourceHookBinding(on_error=[register()["perimeter-conflict"]])


def held() -> pulumi.ResourceHookBinding:
    """For projects: say what to do about a lien of others."""
    return pulumi.ResourceHookBinding(on_error=[register()["project-lien"]])


def named_once() -> pulumi.ResourceHookBinding:
    """For what is never deleted: say what to do about a name that is taken."""
    return pulumi.ResourceHookBinding(on_error=[register()["taken-name"]])
