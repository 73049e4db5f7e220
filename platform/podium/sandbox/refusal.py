"""What is wrong with a submitted bundle or model before anything of it has run."""


class RefusedError(Exception):
    """The submission breaks the published form; the message is for the student, as it stands."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
