"""The Redis backend against a real Redis of our own, and against none."""
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from unittest import TestCase, mock, skipUnless

from store import caches
from store.journey import Journey, _current

try:
    import redis
except ImportError:
    redis = None

REDIS = shutil.which("redis-server")


def make_cache(socket, prefix):
    return caches.RedisCache("unix://%s" % socket, {"KEY_PREFIX": prefix, "TIMEOUT": 60})


@skipUnless(redis and REDIS, "there is no redis-server or no python3-redis here")
class RedisCacheTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="shop-redis-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.socket = Path(cls.folder) / "socket"
        cls.redis = subprocess.Popen(
            [REDIS, "--port", "0", "--unixsocket", str(cls.socket), "--save", "", "--dir",
             cls.folder],
            stdout=subprocess.DEVNULL,
        )
        cls.addClassCleanup(cls.redis.wait)
        cls.addClassCleanup(cls.redis.terminate)
        cls.await_redis()

    @classmethod
    def await_redis(cls):
        """Until it answers: the socket is there a moment before anybody listens on it."""
        client = redis.Redis(unix_socket_path=str(cls.socket))
        cls.addClassCleanup(client.connection_pool.disconnect)
        deadline = time.monotonic() + 20
        while True:
            try:
                return client.ping()
            except redis.ConnectionError:
                if cls.redis.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def setUp(self):
        self.cache = self.make_cache("shop")
        self.cache.clear()

    def make_cache(self, prefix):
        cache = make_cache(self.socket, prefix)
        self.addCleanup(cache._client.connection_pool.disconnect)
        return cache

    def test_values_come_back_as_they_were(self):
        for value in (0, -7, 2**80, True, None, 1.5, "12", "", b"\x00\xff", ["a", {"b": (1,)}]):
            self.cache.set("key", value)
            self.assertEqual(self.cache.get("key", "gone"), value)
            self.assertIs(type(self.cache.get("key", "gone")), type(value))

    def test_what_is_not_there(self):
        self.assertIsNone(self.cache.get("key"))
        self.assertEqual(self.cache.get("key", "else"), "else")
        self.assertFalse(self.cache.has_key("key"))
        self.assertFalse(self.cache.delete("key"))

    def test_add_does_not_overwrite(self):
        self.assertTrue(self.cache.add("key", 1))
        self.assertFalse(self.cache.add("key", 2))
        self.assertEqual(self.cache.get("key"), 1)

    def test_expiry(self):
        self.cache.set("default", 1)
        self.cache.set("for-ever", 1, None)
        self.cache.set("at-once", 1, 0)
        client = self.cache._client
        self.assertLessEqual(client.pttl("shop:1:default"), 60000)
        self.assertGreater(client.pttl("shop:1:default"), 50000)
        self.assertEqual(client.pttl("shop:1:for-ever"), -1)
        self.assertFalse(self.cache.has_key("at-once"))
        self.assertTrue(self.cache.touch("for-ever", 10))
        self.assertLessEqual(client.pttl("shop:1:for-ever"), 10000)
        self.assertTrue(self.cache.touch("default", None))
        self.assertEqual(client.pttl("shop:1:default"), -1)
        self.assertFalse(self.cache.touch("nothing", 10))

    def test_counting(self):
        with self.assertRaises(ValueError):
            self.cache.incr("key")
        self.cache.set("key", 5)
        self.assertEqual(self.cache.incr("key", 3), 8)
        self.assertEqual(self.cache.decr("key"), 7)

    def test_clear_leaves_what_others_keep_there(self):
        other = self.make_cache("other")
        other.set("key", 1)
        self.cache.set("key", 2)
        self.cache.clear()
        self.assertIsNone(self.cache.get("key"))
        self.assertEqual(other.get("key"), 1)

    def test_look_ups_are_counted(self):
        journey = Journey({})
        token = _current.set(journey)
        self.addCleanup(_current.reset, token)
        self.cache.get("key")
        self.cache.set("key", None)
        self.cache.get("key")
        self.assertEqual((journey.hits, journey.misses), (1, 1))


@skipUnless(redis, "python3-redis is not here")
class NoRedisTest(TestCase):
    def test_a_redis_that_is_away_is_an_empty_cache(self):
        cache = make_cache("/nowhere/at/all", "shop")
        with mock.patch.object(caches.log, "warning") as warning:
            cache.set("key", 1)
            self.assertIsNone(cache.get("key"))
            self.assertFalse(cache.add("key", 1))
            self.assertFalse(cache.has_key("key"))
            cache.clear()
        self.assertEqual(warning.call_count, 5)
