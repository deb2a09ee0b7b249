"""Answers that are kept for repeated requests."""

from datetime import datetime

from sqlalchemy import DateTime, Index, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from ..database import Base


class IdempotentAnswer(Base):
    """What a request brought about, under the digest of its caller, operation and key."""

    __tablename__ = "idempotent_answers"
    __table_args__ = (Index("ix_idempotent_answers_expires_at", "expires_at"),)

    #: A digest, because a key is as long as the client likes, and nobody has to search for one.
    place: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    #: The digest of what was sent.
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    #: JSON, as bytes: a text column cannot hold every character that JSON can.
    answer: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
