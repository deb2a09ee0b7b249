from auth import current_user
from fastapi import Depends, FastAPI
from orders import router

app = FastAPI()
app.include_router(router, dependencies=[Depends(current_user)])
