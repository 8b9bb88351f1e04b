"""What an account has asked for in the last 30 days, as a chart."""

from datetime import UTC, datetime, timedelta

from django.db.models import Sum

from astra.pages import Chart, Part, column_chart

from ..models import Account, ApiKey, KeyUsage

_DAYS = 30


def usage_chart(account: Account, key: ApiKey | None = None) -> Chart:
    """Requests of all its keys, or of one, day by day up to today (UTC), those that were errors in red."""
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=back) for back in reversed(range(_DAYS))]
    rows = KeyUsage.objects.filter(key__account=account, day__gte=days[0])
    if key is not None:
        rows = rows.filter(key=key)
    counts = {
        day: (requests, errors)
        for day, requests, errors in rows.values_list("day").annotate(Sum("requests"), Sum("errors"))
    }
    columns = []
    for day in days:
        requests, errors = counts.get(day, (0, 0))
        well = Part(value=requests - errors, title=f"{day}: {requests:,} requests")
        columns.append([well, Part(value=errors, title=f"{day}: {errors:,} errors", kind="failed")])
    labels = (f"{days[0]}", f"{days[_DAYS // 2]}", "today")
    return column_chart("Requests a day, over the last 30 days", columns, labels)
