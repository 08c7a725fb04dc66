"""Which hosts images may be fetched from; checked on the very address that is connected to.

Resolving, checking and connecting happen in one place, so a name cannot resolve to a harmless address when it is
checked and to another when it is used.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import httpcore
import httpx

from server.errors import BadSettings, ImageRefused

_LOOK_UPS_AT_ONCE = 8
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# mapped, translated (RFC 2765), compatible (RFC 4291), NAT64: the last 32 bits are an IPv4 address
_CARRYING_IPV4 = tuple(map(ipaddress.IPv6Network, ("::ffff:0:0/96", "::ffff:0:0:0/96", "::/96", "64:ff9b::/96")))
# site-local (deprecated) and local NAT64 (RFC 8215): public to `ipaddress`
_NOT_PUBLIC = tuple(map(ipaddress.IPv6Network, ("fec0::/10", "64:ff9b:1::/48")))


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Public addresses are allowed; others only where a host name, address or network is listed."""

    hosts: frozenset[str]
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

    @classmethod
    def allowing(cls, entries: Iterable[str]) -> "AddressPolicy":
        """A policy that also allows `entries`: host names, addresses, or CIDR networks.

        Raises:
            BadSettings: an entry with a slash is not a network.
        """
        hosts, networks = set(), []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                if "/" in entry or ":" in entry:
                    raise BadSettings(
                        f"SAMSERVE_ALLOW_HOSTS: {entry!r} is neither a host name nor an address or network"
                    ) from None
                hosts.add(entry.lower())
        return cls(frozenset(hosts), tuple(networks))

    def allows(self, host: str, address: str) -> bool:
        """Whether `host`, which resolved to `address`, may be connected to."""
        ip = _unmapped(ipaddress.ip_address(address.partition("%")[0]))
        public = ip.is_global and not ip.is_multicast and not any(ip in network for network in _NOT_PUBLIC)
        return public or host.lower() in self.hosts or any(ip in network for network in self.networks)


def _unmapped(ip: _Address) -> _Address:
    """The IPv4 address inside an IPv6 one that carries one."""
    if not isinstance(ip, ipaddress.IPv6Address):
        return ip
    if any(ip in network for network in _CARRYING_IPV4) and int(ip) > 1:  # ::1 is itself
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.sixtofour or ip


class _GuardedBackend(httpcore.AnyIOBackend):
    """Connects to addresses that the policy allows, and to nothing else."""

    def __init__(self, policy: AddressPolicy, exempt: tuple[str, int] | None) -> None:
        self._policy, self._exempt = policy, exempt
        # asyncio's own look-ups share one pool with all other blocking work, which slow name servers would hold up
        self._resolver = ThreadPoolExecutor(_LOOK_UPS_AT_ONCE, "resolver")

    def close(self) -> None:
        """Lets go of the threads."""
        self._resolver.shutdown(wait=False, cancel_futures=True)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception | None = None
        for address in await self._resolve(host, port, timeout):
            try:
                return await super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"the name {host} has no address")

    async def _resolve(self, host: str, port: int, timeout: float | None) -> list[str]:
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            async with asyncio.timeout(timeout):
                found = await asyncio.get_running_loop().run_in_executor(self._resolver, look_up)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} does not resolve ({error})") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        exempt = (host.lower(), port) == self._exempt
        allowed = [address for address in addresses if exempt or self._policy.allows(host, address)]
        if addresses and not allowed:
            raise ImageRefused(
                f"{host} is the non-public address {addresses[0]}, from which images are not fetched; "
                f"to allow it, set SAMSERVE_ALLOW_HOSTS={host}"
            )
        return allowed


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport, with its connections made by the guarded backend; (host, port) `exempt` is always allowed."""

    def __init__(self, policy: AddressPolicy, tls: ssl.SSLContext, exempt: tuple[str, int] | None = None) -> None:
        super().__init__(verify=tls)
        self._backend = _GuardedBackend(policy, exempt)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls, network_backend=self._backend, max_connections=32, keepalive_expiry=30.0
        )

    async def aclose(self) -> None:
        """Closes all connections."""
        await super().aclose()
        self._backend.close()
