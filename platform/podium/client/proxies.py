"""The connections to a server: through the proxy that the environment names, if it names one."""

import os
import ssl

import urllib3


def pool(url: str) -> urllib3.PoolManager:
    """Connections for an address, kept and used again."""
    trust = _certificates() if url.startswith("https:") else None
    proxy = _proxy(url)
    if proxy is None:
        return urllib3.PoolManager(ca_certs=trust)
    return urllib3.ProxyManager(proxy, ca_certs=trust)


def _proxy(url: str) -> str | None:
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    import urllib.request

    where = urllib.parse.urlsplit(url)
    if urllib.request.proxy_bypass(where.netloc):
        return None
    found = urllib.request.getproxies()
    return found.get(where.scheme) or found.get("all")


def _certificates() -> str | None:
    """None: the system's, as Python finds them; some Pythons find none and take certifi's."""
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    known = ssl.get_default_verify_paths()
    if named or known.cafile or known.capath:
        return named
    import certifi

    return certifi.where()
