"""Which addresses belong to the public internet, and to nobody's own network.

After the special-purpose registries of IANA (RFC 6890 and what came later). Where one address
hides another (IPv4 inside IPv6: mapped, NAT64, 6to4, Teredo), no server worth a preview is behind
it, and all of them are refused.
"""

from ipaddress import IPv4Address, ip_address, ip_network

_NOT_PUBLIC_4 = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        # Link-local; the metadata services of most clouds are at 169.254.169.254.
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        # Multicast, reserved, broadcast.
        "224.0.0.0/3",
        # Azure's own services answer its machines here.
        "168.63.129.16/32",
    )
)
_GLOBAL_UNICAST_6 = ip_network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    ip_network(block)
    for block in (
        # Protocol assignments, Teredo and ORCHID among them.
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)


def is_public(address: str) -> bool:
    """Tell whether *address* is one that a stranger's page may have.

    >>> is_public("93.184.216.34"), is_public("2606:2800:220:1::1")
    (True, True)
    >>> is_public("169.254.169.254"), is_public("::ffff:10.0.0.1"), is_public("fd00:ec2::254")
    (False, False, False)
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return not any(parsed in block for block in _NOT_PUBLIC_4)
    if parsed.scope_id is not None or parsed not in _GLOBAL_UNICAST_6:
        return False
    return not any(parsed in block for block in _NOT_PUBLIC_6)
