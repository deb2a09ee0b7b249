"""A link to the code that was used, kept for an audit, opens nothing."""

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase): ...


class PasswordChange(Base):
    __tablename__ = "password_changes"
    id: Mapped[int] = mapped_column(primary_key=True)
    reset_token_id: Mapped[int | None]
    reset_token_used: Mapped[bool]
