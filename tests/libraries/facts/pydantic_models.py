from pydantic import BaseModel, EmailStr, SecretStr, TypeAdapter
from pydantic_settings import BaseSettings


class UserIn(BaseModel):
    name: str
    email: EmailStr
    password: SecretStr


class Settings(BaseSettings):
    key: str = "x"


def convert(data: dict, body: UserIn):
    body.model_dump(exclude_unset=True, include={"name"})  # : dict[str, ?]  # $ ModelDump kind=dict exclude_unset
    body.dict()  # $ ModelDump kind=dict deprecated
    body.model_dump_json()  # : str  # $ ModelDump kind=json
    UserIn.model_validate(data)  # : UserIn  # $ ModelLoad data=data validated
    UserIn.model_construct(**data)  # $ ModelLoad
    body.model_copy(update=data)  # : UserIn  # $ ModelUpdate data=data
    body.password.get_secret_value()  # : str  # $ SecretReveal secret=body.password
    TypeAdapter(UserIn).validate_python(data)  # : UserIn  # $ ModelLoad data=data validated
    Settings().model_dump()  # $ ModelDump kind=dict
    body.name.upper()  # : str
    return data["x"].model_dump()  # $ ModelDump sure=False kind=dict


def untyped(payload, db_obj):
    payload.model_dump(exclude_unset=True)  # $ ModelDump sure=False kind=dict exclude_unset
    db_obj.dictionary()
