#!/usr/bin/env bash
# Gathers what a container image of dbconn holds and nothing else: the program, the libraries that it
# links, those that it opens by name when it runs, the certificate authorities, and a user.
#   contrib/container/collect.sh PROGRAM FOLDER
set -euo pipefail
program=$1 image=$2
uid=65532 # as of other images without a shell, so that clusters' rules for it fit

# libpq for jobs in PostgreSQL; the plugin by which libwebsockets runs on libuv.
library_of() { ldconfig -p | awk -v name="$1" '$1 == name { print $NF; exit }'; }
opened=("$(library_of libpq.so.5)" "$(dirname "$(library_of libwebsockets.so.17)")/libwebsockets-evlib_uv.so")

mkdir -p "$image"/{etc/ssl/certs,usr/bin,usr/lib/ssl,usr/lib64,tmp,var/lib/dbconn}
# As on Debian itself: libwebsockets looks for its plugin below /usr/lib, ldd names it below /lib.
ln -s usr/lib "$image/lib"
ln -s usr/lib64 "$image/lib64"
chmod 1777 "$image/tmp"
install -m 0755 "$program" "$image/usr/bin/dbconn"
strip "$image/usr/bin/dbconn"

# ldd prints "name => /path (address)" and "/path-of-the-loader (address)".
{
    printf '%s\n' "${opened[@]}"
    ldd "$program" "${opened[@]}" | awk '$2 == "=>" { print $3 } $1 ~ /^\// && $2 ~ /^\(/ { print $1 }'
} | sort -u | while read -r library; do
    install -D -m 0755 "$(realpath "$library")" "$image$library"
done

cp /etc/ssl/certs/ca-certificates.crt "$image/etc/ssl/certs/"
ln -sf /etc/ssl/certs "$image/usr/lib/ssl/certs"
ln -sf /etc/ssl/certs/ca-certificates.crt "$image/usr/lib/ssl/cert.pem"
echo "dbconn:x:$uid:$uid:dbconn:/var/lib/dbconn:/usr/sbin/nologin" >"$image/etc/passwd"
echo "dbconn:x:$uid:" >"$image/etc/group"
echo 'hosts: files dns' >"$image/etc/nsswitch.conf"
chmod 0700 "$image/var/lib/dbconn"
chown "$uid:$uid" "$image/var/lib/dbconn"
