"""Numbers that grow, counted by workers, of which there are many and none of which anybody asks over HTTP."""

from sqlalchemy import Double, String
from sqlalchemy.orm import Mapped, mapped_column

from fastapi_architect.components.database import Base


class WorkCounter(Base):
    """One series: a few dozen rows in all, whatever the service has done."""

    __tablename__ = "work_counters"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    label: Mapped[str] = mapped_column(String(120), primary_key=True)
    value: Mapped[float] = mapped_column(Double)
