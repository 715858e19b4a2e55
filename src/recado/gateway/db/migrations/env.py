"""What alembic runs: the migrations, on the connection `migrate` hands over, each in one transaction with all others."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
