import sqlalchemy as sa
from alembic import op


def upgrade():
    connection = op.get_bind()
    connection  # : Connection
    connection.execute(sa.text("update users set a = 1"))  # $ BlockingCall kind=database; SqlExecution raw; SqlText kind=text
    op.execute("update users set a = 1")  # $ SqlExecution raw
    op.bulk_insert(sa.table("users"), [{"a": 1}])  # $ BulkWrite kind=insert; SqlText kind=identifier
    with op.get_context().autocommit_block():
        op.create_index("ix", "users", ["a"], postgresql_concurrently=True)
    sa.inspect(connection)
