"""The errors that a user can cause: each says the value, what is allowed, and what to do next."""


class NlpGymError(Exception):
    """Something the user gave does not fit; the message says what, and what would."""


class UnknownName(NlpGymError, LookupError):
    """A name that nothing here has."""

    def __str__(self) -> str:  # LookupError's subclasses would print the message's repr
        return str(self.args[0]) if self.args else ""


class BadArgument(NlpGymError, ValueError):
    """A keyword whose value is not allowed."""


class BadData(NlpGymError, ValueError):
    """A data set that cannot be used as it is."""


class NotAvailable(NlpGymError, OSError):
    """A data set or model that is neither on this machine nor within reach."""
