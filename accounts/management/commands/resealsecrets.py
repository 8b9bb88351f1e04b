"""`manage.py resealsecrets`: after a change of ASTRA_KEY_PEPPER, seal the secrets of webhooks under the new one."""

import sys
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account
from accounts.sealing import CannotUnseal, seal, unseal


class Command(BaseCommand):
    help = "Seals the webhook secrets of all accounts under the present ASTRA_KEY_PEPPER. Asks for the one before."

    def handle(self, *args: Any, **options: Any) -> None:
        before = getpass("The pepper before: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
        lost = [account.name for account in Account.objects.all() if not _reseal(account, before)]
        if lost:
            raise CommandError(f"Neither pepper opens the secrets of {', '.join(lost)}. Roll them in the admin.")
        self.stdout.write("The secrets of all accounts are sealed under the present pepper.")


def _reseal(account: Account, before: str) -> bool:
    """False if neither pepper opens them. A secret that was rolled meanwhile is left alone."""
    try:
        current, earlier = account.sealed_webhook_secret, account.sealed_webhook_secret_before
        Account.objects.filter(pk=account.pk, sealed_webhook_secret=current).update(
            sealed_webhook_secret=seal(_open(current, before)),
            sealed_webhook_secret_before=None if earlier is None else seal(_open(earlier, before)),
        )
    except CannotUnseal:
        return False
    return True


def _open(sealed: str, before: str) -> str:
    """By the present pepper, or else by the one before. Raises CannotUnseal."""
    try:
        return unseal(sealed)
    except CannotUnseal:
        return unseal(sealed, before)
