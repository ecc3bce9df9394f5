"""`python -m regact` is `regact`, for where the command is not on the path."""

from regact.cli import main

if __name__ == "__main__":
    main()
