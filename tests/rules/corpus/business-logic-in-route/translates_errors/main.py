"""A handler whose every branch turns an error of the service into an answer: that is the route's own work."""

import services
from fastapi import FastAPI, HTTPException

app = FastAPI()


@app.post("/payments")
def pay(order_id: int, card: str) -> str:  # silent: eleven errors, no decision
    try:
        return services.pay(order_id, card)
    except services.NoOrderError as error:
        raise HTTPException(404) from error
    except services.PaidError as error:
        raise HTTPException(409, "paid") from error
    except services.DeclinedError as error:
        raise HTTPException(402) from error
    except services.StolenError as error:
        raise HTTPException(403) from error
    except services.ExpiredError as error:
        raise HTTPException(402, "expired") from error
    except services.TooMuchError as error:
        raise HTTPException(422) from error
    except services.ClosedError as error:
        raise HTTPException(410) from error
    except services.BusyError as error:
        raise HTTPException(503) from error
    except TimeoutError as error:
        raise HTTPException(504) from error
    except ConnectionError as error:
        raise HTTPException(502) from error
    except ValueError as error:
        raise HTTPException(400) from error
