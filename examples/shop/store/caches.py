"""Cache backends that tell the request's journey about each look-up.

RedisCache is our own and small because Django 3.2 has none; it is used with every version so
that they behave alike. A Redis that does not answer is a cache miss and a line in the log, never
an error page.
"""
import logging
import pickle

from django.core.cache.backends import locmem
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

from store.journey import current_journey

log = logging.getLogger(__name__)
MISSING = object()


class CountedMixin:
    """Counts hits and misses of get() for the request in hand."""

    def get(self, key, default=None, version=None):
        value = super().get(key, MISSING, version)
        journey = current_journey()
        if journey:
            journey.count_cache(hit=value is not MISSING)
        return default if value is MISSING else value


class LocMemCache(CountedMixin, locmem.LocMemCache):
    """Django's cache in the worker's memory, counted."""


class PlainRedisCache(BaseCache):
    """Values are pickled, except integers: those are stored as digits for INCRBY."""

    def __init__(self, location, params):
        super().__init__(params)
        import redis  # only when it is used: the shop runs without the package

        self._errors = (redis.ConnectionError, redis.TimeoutError)
        self._client = redis.Redis.from_url(location, socket_timeout=2)

    def _ask(self, command, *args, otherwise=None, **kwargs):
        """One Redis command; `otherwise` when no Redis answers."""
        try:
            return getattr(self._client, command)(*args, **kwargs)
        except self._errors as error:
            log.warning("redis %s: %s", command, error)
            return otherwise

    @staticmethod
    def _dump(value):
        return value if type(value) is int else pickle.dumps(value)

    @staticmethod
    def _load(data):
        try:
            return int(data)
        except ValueError:
            return pickle.loads(data)

    def _expiry(self, timeout):
        """Milliseconds for PX: None never expires, 0 or less expires at once."""
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        return None if timeout is None else int(timeout * 1000)

    def _store(self, key, value, timeout, version, **conditions):
        key = self.make_and_check(key, version)
        expiry = self._expiry(timeout)
        if expiry is not None and expiry <= 0:
            self._ask("delete", key)
            return True
        return bool(self._ask("set", key, self._dump(value), px=expiry, **conditions))

    def make_and_check(self, key, version):
        """make_key() and validate_key(), which Django 3.2 and later call in different places."""
        key = self.make_key(key, version)
        self.validate_key(key)
        return key

    def get(self, key, default=None, version=None):
        data = self._ask("get", self.make_and_check(key, version))
        return default if data is None else self._load(data)

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self._store(key, value, timeout, version)

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        return self._store(key, value, timeout, version, nx=True)

    def touch(self, key, timeout=DEFAULT_TIMEOUT, version=None):
        key = self.make_and_check(key, version)
        expiry = self._expiry(timeout)
        if expiry is None:
            # PERSIST answers 0 for a key that never expires, which is what was asked for.
            self._ask("persist", key)
            return bool(self._ask("exists", key))
        return bool(self._ask("pexpire", key, expiry))

    def delete(self, key, version=None):
        return bool(self._ask("delete", self.make_and_check(key, version)))

    def has_key(self, key, version=None):
        return bool(self._ask("exists", self.make_and_check(key, version)))

    def incr(self, key, delta=1, version=None):
        if not self.has_key(key, version):
            raise ValueError("Key '%s' not found" % key)
        return self._ask("incrby", self.make_and_check(key, version), delta)

    def clear(self):
        """Only our own keys: the Redis may be shared."""
        try:
            keys = list(self._client.scan_iter(match=self.key_prefix + ":*"))
        except self._errors as error:
            log.warning("redis scan: %s", error)
            return
        if keys:
            self._ask("delete", *keys)


class RedisCache(CountedMixin, PlainRedisCache):
    """The shop's Redis cache, counted."""
