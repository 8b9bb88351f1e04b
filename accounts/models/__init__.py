"""Who is calling: accounts, their API keys, and what each key did on each day."""

from .accounts import Account
from .accounts import new_sealed_webhook_secret as new_sealed_webhook_secret  # named by a migration
from .accounts import new_webhook_secret as new_webhook_secret  # named by a migration
from .api_keys import ApiKey, KeyEnded
from .usage import KeyUsage

__all__ = ["Account", "ApiKey", "KeyEnded", "KeyUsage"]
