"""Prompts written from data: a small, safe part of Jinja2.

Jinja2's sandbox keeps a template away from Python, but not from endless work. So what could multiply work is left out:
calls, macros, includes, assignments, operators on texts; loops nest twice at most, over data that is bounded; the two
filters that make much of little, `join` and `round`, are bounded, and so is what comes out.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.filters import FILTERS as JINJA
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from generation.errors import InvalidRequest, Reason, Violation, invalid
from generation.request import PROMPT_CHARACTERS, Request, Template

FOLDER = "templates"
MOST_VALUES = 2000
LONGEST_WRITTEN = 2 * PROMPT_CHARACTERS
"""White space around what is written does not count, but it is made, too."""
MOST_TAGS = 500
MOST_NODES = 1500
"""What a template is made of is compiled to Python, at about a tenth of a millisecond a node."""
DEEPEST = 16
"""Parts within each other, a chain of filters included: Jinja2 takes the third power of it to compile."""
MOST_WORK = 300_000
"""Steps, at about a tenth of a microsecond to a microsecond each."""
CHARACTERS_PER_STEP = 64
MOST_DIGITS = 15
"""Those of a floating-point number."""
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
        self._work = 0
        self.globals = {}
        bounded = {"join": _join, "round": _round}
        self.filters = {name: self._counted(bounded.get(name, self.filters[name])) for name in FILTERS}
        self.tests = {name: test for name, test in self.tests.items() if name in TESTS or not name.isidentifier()}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A value of the data; of Python's own attributes only those of a loop, such as `loop.index`."""
        return super().getattr(obj, attribute) if isinstance(obj, LoopContext) else self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A value of the data."""
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)

    def _counted(self, work: Callable[..., Any]) -> Callable[..., Any]:
        # How long a text is shows only when it is there.
        @wraps(work)
        def counted(*arguments: Any, **named: Any) -> Any:
            texts = (each for each in (*arguments, *named.values()) if isinstance(each, str))
            self._work += 1 + sum(map(len, texts)) // CHARACTERS_PER_STEP
            if self._work > MOST_WORK:
                raise TemplateError("its filters take too long over such texts")
            return work(*arguments, **named)

        return counted


def _join(value: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    values = list(value)
    if attribute is not None:
        values = [each[attribute] for each in values]
    parts = [str(each) for each in values]
    if sum(map(len, parts)) + len(separator) * len(parts) > PROMPT_CHARACTERS:
        raise TemplateError(f"join makes more than the {PROMPT_CHARACTERS:,} characters of a prompt")
    return separator.join(parts)


def _round(value: float, precision: int = 0, method: str = "common") -> Any:
    if abs(precision) > MOST_DIGITS:
        raise TemplateError(f"round takes {MOST_DIGITS} digits at most")
    return JINJA["round"](value, precision, method)


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
    if text.count("{{") + text.count("{%") > MOST_TAGS:
        raise _refusal(f"it has more than {MOST_TAGS} places to fill", "loop over rows, or write the text itself")
    environment = _Environment()
    try:
        tree = environment.parse(text)
        _check(tree, 0)
        _must_be_soon_done(tree, values)
        return _bounded(environment.from_string(tree).generate(data))
    except InvalidRequest:
        raise
    except TemplateError as error:
        raise _refusal(_said(error), "see the fields of a template in docs/function.md") from None
    except Exception as error:  # noqa: BLE001 -- whatever a caller's program fails with is a failure of that program
        raise _refusal(f"it does not fit its data ({type(error).__name__})", "compare it with template.data") from None


def _must_be_soon_done(tree: nodes.Template, values: int) -> None:
    if sum(1 for _ in tree.find_all(nodes.Node)) > MOST_NODES:
        raise _refusal(f"it is made of more than {MOST_NODES:,} parts", "loop over rows, or write the text itself")
    if _work(tree, values, 1) > MOST_WORK:
        raise _refusal("its loops take too long over so much data", "give fewer rows, or nest loops less")


def _bounded(pieces: Iterable[str]) -> str:
    parts: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > LONGEST_WRITTEN:
            raise _refusal(
                f"it writes more than {LONGEST_WRITTEN:,} characters; a prompt has {PROMPT_CHARACTERS:,} at most",
                "shorten it",
            )
        parts.append(piece)
    return "".join(parts)


def _said(error: TemplateError) -> str:
    return (error.message or type(error).__name__).rstrip(".")


def _check(node: nodes.Node, loops: int, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise _refusal(f"its parts lie within each other more than {DEEPEST} times", "write it in simpler steps")
    itself = isinstance(node, nodes.Name) and node.name == "self"
    if itself or not isinstance(node, ALLOWED):
        kind = "self" if itself else type(node).__name__
        raise _refusal(f"it may not contain {kind}", "use values, loops over rows, conditions and filters")
    if isinstance(node, nodes.For):
        loops += 1
        if node.recursive or loops > DEEPEST_LOOP:
            raise _refusal(f"its loops nest more than {DEEPEST_LOOP} times", "prepare the rows before")
    for child in node.iter_child_nodes():
        _check(child, loops, depth + 1)


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
