"""A price that is shown is told, tentatively; what merely resembles one is not money."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Machine(BaseModel):
    name: str
    price: float  # finding: money-as-float
    price_ratio: float
    price_per_second_max: float


@app.get("/machines")
def machines(hours: int) -> dict[str, float]:
    offers = [Machine(name="small", price=0.5, price_ratio=1, price_per_second_max=1)]
    return {offer.name: offer.price * hours for offer in offers}
