"""`manage.py createapikey --account NAME [--test] [--label L] [--plan PLAN] [...]`: print a new API key."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.models import Account, ApiKey

_MOST_DAYS = 36_500


class Command(BaseCommand):
    help = "Makes an API key, and its account if there is none of that name. The key is the last line printed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", required=True, help="name of the account")
        parser.add_argument("--test", action="store_true", help="a key that reads the sandbox")
        parser.add_argument("--label", default="", help="what the key is for")
        parser.add_argument("--plan", choices=Account.Plan.values, help="plan of the account")
        parser.add_argument("--scope", choices=ApiKey.Scope.values, default="all", help="what the key may do")
        parser.add_argument("--expires-days", type=_days, metavar="DAYS", help="days after which it ends; else never")

    def handle(self, *args: Any, **options: Any) -> None:
        account, created = Account.objects.get_or_create(name=options["account"])
        if options["plan"] and options["plan"] != account.plan:
            account.plan = options["plan"]
            account.save(update_fields=["plan"])
        if created:
            self.stdout.write(f"Account {account.name} is new; its webhooks are signed with {account.webhook_secret}")
        days = options["expires_days"]
        _, text = ApiKey.objects.issue(
            account,
            "test" if options["test"] else "live",
            options["label"],
            scope=options["scope"],
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )
        self.stdout.write("The key is shown only now:")
        self.stdout.write(text)


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_DAYS:
        raise ArgumentTypeError(f"must be a whole number from 1 to {_MOST_DAYS}, not {text}.")
    return int(text)
