#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys


def main() -> None:
    from astra.starting import BY_MANAGE, load_settings

    os.environ[BY_MANAGE] = "1"
    load_settings()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
