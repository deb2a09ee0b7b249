"""Why sockets are closed, in codes that clients know (RFC 6455, 7.4, and IANA's registry)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Closing:
    """A code and a reason, which has at most 123 bytes."""

    code: int
    reason: str


GONE = Closing(1000, "the client is gone")
COMPLETE = Closing(1000, "that is all")
GOING_AWAY = Closing(1001, "the server goes away; connect again")
NOT_TEXT = Closing(1003, "only text is understood")
NOT_UNDERSTOOD = Closing(1008, "the message is not understood")
TOO_OFTEN = Closing(1008, "too many messages")
TOO_LARGE = Closing(1009, "the message is too large")
FAILED = Closing(1011, "something went wrong on our side")
TOO_SLOW = Closing(1013, "the client reads too slowly")
TOO_MANY = Closing(1013, "too many sockets are open")
TRY_LATER = Closing(1013, "try again later")
#: As HTTP says it: 4000 and up are for services to choose.
FORBIDDEN = Closing(4403, "your role does not allow this")
NOT_FOUND = Closing(4404, "there is no such thing")
#: A fresh ticket is needed, and for it perhaps a fresh sign-in.
OVER = Closing(3000, "the time of this socket is over")
NOT_AUTHORISED = Closing(3000, "access was withdrawn")
SILENT = Closing(3008, "the client does not answer")
