"""Whether the client asks for it or not, the model has the field: minor where a parameter decides. An id is no secret."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Repository(BaseModel):
    name: str
    key_id: int


class RepositoryWithCredentials(Repository):
    private_key: str | None = None


@app.get("/repositories/{name}")
def read_repository(name: str, include_creds: bool = False) -> RepositoryWithCredentials:  # finding: sensitive-field-in-response
    if not include_creds:
        return RepositoryWithCredentials(name=name, key_id=1)
    return RepositoryWithCredentials(name=name, key_id=1, private_key="s3cret")


@app.get("/names/{name}")
def read_name(name: str, include_creds: bool = False) -> Repository:
    return Repository(name=name, key_id=1 if include_creds else 0)
