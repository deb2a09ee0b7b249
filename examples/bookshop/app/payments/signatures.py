"""The provider signs its bytes and the time, so that a message can be neither forged nor kept for later."""

import hashlib
import hmac
import re
import time

from app.errors import InvalidCredentials

TOLERANCE_SECONDS = 300
SIGNATURE = re.compile(r"t=(?P<time>[0-9]{1,12}),v1=(?P<digest>[0-9a-f]{64})")


def sign(signing_key: str, sent_at: int, body: bytes) -> str:
    """Return the signature header of a message."""
    digest = hmac.new(signing_key.encode(), b"%d.%b" % (sent_at, body), hashlib.sha256).hexdigest()
    return f"t={sent_at},v1={digest}"


def verify_signature(signing_key: str, header: str, body: bytes) -> None:
    """Accept a message that the provider has signed within the last minutes.

    Args:
        signing_key: shared with the provider.
        header: "t=<unix time>,v1=<hexadecimal HMAC-SHA256 of time, dot and body>".
        body: the bytes as received; a parsed and re-written body is another body.

    Raises:
        InvalidCredentials: it is forged, too old, or from the future.
    """
    match = SIGNATURE.fullmatch(header)
    if match is None:
        raise InvalidCredentials("The signature is not valid.")
    sent_at = int(match["time"])
    expected = sign(signing_key, sent_at, body)
    if not hmac.compare_digest(expected, header):
        raise InvalidCredentials("The signature is not valid.")
    if abs(time.time() - sent_at) > TOLERANCE_SECONDS:
        raise InvalidCredentials("The signature is too old.")
