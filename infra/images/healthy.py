"""Ask this container's own probe, for health checks: ends well where it answers."""

import ssl
import sys
from urllib.request import urlopen

# The certificate is the service's own, and this is its own loopback interface.
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
url = sys.argv[1]
with urlopen(url, timeout=4, context=context if url.startswith("https:") else None):  # noqa: S310
    pass
