"""The images that the manifests name: what each is called in public, and what it holds if it is made here."""

from collections.abc import Callable
from dataclasses import dataclass

from .gobuild import Components
from .oci import Layer

E2E = "registry.k8s.io/e2e-test-images"
PAUSE = "registry.k8s.io/pause:3.10.2"
COREDNS_TAG = "v1.14.6"
METRICS_SERVER = "registry.k8s.io/metrics-server/metrics-server:v0.9.0"
SSHFS = "podproof.local/sshfs:3"


@dataclass(frozen=True)
class Image:
    """One image, and how to make it.

    Attributes:
        names: Full references, as manifests write them.
        entrypoint: What it runs.
        base: Whether it stands on the shell layer.
        packages: Debian packages whose files it holds.
        leave_out: Paths of those packages that nothing here reads.
        fill: Adds everything else to its layer.
        command: Default arguments.
        public: Whether a registry has it; one that none has is put together on every machine.
    """

    names: tuple[str, ...]
    entrypoint: tuple[str, ...]
    base: bool = False
    packages: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    fill: Callable[[Layer, Components], None] | None = None
    command: tuple[str, ...] = ()
    public: bool = True


def _binary(command: str, path: str) -> Callable[[Layer, Components], None]:
    def fill(layer: Layer, components: Components) -> None:
        layer.file(path, components.command(command))

    return fill


_NGINX_CONF = b"""\
user www-data;
worker_processes 1;
error_log /dev/stderr notice;
pid /run/nginx.pid;
events { worker_connections 256; }
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /dev/stdout;
    sendfile on;
    include /etc/nginx/conf.d/*.conf;
}
"""

_NGINX_DEFAULT = b"""\
server {
    listen 80;
    location / {
        root /usr/share/nginx/html;
        index index.html index.htm;
    }
}
"""


def _nginx(layer: Layer, components: Components) -> None:
    """Lay NGINX out as its own images do: pages in /usr/share/nginx/html, sites in /etc/nginx/conf.d."""
    del components
    layer.file("etc/nginx/nginx.conf", _NGINX_CONF, 0o644)
    layer.file("etc/nginx/conf.d/default.conf", _NGINX_DEFAULT, 0o644)
    layer.directory("var/lib/nginx")
    layer.directory("var/log/nginx")


_MARIADB_ENTRYPOINT = rb"""#!/bin/sh
# The part of the official image's entrypoint that a manifest needs: options for mariadbd as arguments, and
# on an empty data directory MARIADB_ROOT_PASSWORD, _DATABASE, _USER, _PASSWORD and *.sql files to begin with.
set -eu
case "${1:-}" in '' | -*) set -- mariadbd "$@" ;; esac
[ "$1" = mariadbd ] || exec "$@"
shift
data=/var/lib/mysql
first=/run/mysqld/first.sql
mkdir -p /run/mysqld "$data"
chown mysql:mysql /run/mysqld "$data"
: >"$first"
if [ ! -d "$data/mysql" ]; then
    quoted() { printf "'%s'" "$(printf %s "$1" | sed "s/[\\\\']/\\\\&/g")"; }
    root=${MARIADB_ROOT_PASSWORD:-${MYSQL_ROOT_PASSWORD:-}}
    if [ -z "$root" ] && [ -z "${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:-${MYSQL_ALLOW_EMPTY_PASSWORD:-}}" ]; then
        echo "set MARIADB_ROOT_PASSWORD, or MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1" >&2
        exit 1
    fi
    database=${MARIADB_DATABASE:-${MYSQL_DATABASE:-}}
    user=${MARIADB_USER:-${MYSQL_USER:-}}
    password=${MARIADB_PASSWORD:-${MYSQL_PASSWORD:-}}
    mariadb-install-db --force --skip-test-db --auth-root-authentication-method=normal --user=mysql "$@"
    {
        echo "SET PASSWORD FOR root@localhost = PASSWORD($(quoted "$root"));"
        for host in 127.0.0.1 ::1 "$(uname -n)"; do
            if [ "$host" != localhost ]; then echo "DROP USER IF EXISTS root@'$host';"; fi
        done
        echo "CREATE USER root@'%' IDENTIFIED BY $(quoted "$root");"
        echo "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
        if [ -n "$database" ]; then echo "CREATE DATABASE \`$database\`;"; fi
        if [ -n "$user" ]; then
            echo "CREATE USER $(quoted "$user")@'%' IDENTIFIED BY $(quoted "$password");"
            if [ -n "$database" ]; then echo "GRANT ALL ON \`$database\`.* TO $(quoted "$user")@'%';"; fi
        fi
        if [ -n "$database" ]; then echo "USE \`$database\`;"; fi
        for file in /docker-entrypoint-initdb.d/*.sql; do
            if [ -e "$file" ]; then cat "$file"; fi
        done
    } >"$first"
fi
exec mariadbd --user=mysql "--init-file=$first" "$@"
"""


