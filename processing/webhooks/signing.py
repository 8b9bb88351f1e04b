"""The headers by which a receiver knows that a webhook is ours."""

from django.utils import timezone
from standardwebhooks import Webhook

from accounts.models import Account


def signed_headers(account: Account, message_id: str, body: bytes) -> dict[str, str]:
    """The timestamp is that of this attempt; a secret that was rolled lately signs, too. Raises CannotUnseal."""
    now = timezone.now()
    signatures = [Webhook(secret).sign(message_id, now, body.decode()) for secret in account.webhook_secrets()]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
