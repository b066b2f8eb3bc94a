"""``python -m bench.mutation``: break every condition of every check and count what the cases notice.

Each mutant is one change in a function of `policies/catalogue`: a comparison turned round, a condition inverted, `and`
for `or`, a constant off by one, a property's path or a value misspelt, a verdict swapped. It is killed when at least
one case of tests/policies/cases.py gets another judgement (outcome, reason, properties read, offenders) than the
reviewed one in tests/policies/judgements.json, which a test compares; so do the cases in which a setting decides. The
texts of controls are data and are left alone. The figures go to bench/mutation.json, survivors with their lines.
"""

from __future__ import annotations

import ast
import copy
import importlib.abc
import importlib.util
import json
import os
import sys
import time
from collections.abc import Iterator
from functools import cache
from importlib.machinery import ModuleSpec
from multiprocessing import Pool
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "policies" / "catalogue"
RESULTS = Path(__file__).with_name("mutation.json")
CONTROLS_IN = (
    *("project", "organization", "identity", "inheritance", "perimeter", "network", "keys", "storage"),
    *("serverless", "audit_logs", "alerts", "capacity", "model"),
)
SHARED = ["look", "survey", "resource", "belonging", "context", "control", "addresses"]
SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
VERDICTS = {"fails": "passes", "passes": "fails", "does_not_apply": "passes", "stays_open": "passes"}
SAYING = {*VERDICTS, "offends", "undecided", "says", "result"}


def inverted(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), node)


def sites(tree: ast.Module) -> Iterator[tuple[int, str, Any]]:
    """Line, kind and the mutation itself, which changes a copy of the tree when it is called with the node's number."""
    spoken: set[int] = set()
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        if function.name.startswith("__") and function.name != "__init__":
            continue
        for node in [*(item for body in function.body for item in ast.walk(body))]:
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in SAYING:
                spoken |= {id(part) for argument in node.args for part in ast.walk(argument)}
            if isinstance(node, ast.Raise | ast.JoinedStr):
                spoken |= {id(part) for part in ast.walk(node)}
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                spoken.add(id(node.value))
            yield from mutations(node, spoken)


def mutations(  # noqa: C901, PLR0912 - one branch for each kind of mutation
    node: ast.AST, spoken: set[int]
) -> Iterator[tuple[int, str, Any]]:
    line = getattr(node, "lineno", 0)
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            if type(operator) in SWAPPED:
                yield line, "comparison", (node, "ops", index, SWAPPED[type(operator)]())
    if isinstance(node, ast.BoolOp):
        yield line, "and/or", (node, "op", None, SWAPPED[type(node.op)]())
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield line, "condition", (node, "test", None, inverted(node.test))
    if isinstance(node, ast.comprehension):
        for index, test in enumerate(node.ifs):
            yield test.lineno, "filter", (node, "ifs", index, inverted(test))
    if isinstance(node, ast.Constant) and id(node) not in spoken:
        if isinstance(node.value, bool):
            yield line, "constant", (node, "value", None, not node.value)
        elif isinstance(node.value, int | float):
            yield line, "constant", (node, "value", None, node.value + 1)
        elif isinstance(node.value, str) and node.value:
            yield line, "text", (node, "value", None, node.value + "X")
    if isinstance(node, ast.Attribute) and node.attr in VERDICTS:
        yield line, "verdict", (node, "attr", None, VERDICTS[node.attr])
    if isinstance(node, ast.Continue):
        yield line, "continue", (node, None, None, None)


def mutants(module: str) -> list[tuple[str, int, int, str]]:
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    return [(module, number, line, kind) for number, (line, kind, _) in enumerate(sites(tree))]


