import httpx
from fastapi import FastAPI

app = FastAPI()


@app.post("/connectors/test")
def try_connector(port: int) -> dict[str, str]:
    try:
        httpx.get(f"https://connector.example.org:{port}", timeout=5)
    except httpx.HTTPError as exc:
        return {"error": str(exc)}  # finding: exception-text-returned-to-client (tentative: why it fails is what is asked)
    return {"error": ""}
