"""`python -m astra_client` is the command `astra`."""

from .cli import main

main()
