"""The verbs of the command line, by name: where each lives and what it says of itself in the list.

A verb's module is imported when the verb runs, not when its name is listed. That keeps ``plantain --help`` and every
offline verb fast, and it is why the sentences stand here and not in the modules.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verb:
    """One verb.

    Attributes:
        name: as typed.
        module: that holds it.
        attribute: of the module: a Typer app, or the function of a verb without verbs of its own.
        help: the sentence in the list of verbs.
        hidden: left out of the list.
    """

    name: str
    module: str
    attribute: str
    help: str
    hidden: bool = False


VERBS = (
    Verb("audit", "plantain.commands.audit", "app", "Judge what is deployed, and keep evidence of it."),
    Verb("batch", "plantain.commands.batch", "app", "Many images at half the price, through Vertex AI batch."),
    Verb("campaign", "plantain.commands.campaign", "app", "Begin, look at, copy and end campaigns."),
    Verb("cost", "plantain.commands.cost", "app", "What images will cost, what they did cost, and how to size."),
    Verb("doctor", "plantain.commands.doctor", "doctor", "Find what would stop a deployment, before it is begun."),
    Verb("engine", "plantain.commands.engine", "app", "The Pulumi engine."),
    Verb("generate", "plantain.commands.generate", "generate", "Make images through a campaign's function."),
    Verb("graph", "plantain.commands.graph", "graph", "Draw what is deployed, as SVG or Mermaid."),
    Verb("models", "plantain.commands.models", "app", "The image models: stage, location, retirement, price."),
    Verb("perimeter", "plantain.commands.perimeter", "app", "What the perimeter refuses, and what it would refuse."),
    Verb("recover", "plantain.commands.recover", "recover", "Mend a stack whose update was killed."),
    Verb("sandbox", "plantain.commands.sandbox", "app", "The local Google Cloud."),
)
