"""What can stop the program before anything is deployed.

    InfraError                 (`infra/__main__.py` makes it a pulumi.RunError: text, never a traceback)
    ├── SettingsError          Pulumi.<stack>.yaml
    ├── CampaignFileError      campaigns/*.yaml
    ├── MembershipError        settings and campaigns that contradict each other
    ├── ProjectError           a project that exists already lacks what a campaign needs
    └── SourceError            the function's source cannot be packed

Every message is a list of problems; each says where, what is wrong, what is allowed and a command that mends it.
Values are never repeated: any of them may be a secret.
Nothing here needs pulumi, so that the command line reads campaign files in a fraction of a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in one file.

    Attributes:
        file: path as the user knows it, relative to the project.
        key: the setting, in the spelling of the file.
        cause: what is wrong with it.
        rule: what is allowed.
        cure: a command, or an edit, that mends it.
    """

    file: str
    key: str
    cause: str
    rule: str
    cure: str

    def __str__(self) -> str:
        """The problem on three lines."""
        return f"  {self.key}: {self.cause}\n      allowed: {self.rule}\n      cure:    {self.cure}"


class InfraError(Exception):
    """The program stops before it registers a resource; nothing was changed in Google Cloud."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        files = sorted({problem.file for problem in self.problems})
        sections = [
            "\n".join([f"{file}:", *(str(problem) for problem in self.problems if problem.file == file)])
            for file in files
        ]
        count = len(self.problems)
        counted = "1 problem" if count == 1 else f"{count} problems"
        super().__init__("\n".join([f"{counted} found, nothing was deployed.", *sections]))


class SettingsError(InfraError):
    """The stack's settings are incomplete or wrong."""


class CampaignFileError(InfraError):
    """A campaign file is incomplete or wrong."""


class MembershipError(InfraError):
    """The way campaigns become members of the perimeter contradicts who owns it."""


class ProjectError(InfraError):
    """A project that exists already cannot be worked in."""


class SourceError(InfraError):
    """The function's source folder cannot be packed."""
