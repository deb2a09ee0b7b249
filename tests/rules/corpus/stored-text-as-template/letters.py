"""Texts of rows that become templates: themselves, through helpers and through loaders; and texts that stay values, or in a sandbox."""

from fastapi import FastAPI
from jinja2 import BaseLoader, DictLoader, Environment, FileSystemLoader, FunctionLoader, Template
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")
sandbox = SandboxedEnvironment()


class Base(DeclarativeBase):
    pass


class Letter(Base):
    __tablename__ = "letters"

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str]
    title: Mapped[str | None]
    layout: Mapped[str]
    pages: Mapped[int]


class LetterCreate(BaseModel):
    body: str
    title: str | None = None


@app.post("/letters")
def create(letter: LetterCreate) -> None:
    with Session(engine) as session:
        session.add(Letter(**letter.model_dump(), layout="{{ body }}"))
        session.commit()


def rendered(text: str, **values: str) -> str:
    return Template(text).render(values)  # finding: stored-text-as-template a caller passes a column


def greeted(name: str) -> str:
    return Template("Dear {{ name }}").render(name=name)  # silent: the template is written down


class LetterLoader:
    def __init__(self, letters: list[Letter]) -> None:
        self.letters: dict[str, Letter] = {str(letter.id): letter for letter in letters}

    def __call__(self, name: str) -> str:
        return self.letters[name].body


class RowLoader(BaseLoader):
    def __init__(self, session: Session) -> None:
        self.session = session

    def get_source(self, environment: Environment, template: str) -> tuple[str, None, None]:
        letter = self.session.get_one(Letter, int(template))
        return letter.body, None, None


@app.get("/letters/{number}")
def read(number: int, name: str) -> dict[str, str]:
    with Session(engine) as session:
        letter = session.get_one(Letter, number)
        letters = list(session.scalars(select(Letter)))
        by_function = Environment(loader=FunctionLoader(LetterLoader(letters)))  # finding: stored-text-as-template
        loader = DictLoader({str(each.id): each.body for each in letters})
        by_mapping = Environment(loader=loader)  # finding: stored-text-as-template
        by_class = Environment(loader=RowLoader(session))  # finding: stored-text-as-template
        guarded = SandboxedEnvironment(loader=RowLoader(session))  # silent: a sandbox
        by_file = Environment(loader=FileSystemLoader("letters"))  # silent: files of the program
        title = letter.title or "Dear {{ name }}"
        return {
            "body": rendered(letter.body, name=name),
            "title": Environment().from_string(title).render(name=name),  # finding: stored-text-as-template
            "layout": Template(letter.layout).render(body="")  # finding: stored-text-as-template tentative
            + greeted(letter.body),
            "sandboxed": sandbox.from_string(letter.body).render(name=name),  # silent: a sandbox
            "value": Template("{{ body }}").render(body=letter.body),  # silent: a value
            "loaded": "".join(
                each.get_template(str(number)).render(name=name)
                for each in (by_function, by_mapping, by_class, guarded, by_file)
            ),
        }
