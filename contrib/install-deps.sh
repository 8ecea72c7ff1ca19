#!/usr/bin/env bash
# Installs what is missing on Debian 12 or a relative of it. Quiet when nothing is.
#   contrib/install-deps.sh                     what `make check` needs: build, test
#   contrib/install-deps.sh build               to build dbconn
#   contrib/install-deps.sh build demo          for `make demo`
#   contrib/install-deps.sh build demo screenshots   for `make screenshots`
#   contrib/install-deps.sh build conformance   for `make check-conformance`
#   contrib/install-deps.sh build package       for `make deb`
#   contrib/install-deps.sh check-package       for `make check-deb`
#   contrib/install-deps.sh container           for `make check-container`
#   contrib/install-deps.sh build lint          for `make lint`
#   contrib/install-deps.sh build test nightly  for `make nightly`
#   contrib/install-deps.sh build fuzz          for `make fuzz`
#   contrib/install-deps.sh build bench         for `make bench`
set -euo pipefail

packages_for() {
    case $1 in
    build) echo build-essential pkg-config libwebsockets-dev libwebsockets-evlib-uv libuv1-dev \
        libcurl4-openssl-dev libcjson-dev libssl-dev libsqlite3-dev libpcre2-dev libpq-dev libcairo2-dev ;;
    demo) echo curl ca-certificates ;;
    test) echo libcmocka-dev libnghttp2-dev postgresql curl ca-certificates ;;
    screenshots) echo chromium fonts-dejavu-core fonts-noto-color-emoji ;;
    conformance) echo nodejs npm ca-certificates ;;
    package) echo debhelper dpkg-dev fakeroot lintian scdoc ;;
    check-package) echo debootstrap curl jq ;;
    container) echo binutils ca-certificates curl libpq5 ;;
    lint) echo clang-tidy clang-format cppcheck shellcheck ;;
    nightly) echo valgrind clang ;;
    bench) echo python3 openssl valgrind nodejs npm ca-certificates ;;
    fuzz) echo clang libclang-rt-dev llvm ;; # llvm: names in the stacks that are shown
    *)
        echo "install-deps: unknown group \"$1\"; the head of this script lists them" >&2
        exit 2
        ;;
    esac
}

# A program counts however it came here, for instance Node from another repository.
is_there() {
    case $1 in
    nodejs) command -v node >/dev/null ;;
    npm | curl | clang) command -v "$1" >/dev/null ;;
    build-essential) command -v cc >/dev/null && command -v make >/dev/null ;;
    pkg-config) command -v pkg-config >/dev/null ;;
    postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;;
    *) dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed' ;;
    esac
}

[ $# -eq 0 ] && set -- build test
missing=()
for group in "$@"; do
    packages=$(packages_for "$group")
    for package in $packages; do
        is_there "$package" || missing+=("$package")
    done
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "install-deps: please install: ${missing[*]} (their Debian names; there is no apt-get here)" >&2
    exit 1
fi
run=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "install-deps: please install as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    run=(sudo)
fi
echo "Installing ${missing[*]}"
# A fresh machine has no package lists yet; a failed update is told by the install itself.
"${run[@]}" apt-get update -qq || true
"${run[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
