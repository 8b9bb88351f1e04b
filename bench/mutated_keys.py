"""Mutated keys, none of which may be accepted: `python -m bench.mutated_keys [--keys 1000000]`.

The check characters are looked at first; a text that gets past them is looked for in a database that has the key.
"""

import argparse
import os
import random
import string
import tempfile
import time
from collections.abc import Iterator

import django

_CHARACTERS = string.ascii_letters + string.digits


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.mutated_keys", description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000)
    count = parser.parse_args().keys
    with tempfile.TemporaryDirectory() as data:
        os.environ.update(ASTRA_DATA_DIR=data, DJANGO_SETTINGS_MODULE="astra.settings")
        django.setup()
        from django.core.management import call_command

        from accounts.keys import is_well_formed
        from accounts.models import Account, ApiKey

        call_command("migrate", verbosity=0)
        _, key = ApiKey.objects.issue(Account.objects.create(name="bench"), "live")
        began = time.perf_counter()
        well_formed = [text for text in mutated(key, count) if is_well_formed(text)]
        accepted = [text for text in well_formed if ApiKey.authenticate(text)]
        seconds = time.perf_counter() - began
        assert ApiKey.authenticate(key)
    print(f"{count} mutated keys in {seconds:.1f} s: {len(well_formed)} well formed, {len(accepted)} accepted")


def mutated(key: str, count: int) -> Iterator[str]:
    """Keys that differ from this one in some way that a typist or a guesser might make."""
    chance = random.Random(count)  # the same ones each time
    made = 0
    while made < count:
        text = _mutate(key, chance)
        if text != key:
            made += 1
            yield text


def _mutate(key: str, chance: random.Random) -> str:
    at, other = chance.randrange(len(key)), chance.choice(_CHARACTERS)
    match chance.randrange(6):
        case 0:
            return key[:at] + other + key[at + 1 :]
        case 1:
            return key[:at] + key[at + 1 :]
        case 2:
            return key[:at] + other + key[at:]
        case 3:
            return key[:at] + key[at : at + 2][::-1] + key[at + 2 :]
        case 4:
            return key[:14] + "".join(chance.choices(_CHARACTERS, k=36))
        case _:
            return key[:at] + key[at:].swapcase()


if __name__ == "__main__":
    main()
