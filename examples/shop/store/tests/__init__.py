"""Tests of the shop, for Django's own runner: `manage.py test`."""
