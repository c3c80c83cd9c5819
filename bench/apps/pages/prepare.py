"""Makes the table and its rows anew in the database that BENCH_DATABASE names (pages/settings.py): `python3 prepare.py`."""
import datetime
import os

import django

ROWS = 1000
WORDS = "the edge reads what a client sends and the worker calls what a project has written before the response leaves again".split()


def article(model, i):
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    summary = " ".join(WORDS[(i * 7 + j * 3) % len(WORDS)] for j in range(30))
    return model(title=f"Article number {i} & more", author=f"Author {i % 17}", summary=summary, words=i * 37 % 2000,
                 published=start + datetime.timedelta(hours=i))


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pages.settings")
    django.setup()
    from django.db import connection

    from pages.models import Article

    with connection.schema_editor() as editor:
        if Article._meta.db_table in connection.introspection.table_names():
            editor.delete_model(Article)
        editor.create_model(Article)
    Article.objects.bulk_create([article(Article, i) for i in range(ROWS)])
    if connection.vendor == "postgresql":
        connection.cursor().execute(f"ANALYZE {Article._meta.db_table}")


if __name__ == "__main__":
    main()
