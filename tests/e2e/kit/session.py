"""A visitor of a Django site: keeps cookies, fills in forms with their CSRF token, over the strict client."""
import re
import uuid
from http.cookies import SimpleCookie
from urllib.parse import urlencode


class Session:
    def __init__(self, connection, host="localhost", scheme="http"):
        self._client, self._host, self._scheme = connection, host, scheme
        self.cookies = {}

    def request(self, method, path, fields=(), body=None):
        cookies = "; ".join("%s=%s" % item for item in self.cookies.items())
        r = self._client.request(method, path, [*([("Cookie", cookies)] if cookies else []), *fields], body, host=self._host)
        for text in r.all("Set-Cookie"):
            for name, morsel in SimpleCookie(text).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return r

    def get(self, path, *fields):
        return self.request("GET", path, fields)

    def post(self, path, page=None, files=None, **data):
        """Posts to `path` with the CSRF token of the form on `page`."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(page or path).text)
        data["csrfmiddlewaretoken"] = token[1]
        body, kind = _multipart(data, files) if files else (urlencode(data).encode(), "application/x-www-form-urlencoded")
        return self.request("POST", path, [("Content-Type", kind), ("Origin", "%s://%s" % (self._scheme, self._host)),
                                        ("Referer", "%s://%s%s" % (self._scheme, self._host, page or path))], body)

    def follow(self, r):
        assert r.status in (302, 303), r
        return self.get(r["Location"])


def _multipart(data, files):
    boundary = uuid.uuid4().hex
    parts = [b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (
        boundary.encode(), k.encode(), str(v).encode()) for k, v in data.items()]
    parts += [b'--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: %s\r\n\r\n%s\r\n' % (
        boundary.encode(), k.encode(), name.encode(), kind.encode(), content) for k, (name, kind, content) in files.items()]
    return b"".join(parts) + b"--%s--\r\n" % boundary.encode(), "multipart/form-data; boundary=" + boundary
