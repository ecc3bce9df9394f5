"""`regact doctor`."""


def command() -> None:
    """Show versions, devices and programs, and what is missing for which command.

    [bold]Examples[/bold]

      regact doctor
      regact doctor --debug
    """