def _mariadb(layer: Layer, components: Components) -> None:
    """Lay MariaDB out as its official image does: data in /var/lib/mysql, everything else by environment."""
    del components
    layer.file("usr/local/bin/docker-entrypoint.sh", _MARIADB_ENTRYPOINT)
    # The texts of the client's HELP command: to load them is half of the first start.
    layer.file("usr/share/mysql/fill_help_tables.sql", b"", 0o644)
    layer.directory("docker-entrypoint-initdb.d")
    layer.directory("var/lib/mysql")
    layer.directory("run/mysqld")


def _sshd(layer: Layer, components: Components) -> None:
    """Give sshd the directory that it locks its unprivileged half into."""
    del components
    layer.directory("run/sshd")


CATALOGUE = (
    # Upstream's pause sleeps and reaps; catatonit does just that with -P.
    Image(("registry.k8s.io/pause:3.10.2",), ("/usr/bin/catatonit", "-P"), packages=("catatonit",)),
    Image(
        (f"{E2E}/agnhost:2.66.1",),
        ("/agnhost",),
        base=True,
        fill=_binary("agnhost", "agnhost"),
        command=("pause",),
    ),
    # The provisioner's helper asks for plain "busybox".
    Image(
        (f"{E2E}/busybox:1.37.0-2", "docker.io/library/busybox:latest"), (), base=True, command=("/bin/sh",)
    ),
    Image(
        (f"{E2E}/nginx:1.27.0-2", f"{E2E}/nginx:1.28.0-2"),
        ("/usr/sbin/nginx", "-g", "daemon off;"),
        base=True,
        packages=("nginx", "nginx-common"),
        fill=_nginx,
    ),
    Image(
        (f"registry.k8s.io/coredns/coredns:{COREDNS_TAG}",), ("/coredns",), fill=_binary("coredns", "coredns")
    ),
    Image(
        ("docker.io/rancher/local-path-provisioner:v0.0.30",),
        (),
        fill=_binary("local-path-provisioner", "usr/bin/local-path-provisioner"),
        command=("local-path-provisioner",),
    ),
    Image(
        (METRICS_SERVER,),
        ("/metrics-server",),
        fill=_binary("metrics-server", "metrics-server"),
    ),
    # Its own command is a shell's: `echo GET http://... | vegeta attack`.
    Image(
        ("docker.io/peterevans/vegeta:6.9.1",),
        (),
        base=True,
        fill=_binary("vegeta", "usr/bin/vegeta"),
        command=("vegeta", "-help"),
    ),
    # Of the version that Debian has; the manifests need no more than what all of them share.
    Image(
        ("docker.io/library/mariadb:10.11",),
        ("docker-entrypoint.sh",),
        base=True,
        packages=("mariadb-server-core", "mariadb-client-core"),
        leave_out=(
            "usr/share/mysql/fill_help_tables.sql",
            "usr/bin/innochecksum",
            "usr/bin/mariadb-check",
            "usr/bin/mariadb-upgrade",
            "usr/bin/resolveip",
        ),
        fill=_mariadb,
        command=("mariadbd",),
    ),
    # Its own entrypoint makes users; the manifests' command is /usr/sbin/sshd with a configuration of theirs.
    Image(
        ("docker.io/atmoz/sftp:debian",),
        (),
        base=True,
        packages=("openssh-server",),
        leave_out=("etc/ssh/moduli",),
        fill=_sshd,
        command=("/usr/sbin/sshd", "-D", "-e"),
    ),
    # No registry is known to have it.
    Image(
        (SSHFS,),
        ("sshfs",),
        base=True,
        packages=("sshfs", "fuse3"),
        leave_out=("etc/ssh/moduli",),
        command=("--help",),
        public=False,
    ),
)
