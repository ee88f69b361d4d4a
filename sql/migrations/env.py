"""Alembic's entry: how migrations run, on a connection or as a script."""

from alembic import context
from sqlalchemy.engine import make_url

from shared.stores.sql.engine import create_engine
from shared.stores.sql.tables import metadata

database_url = context.config.attributes["database_url"]

if context.is_offline_mode():
    context.configure(
        dialect_name=make_url(database_url).get_backend_name(), target_metadata=metadata, transactional_ddl=True
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    engine = create_engine(database_url, statement_seconds=0)  # a migration may take long
    with engine.execution_options(writes=True).connect() as connection:
        context.configure(connection=connection, target_metadata=metadata)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()
