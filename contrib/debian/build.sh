#!/usr/bin/env bash
# Builds the Debian package out of a copy of the tree, as `make deb` does.
# Environment: BUILD, where to (its folder deb); VERSION, the program's, which the changelog must name.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${BUILD:?}" "${VERSION:?}"
out=$BUILD/deb
tree=$out/dbconn-$VERSION

packaged=$(dpkg-parsechangelog -l contrib/debian/changelog -S Version)
if [ "${packaged%-*}" != "$VERSION" ]; then
    echo "deb: contrib/debian/changelog speaks of $packaged, the Makefile of $VERSION" >&2
    exit 1
fi

rm -rf "$out"
mkdir -p "$tree"
tar --exclude=./build --exclude=./.git --exclude=node_modules -cf - . | tar -xf - -C "$tree"
cp -r contrib/debian "$tree/debian"
rm "$tree/debian/build.sh"
(
    cd "$tree"
    # Neither the caller's flags nor its make belong into the package.
    env -u MAKEFLAGS -u MAKELEVEL -u CFLAGS -u LDFLAGS -u BUILD -u WERROR -u VERSION \
        dpkg-buildpackage --build=binary --no-sign
) >"$out/build.log" 2>&1 || {
    tail -n 40 "$out/build.log" >&2
    echo "deb: the whole log is in $out/build.log" >&2
    exit 1
}

package=$(find "$out" -maxdepth 1 -name "dbconn_*.deb")
lintian --fail-on error "$out"/dbconn_*.changes
# shellcheck disable=SC2016 # dpkg's own placeholders
dpkg-deb --show --showformat \
    'Package: ${Package} ${Version}\nDepends: ${Depends}\nInstalled: ${Installed-Size} KiB\n' "$package"
echo "$package: $(($(stat -c %s "$package") / 1024)) KiB"
