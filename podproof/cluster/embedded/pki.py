"""Keys, certificates and kubeconfigs: the control plane's by kubeadm's phases, the Nodes' by its CA."""

import datetime
import ipaddress
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from podproof.errors import ClusterError

from .gotool import last_line
from .paths import ClusterPaths

_LIFETIME = datetime.timedelta(days=365)
"""As long as kubeadm's own; the cluster does not live that long."""


@dataclass(frozen=True)
class KubeadmConfiguration:
    """What kubeadm is told about the cluster.

    Attributes:
        cluster: The cluster's name.
        version: Kubernetes' version, without the ``v``.
        api_server: Its address.
        service_range: CIDR of Service addresses.
        pod_range: CIDR of Pod addresses.
        coredns_tag: The tag of the CoreDNS image.
    """

    cluster: str
    version: str
    api_server: str
    service_range: str
    pod_range: str
    coredns_tag: str

    def write(self, path: Path, certificates: Path) -> None:
        """Write it as kubeadm's configuration file, v1beta4."""
        documents = [
            {
                "apiVersion": "kubeadm.k8s.io/v1beta4",
                "kind": "InitConfiguration",
                "localAPIEndpoint": {"advertiseAddress": self.api_server, "bindPort": 6443},
                "nodeRegistration": {"name": "control-plane", "criSocket": "unix:///run/none.sock"},
            },
            {
                "apiVersion": "kubeadm.k8s.io/v1beta4",
                "kind": "ClusterConfiguration",
                "clusterName": f"podproof-{self.cluster}",
                "kubernetesVersion": f"v{self.version}",
                "controlPlaneEndpoint": f"{self.api_server}:6443",
                "certificatesDir": str(certificates),
                # Its RSA keys take a second and a half; these take none.
                "encryptionAlgorithm": "ECDSA-P256",
                "networking": {"serviceSubnet": self.service_range, "podSubnet": self.pod_range},
                "dns": {"imageTag": self.coredns_tag},
            },
        ]
        path.write_text(yaml.safe_dump_all(documents))


def kubeadm(command: Path, *arguments: str) -> str:
    """Run kubeadm and return what it printed.

    Raises:
        ClusterError: It failed; the text is its last line.
    """
    done = subprocess.run(
        [str(command), *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise ClusterError(f"kubeadm {' '.join(arguments[:4])} failed: {last_line(done.stderr)}")
    return done.stdout


class Authority:
    """The cluster's certificate authority, as kubeadm made it."""

    def __init__(self, paths: ClusterPaths, server: str) -> None:
        self._certificate_file = paths.pki / "ca.crt"
        self._certificate = x509.load_pem_x509_certificate(self._certificate_file.read_bytes())
        key = serialization.load_pem_private_key((paths.pki / "ca.key").read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ClusterError(f"{paths.pki}/ca.key is no elliptic curve key")
        self._key = key
        self._server = server

    @property
    def certificate(self) -> str:
        """The authority's own certificate, PEM."""
        return self._certificate_file.read_text()

    def kubeconfig(self, user: str, group: str | None = None) -> str:
        """The text of a kubeconfig for a new client certificate."""
        certificate, key = self.issue(user, group, client=True)
        document: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "cluster",
                    "cluster": {
                        "server": self._server,
                        "certificate-authority-data": _base64(self.certificate),
                    },
                }
            ],
            "users": [
                {
                    "name": "user",
                    "user": {
                        "client-certificate-data": _base64(certificate),
                        "client-key-data": _base64(key),
                    },
                }
            ],
            "contexts": [{"name": "context", "context": {"cluster": "cluster", "user": "user"}}],
            "current-context": "context",
        }
        return yaml.safe_dump(document)

    def issue(
        self, name: str, group: str | None = None, *, client: bool, address: str | None = None
    ) -> tuple[str, str]:
        """Issue a certificate.

        Args:
            name: The common name: the user's, or the host's.
            group: The organisation, which Kubernetes takes for a group.
            client: For a client, or else for a server.
            address: A server's IPv4 address.

        Returns:
            Certificate and key, PEM.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if group:
            names.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(names))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + _LIFETIME)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if address:
            alternative: list[x509.GeneralName] = [
                x509.DNSName(name),
                x509.IPAddress(ipaddress.ip_address(address)),
            ]
            builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return (
            certificate.public_bytes(serialization.Encoding.PEM).decode(),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
        )


def _base64(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()
