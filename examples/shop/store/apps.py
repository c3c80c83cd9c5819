"""The store application: switches SQLite to write-ahead logging on each new connection."""
from django.apps import AppConfig
from django.db.backends.signals import connection_created


def tune_sqlite(sender, connection, **kwargs):
    """Readers do not wait for a writer, and a commit waits for no disk flush of its own."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = NORMAL")


class StoreConfig(AppConfig):
    name = "store"

    def ready(self):
        connection_created.connect(tune_sqlite, dispatch_uid="store.tune_sqlite")
