"""What can be wrong with how the policies are set up."""


class PolicyError(Exception):
    """The policies cannot judge; the message says cause, consequence and cure."""


class ParameterError(PolicyError):
    """A setting under `policies:` makes no sense."""


class ExceptionFileError(PolicyError):
    """The file of exceptions makes no sense."""


class FrameworkError(PolicyError):
    """A control names an id that its framework does not have."""
