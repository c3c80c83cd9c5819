"""`manage.py prepare`: everything the shop needs before it can serve.

Migrates, draws the pictures, loads the demo products, collects static files and prints the
catalogue. Each step looks first whether it has anything to do, so that running it again is quick
and harmless.
"""
import hashlib

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Max

from store import art, demo, documents
from store.models import Product


class Stamp:
    """A file in var/ that remembers for which state of its sources a step was done."""

    def __init__(self, name, *sources):
        self._path = settings.VAR / ("." + name)
        text = "\n".join(str(source) for source in sources)
        self._digest = hashlib.sha256(text.encode()).hexdigest()

    def is_current(self, *outputs):
        """True if the step was done for this state and what it made is still there."""
        if not all(output.exists() for output in outputs):
            return False
        return self._path.exists() and self._path.read_text() == self._digest

    def set(self):
        self._path.write_text(self._digest)


def static_sources():
    """Name, size and time of change of every static file that the finders see."""
    for finder in get_finders():
        for path, storage in finder.list([]):
            yield path, storage.size(path), storage.get_modified_time(path).timestamp()


class Command(BaseCommand):
    help = "Migrates, draws pictures, loads demo data and collects static files, where needed."

    def handle(self, *args, **options):
        self.migrate()
        self.draw()
        self.load()
        self.collect()
        self.print_documents()
        self.say("ready")

    def say(self, what):
        self.stdout.write("prepare: " + what)

    def migrate(self):
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.say("migrating the database")
            call_command("migrate", verbosity=0, interactive=False)

    def draw(self):
        stamp = Stamp("drawn", *art.sources(), demo.subjects())
        if not stamp.is_current():
            number = art.draw_all(settings.PICTURES, demo.subjects())
            self.say("drew %d pictures" % number)
            stamp.set()

    def load(self):
        number = demo.load_products()
        if number:
            self.say("loaded %d demo products" % number)
        if settings.SHOP_DEMO:
            demo.load_accounts()

    def collect(self):
        stamp = Stamp("collected", django.VERSION, *sorted(static_sources()))
        if not stamp.is_current(settings.STATIC_ROOT / "staticfiles.json"):
            self.say("collecting static files")
            call_command("collectstatic", verbosity=0, interactive=False)
            stamp.set()

    def print_documents(self):
        state = Product.objects.aggregate(Count("pk"), Max("updated"))
        stamp = Stamp("printed", state, settings.DATABASES["default"]["NAME"])
        if not stamp.is_current(documents.catalogue_path(), documents.pictures_path()):
            self.say("printing the catalogue")
            documents.write_catalogue()
            documents.write_pictures_zip()
            stamp.set()
