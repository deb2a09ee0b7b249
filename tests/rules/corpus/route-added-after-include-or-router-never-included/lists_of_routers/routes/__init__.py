from routes import books
from routes.authors import router as authors

ALL = [books.router, authors]
