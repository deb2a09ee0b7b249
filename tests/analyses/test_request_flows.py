"""A flow says in a reader's words where a value comes from, how it got there, and how sure that is."""

import pytest
from tests.analyses.test_taint import HEAD, graph_of

from fastapi_architect.analyses.request_flows import Flow, flows_to
from fastapi_architect.findings.severity import Confidence

APP = """
import os, subprocess
from fastapi import FastAPI, Request, UploadFile, Header
from pydantic import BaseModel, Field, field_validator
app = FastAPI()
class Job(BaseModel):
    host: str
    label: str = Field(pattern=r"^[a-z]+$")
    name: str
    @field_validator("name")
    @classmethod
    def short(cls, value):
        return value[:20]
"""


def flow_of(body: str, kind: str = "command") -> Flow:
    (flow,) = flows_to(graph_of(APP + body), kind)
    return flow


@pytest.mark.parametrize(
    ("signature", "value", "place"),
    [
        ("host: str", "host", "query string"),
        ("host: str = Header()", "host", "headers"),
        ("job: Job", "job.host", "body"),
        ("file: UploadFile", "file.filename", "name of the uploaded file"),
        ("request: Request", "request.headers['x']", "headers"),
        ("request: Request", "request.query_params['x']", "query string"),
    ],
)
def test_the_place_is_named(signature: str, value: str, place: str):
    flow = flow_of(f"""
@app.post("/ping")
def ping({signature}):
    os.system("ping " + {value})
""")
    assert flow.place == place
    assert flow.trace("it runs")[0].text == f"`{flow.name}` comes from the {place} of POST /ping"
    assert (flow.route, flow.routes, flow.confidence) == ("POST /ping", ("POST /ping",), Confidence.CERTAIN)


def test_what_a_pattern_refuses_does_not_flow_and_what_a_validator_sees_is_tentative():
    flow = flow_of("""
@app.post("/ping")
def ping(job: Job):
    os.system("ping " + job.label)
    subprocess.run("ping " + job.name, shell=True)
""")
    assert flow.name == "job.name"
    assert flow.confidence is Confidence.TENTATIVE


@pytest.mark.parametrize(("path", "one_segment"), [("/logs/{name}", True), ("/logs/{name:path}", False)])
def test_only_a_catch_all_parameter_holds_slashes(path: str, one_segment: bool):
    flow = flow_of(
        f"""
@app.get("{path}")
def log(name: str):
    return open("/var/log/" + name).read()
""",
        "path",
    )
    assert flow.is_one_segment is one_segment


def test_ways_to_one_sink_are_one_flow():
    (flow,) = flows_to(
        graph_of(
            HEAD
            + """
def find(session, value):
    return session.execute(text("SELECT '" + value + "'"))
@app.get("/a")
def a(x: str, session: Session = Depends(get_session)):
    return find(session, x)
@app.get("/b")
def b(y: str, session: Session = Depends(get_session)):
    value = y.strip()
    return find(session, value)
"""
        ),
        "sql",
    )
    assert flow.routes == ("GET /a", "GET /b")
    assert (flow.name, flow.others) == ("x", " (and 1 more of the requests' values)")
    assert flow.through == " through `find`"


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError):
        flows_to(graph_of(HEAD), "sqll")


@pytest.mark.parametrize(
    "taken", ['data["url"]', 'data.get("url")', 'data.pop("url", None)', 'data.copy()["url"]']
)
@pytest.mark.parametrize("data", ["item.model_dump()", "raw"])
def test_what_a_mapping_gives_by_its_key_is_followed(data: str, taken: str):
    graph = graph_of(
        f"""
import requests
from fastapi import FastAPI
from pydantic import BaseModel
app = FastAPI()
class Item(BaseModel):
    url: str
    number: int
@app.post("/items")
def add(item: Item, raw: dict):
    data = {data}
    return fetch({taken}), fetch(data.get("number"))
def fetch(url):
    return requests.get(url).status_code
"""
    )
    assert len(flows_to(graph, "url")) == 1
