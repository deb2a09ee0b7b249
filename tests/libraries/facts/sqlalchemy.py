import sqlalchemy as sa
from fastapi import Depends
from sqlalchemy import create_engine, func, insert, select, update
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Mapped, Session, declarative_base, joinedload, mapped_column, relationship, selectinload, sessionmaker
from sqlalchemy.orm.attributes import flag_modified

Base = declarative_base()


class User(Base):
    id = sa.Column(sa.Integer, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String)
    orders = relationship("Order", back_populates="user")


class Order(Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    user: Mapped["User"] = relationship(back_populates="orders")
    items: Mapped[list["Item"]] = relationship()


class Item(Base):
    price = sa.Column(sa.Numeric)


engine = create_engine("sqlite://", echo=True)  # $ EngineCreation
SessionLocal = sessionmaker(bind=engine, autoflush=False)  # $ SessionFactory bind=engine autoflush=False
async_engine = create_async_engine("sqlite+aiosqlite://")  # $ EngineCreation is_async
AsyncSessionLocal = async_sessionmaker(async_engine, expire_on_commit=False)  # $ SessionFactory is_async expire_on_commit=False bind=async_engine


def get_db():
    db = SessionLocal()  # $ SessionCreation
    try:
        yield db
    finally:
        db.close()  # $ SessionClose


async def get_async_db():
    async with AsyncSessionLocal() as session:  # $ SessionCreation is_async managed
        yield session


def synchronous(name: str, db=Depends(get_db)):
    db.execute(sql(f"select {name}"))  # $ BlockingCall kind=database; SqlExecution raw; SqlText
    db.execute(f"delete from users where name = '{name}'")  # $ BlockingCall kind=database; SqlExecution raw
    user = db.query(User).filter(User.name == name).first()  # $ BlockingCall kind=database; QueryStart kind=query entities=User; QueryStep kind=where; RowFetch kind=first may_be_none executes
    for order in user.orders:
        order  # : Order
        order.user.name  # : str
        for item in order.items:
            item.price  # : Decimal
    user.name += "!"
    flag_modified(user, "name")  # $ ChangeFlag instance=user
    db.add(user)  # $ SessionAdd instance=user
    db.commit()  # $ BlockingCall kind=database; Commit
    db.refresh(user, ["orders"])  # $ BlockingCall kind=database; SessionRefresh instance=user
    db.query(Order).delete()  # $ BlockingCall kind=database; BulkWrite kind=query_delete; QueryStart kind=query entities=Order
    db.bulk_insert_mappings(User, [{}])  # $ BlockingCall kind=database; BulkWrite data=[{}]
    with Session(engine) as session, session.begin():  # $ SessionCreation managed bind=engine; TransactionBegin managed
        session.get(User, 1)  # : None | User  # $ BlockingCall kind=database; SessionGet identity=1
    with engine.begin() as connection:  # $ BlockingCall kind=database; TransactionBegin managed opens
        connection.exec_driver_sql("vacuum")  # $ BlockingCall kind=database; SqlExecution raw
        connection  # : Connection
    Base.metadata.create_all(engine)  # $ SchemaCreation


async def asynchronous(limit: int, db: AsyncSession = Depends(get_async_db)):
    statement = select(User).options(selectinload(User.orders).joinedload(Order.items)).limit(limit)  # $ LoaderOption kind=selectin attributes=User.orders; LoaderOption kind=joined attributes=Order.items after=selectinload(User.orders); QueryStart kind=select entities=User; QueryStep kind=options; QueryStep kind=limit args=limit
    statement  # : Select[User]
    result = await db.execute(statement)  # $ SqlExecution is_async statement=statement
    result.scalars().all()  # : list[User]  # $ RowFetch kind=scalars; RowFetch
    pairs = await db.execute(select(User, Order).join(User.orders).order_by(sql("name")))  # $ QueryStart kind=select entities=User,Order; QueryStep kind=join args=User.orders; QueryStep kind=order_by; SqlExecution is_async; SqlText
    for user, order in pairs.all():  # $ RowFetch
        user  # : User
        order  # : Order
    await db.scalar(select(func.count(User.id)))  # $ QueryStart kind=select entities=func.count(User.id); QueryStart kind=count entities=User.id; SqlExecution is_async statement=select(func.count(User.id))
    (await db.scalars(select(User.name))).first()  # : None | str  # $ QueryStart kind=select entities=User.name; RowFetch kind=first may_be_none; SqlExecution is_async statement=select(User.name)
    await db.execute(update(User).where(User.id == 1).values(name="x"))  # $ QueryStart kind=update entities=User; QueryStep kind=where; QueryStep kind=values; SqlExecution is_async
    await db.execute(insert(User), [{"name": "a"}])  # $ QueryStart kind=insert entities=User; SqlExecution is_async statement=insert(User)
    db.add_all([User(), User()])  # $ SessionAdd many
    async with db.begin_nested():  # $ TransactionBegin is_async nested managed
        await db.flush()  # $ SessionFlush is_async
    await db.rollback()  # $ Rollback is_async
    db.commit()  # : Coroutine[?]  # $ Commit is_async
    await db.run_sync(synchronous)  # $ SyncBridge is_async target=synchronous
    await db.delete(user)  # $ SessionDelete is_async instance=user
    return result


def untyped(session, stmt, query):
    session.execute(stmt.where(User.id == 1))  # $ QueryStep sure=False kind=where; SqlExecution sure=False
    rows = query.all()  # $ RowFetch sure=False executes
    session.get("http://example.org")
    options = joinedload(User.orders)  # $ LoaderOption kind=joined attributes=User.orders
    return rows, options
