"""Who is calling: accounts, their API keys, and what each key did on each day."""

from .accounts import Account, new_sealed_webhook_secret, new_webhook_secret
from .api_keys import ApiKey, KeyEnded
from .usage import KeyUsage

__all__ = ["Account", "ApiKey", "KeyEnded", "KeyUsage", "new_sealed_webhook_secret", "new_webhook_secret"]
