"""Prompts written from data: a small, safe part of Jinja2.

Jinja2's sandbox keeps a template away from Python, but not from endless work. So what could multiply work is left out:
calls, macros, includes, assignments, operators on texts; loops nest twice at most, over data that is bounded.
"""

from typing import Any

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from generation.errors import InvalidRequest, Reason, Violation, invalid
from generation.request import PROMPT_CHARACTERS, Request, Template

FOLDER = "templates"
MOST_VALUES = 2000
MOST_WORK = 1_000_000
"""Steps, at about a tenth of a microsecond to a microsecond each."""
CHARACTERS_PER_STEP = 64
DEEPEST_LOOP = 2
LIST_FILTERS = {"count", "first", "join", "last", "length", "max", "min", "reverse", "sort", "sum", "unique"}
FILTERS = (
    "abs", "capitalize", "count", "default", "first", "float", "int", "join", "last", "length", "lower", "max", "min",
    "reverse", "round", "sort", "sum", "title", "trim", "truncate", "unique", "upper",
)  # fmt: skip
ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Name, nodes.Getattr, nodes.Getitem,
    nodes.Const, nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Keyword,
    nodes.Tuple, nodes.CondExpr, nodes.Neg,
)  # fmt: skip
"""What a template may be made of."""
TESTS = ("defined", "undefined", "none", "number", "string", "odd", "even", "divisibleby")


class _Environment(ImmutableSandboxedEnvironment):
    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
        self.globals = {}
        self.filters = {name: self.filters[name] for name in FILTERS}
        self.tests = {name: test for name, test in self.tests.items() if name in TESTS or not name.isidentifier()}


def written(request: Request, text: str) -> Request:
    """The request with the prompt its template writes.

    Args:
        request: has a template.
        text: of the template.

    Raises:
        InvalidRequest: TEMPLATE_FAILED.
    """
    template = request.template or Template(text=text)
    prompt = render(text, template.data)
    parts = [part for part in (request.prompt, prompt.strip()) if part]
    whole = "\n\n".join(parts)
    if not whole:
        raise _refusal("it writes nothing", "name a value of template.data in it")
    if len(whole) > PROMPT_CHARACTERS:
        raise _refusal(f"it writes {len(whole):,} characters; a prompt has {PROMPT_CHARACTERS:,} at most", "shorten it")
    return request.model_copy(update={"prompt": whole, "template": None})


def render(text: str, data: dict[str, Any]) -> str:
    """What a template writes from data.

    Raises:
        InvalidRequest: TEMPLATE_FAILED, it is refused, or does not fit the data.
    """
    values = _count(data)
    if values > MOST_VALUES:
        raise _refusal(f"its data has {values:,} values; {MOST_VALUES:,} are taken", "sum the figures up first")
    environment = _Environment()
    try:
        tree = environment.parse(text)
        _check(tree, 0)
        if _work(tree, values, 1) > MOST_WORK:
            raise _refusal("its loops take too long over so much data", "give fewer rows, or nest loops less")
        return str(environment.from_string(tree).render(data))
    except TemplateError as error:
        raise _refusal(_said(error), "see the fields of a template in docs/function.md") from None
    except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise _refusal(f"it does not fit its data ({type(error).__name__})", "compare it with template.data") from None


def _said(error: TemplateError) -> str:
    return (error.message or type(error).__name__).rstrip(".")


def _check(node: nodes.Node, loops: int) -> None:
    if not isinstance(node, ALLOWED):
        kind = type(node).__name__
        raise _refusal(f"it may not contain {kind}", "use values, loops over rows, conditions and filters")
    if isinstance(node, nodes.For):
        loops += 1
        if node.recursive or loops > DEEPEST_LOOP:
            raise _refusal(f"its loops nest more than {DEEPEST_LOOP} times", "prepare the rows before")
    for child in node.iter_child_nodes():
        _check(child, loops)


def _work(node: nodes.Node, values: int, rounds: int) -> int:
    """Steps a template takes at most: each part as often as the loops around it, lists as long as all data."""
    own = rounds * values if isinstance(node, nodes.Filter) and node.name in LIST_FILTERS else rounds
    if isinstance(node, nodes.For):
        rounds *= values
    return own + sum(_work(child, values, rounds) for child in node.iter_child_nodes())


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_count, value.values()))
    if isinstance(value, list | tuple):
        return 1 + sum(map(_count, value))
    return 1 + (len(value) // CHARACTERS_PER_STEP if isinstance(value, str) else 0)


def _refusal(message: str, hint: str) -> InvalidRequest:
    return invalid([Violation("template", Reason.TEMPLATE_FAILED, message, hint)])
