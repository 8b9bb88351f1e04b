"""Webhooks on their way out: which URLs are called, how a body is signed and sent, and what an answer means.

Headers and signature as in the Standard Webhooks specification 1.0.0.
"""

from .addresses import check_address
from .delivering import attempt_safely
from .pinging import send_ping

__all__ = ["attempt_safely", "check_address", "send_ping"]
