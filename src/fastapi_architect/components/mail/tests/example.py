"""The smallest service that writes mails."""

from fastapi import FastAPI

from fastapi_architect.components.database import Database, SessionDep
from fastapi_architect.components.mail import Mailing, MailTemplate, queue_mail
from fastapi_architect.components.outbox import Outbox
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import install

WELCOME = MailTemplate(
    subject="Welcome, $name",
    text="Hello $name,\n\nnice to have you here.",
    html="<p>Hello $name, nice to have you here.</p>",
)


def create_app(database: Database, outbox: Outbox, mailing: Mailing) -> FastAPI:
    """Return the application."""
    app = FastAPI()

    @app.post("/welcomes", status_code=202)
    async def welcome(to: str, name: str, session: SessionDep) -> None:
        queue_mail(session, WELCOME.render(to, name=name))
        await session.commit()

    install(app, [ProblemDetails(), database, outbox, mailing])
    return app
