"""`manage.py reconcile`: make storage and rows agree, as the service does once a day."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from processing.reconcile import WrongStorage, reconcile


class Command(BaseCommand):
    help = "Deletes old files that belong to no result, and marks results whose file is gone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = reconcile(options["dry_run"])
        except WrongStorage as error:
            raise CommandError(str(error)) from error
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(
            f"{report.files} files\n"
            f"{report.deleted_files} without a result {would}deleted\n"
            f"{report.missing_results} results without a file {would}marked as expired\n"
            f"{report.removed_folders} empty folders {would}removed\n"
            f"{report.aborted_uploads} unfinished uploads {would}aborted"
        )
