"""Templates made of request data, and values that are put into templates."""

import jinja2
from fastapi import FastAPI, Request
from fastapi.templating import Jinja2Templates
from mako.template import Template as MakoTemplate
from pydantic import BaseModel

app = FastAPI()
environment = jinja2.Environment(autoescape=True)
templates = Jinja2Templates("templates")


class Settings:
    secret = "s"


class Mail(BaseModel):
    body: str
    name: str


settings = Settings()


@app.post("/source")
def source(mail: Mail):
    return jinja2.Template(mail.body).render(name=mail.name)  # finding: server-side-template-injection


@app.post("/joined")
def joined(mail: Mail):
    return environment.from_string(f"Hello {mail.name}").render()  # finding: server-side-template-injection


@app.post("/mako")
def mako(mail: Mail):
    return MakoTemplate(mail.body).render()  # finding: server-side-template-injection


@app.get("/format")
def formatted(pattern: str):
    return pattern.format(settings)  # finding: server-side-template-injection an object of the program


@app.post("/value")
def value(mail: Mail):
    return environment.from_string("Hello {{ name }}").render(name=mail.name)  # silent: a value


@app.get("/page")
def page(request: Request, name: str):
    return templates.TemplateResponse(request, "page.html", {"name": name})  # silent: a value


@app.get("/constant")
def constant(name: str):
    return "Hello {}".format(name)  # silent: the text is the program's


@app.get("/plain")
def plain(pattern: str, name: str):
    return pattern.format(name)  # silent: texts lead to no globals


@app.get("/f-string")
def f_string(name: str):
    return f"Hello {name}"  # silent: nothing is evaluated


@app.get("/id")
def by_id(number: int):
    return environment.from_string(f"Hello {number}").render()  # silent: an integer