def source(module: str, number: int) -> ast.Module:
    """The module with one mutation."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    for index, (_, _, (node, field, position, value)) in enumerate(sites(tree)):
        if index != number:
            continue
        if field is None:
            node.__class__ = ast.Break
        elif position is None:
            setattr(node, field, copy.deepcopy(value) if isinstance(value, ast.AST) else value)
        else:
            getattr(node, field)[position] = value
        break
    return ast.fix_missing_locations(tree)


class Cases:
    """All cases with the outcomes of the real code."""

    def __init__(self) -> None:
        self.by_control: dict[str, list[tuple[Any, Any, Any]]] = {}
        for control, subject, around in self.judged():
            entry = (subject, around, outcome(control, subject, around))
            self.by_control.setdefault(control.id, []).append(entry)

    @classmethod
    def each(cls) -> Iterator[tuple[str, Any]]:
        """Control and outcome of every case, one after the other."""
        for control, subject, around in cls.judged():
            yield control.id, outcome(control, subject, around)

    @staticmethod
    def judged() -> Iterator[tuple[Any, Any, Any]]:
        """Control, subject and surroundings of every case."""
        from tests.policies.cases import ALLOWING, CASES, DECIDING  # noqa: PLC0415 - a mutant is imported anew
        from tests.policies.test_catalogue import JUDGED, surroundings  # noqa: PLC0415 - a mutant is imported anew
        from tests.policies.world import changed, context, world  # noqa: PLC0415 - a mutant is imported anew

        for control in JUDGED:
            cases = CASES[control.id]
            for changes in ({}, *cases.bad, *cases.unknown, *cases.free, *cases.good):
                resources = changed(world(), changes)
                around = surroundings(control, resources)
                subjects = [None] if control.of_stack else [resources[name] for name in cases.subjects]
                yield from ((control, subject, around) for subject in subjects)
        for name, changes, parameters in (*DECIDING, *ALLOWING):
            control = next(found for found in JUDGED if found.id == name)
            resources = changed(world(), changes)
            around = context(resources, models=surroundings(control, resources).models, parameters=parameters)
            judged = [r for r in resources.values() if control.applies_to(r.type)]
            yield from ((control, subject, around) for subject in ([None] if control.of_stack else judged))

    def notice(self, controls: Any) -> bool:
        """Whether a case gets another outcome from these controls."""
        for control in controls:
            for subject, around, expected in self.by_control.get(control.id, ()):
                if outcome(control, subject, around) != expected:
                    return True
        return False


def outcome(control: Any, subject: Any, around: Any) -> tuple[Any, ...]:
    try:
        verdict = control.check(subject, around)
    except Exception as error:  # noqa: BLE001 - a crash is an outcome too
        return (type(error).__name__,)
    return (
        str(verdict.status),
        verdict.reason,
        tuple(sorted({reading.path for reading in verdict.readings})),
        tuple(sorted(verdict.offenders)),
    )


_cases: Cases | None = None


def killed(mutant: tuple[str, int, int, str]) -> bool:
    global _cases  # noqa: PLW0603 - made once in each process
    module, number, _, _ = mutant
    if module in SHARED:
        return killed_apart(mutant)
    if _cases is None:
        _cases = Cases()
    namespace = {"__name__": f"policies.catalogue.{module}", "__file__": str(FOLDER / f"{module}.py")}
    try:
        exec(compile(source(module, number), f"{module}.py", "exec"), namespace)  # noqa: S102 - our own code, mutated
    except Exception:  # noqa: BLE001 - a module that cannot even be imported is noticed
        return True
    # What another module uses of this one is noticed in a process in which all of them use the mutant.
    return _cases.notice(namespace["CONTROLS"]) or killed_apart(mutant)


def killed_apart(mutant: tuple[str, int, int, str]) -> bool:
    """A mutant of what other modules import needs a process of its own, in which they import the mutant."""
    module, number, _, _ = mutant
    expected = real_outcomes()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    code = 1
    try:
        for name in [name for name in sys.modules if name.startswith(("policies", "tests.policies"))]:
            del sys.modules[name]
        sys.meta_path.insert(0, Mutated(module, number))
        # The first case that is judged otherwise is enough.
        found = iter(Cases.each())
        code = 0 if all(next(found, None) == (name, given) for name, given in expected) else 1
    finally:
        os._exit(code)


@cache
def real_outcomes() -> tuple[tuple[str, Any], ...]:
    """Control and outcome of every case by the real code."""
    return tuple(Cases.each())


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module with a mutation, under its own name."""

    def __init__(self, module: str, number: int) -> None:
        self._name = f"policies.catalogue.{module}"
        self._code = compile(source(module, number), f"{module}.py", "exec")

    def find_spec(self, wanted: str, _path: Any, _target: Any = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(wanted, self) if wanted == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)  # noqa: S102 - our own code, mutated


def main() -> int:
    """Run the modules that are named, or all, and write what came out beside what is known of the others."""
    chosen = sys.argv[1:] or [*CONTROLS_IN, *SHARED]
    everything = [mutant for module in chosen for mutant in mutants(module)]
    with Pool(2) as pool:
        results = pool.map(killed, everything, chunksize=10)
    known = json.loads(RESULTS.read_text())["modules"] if RESULTS.exists() else {}
    found: dict[str, Any] = {module: {"mutants": 0, "killed": 0, "survivors": []} for module in chosen}
    for (module, _, line, kind), gone in zip(everything, results, strict=True):
        found[module]["mutants"] += 1
        found[module]["killed"] += gone
        if not gone:
            found[module]["survivors"].append(f"line {line}: {kind}")
    modules = {module: {**known, **found}[module] for module in (*CONTROLS_IN, *SHARED) if module in {**known, **found}}
    total, dead = (sum(counts[key] for counts in modules.values()) for key in ("mutants", "killed"))
    summary = {
        "measured": time.strftime("%Y-%m-%d"),
        "mutants": total,
        "killed": dead,
        "percent": round(100 * dead / total, 1),
        "modules": modules,
    }
    RESULTS.write_text(json.dumps(summary, indent=1) + "\n")
    print(json.dumps({key: value for key, value in summary.items() if key != "modules"}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
