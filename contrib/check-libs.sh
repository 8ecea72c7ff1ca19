#!/bin/sh
# Says what is missing to build, with the name of its Debian package, before the compiler does.
#   contrib/check-libs.sh MODULE...      pkg-config's names
set -u
missing='' packages=''

# Its Debian package, and from which version on it has what is used.
describe() {
    case $1 in
    libwebsockets) echo 'libwebsockets-dev 4.1' ;; # event loops as plugins
    libuv) echo 'libuv1-dev 1.33' ;; # uv_random
    libcurl) echo 'libcurl4-openssl-dev 7.85' ;; # CURLOPT_PROTOCOLS_STR
    libcjson) echo 'libcjson-dev 1.7' ;;
    libssl | libcrypto) echo 'libssl-dev 3.0' ;;
    sqlite3) echo 'libsqlite3-dev 3.35' ;; # RETURNING
    libpcre2-8) echo 'libpcre2-dev 10.22' ;;
    libpq) echo 'libpq-dev 13' ;;
    cairo) echo 'libcairo2-dev 1.12' ;;
    cmocka) echo 'libcmocka-dev 1.1' ;;
    *) echo "$1 0" ;;
    esac
}

if ! command -v pkg-config >/dev/null; then
    echo "pkg-config is missing (Debian: apt-get install pkg-config)." >&2
    exit 1
fi
for module in "$@"; do
    about=$(describe "$module")
    package=${about% *} least=${about#* }
    pkg-config --exists "$module >= $least" && continue
    if pkg-config --exists "$module"; then
        missing="$missing  $module is $(pkg-config --modversion "$module") here, $least or newer is needed ($package)
"
    else
        missing="$missing  $module is not there ($package)
"
    fi
    case " $packages " in
    *" $package "*) ;;
    *) packages="$packages $package" ;;
    esac
done
[ -z "$missing" ] && exit 0
printf 'Libraries that dbconn is built with are missing (in brackets: their Debian packages):\n%s' "$missing" >&2
echo "On Debian 12: apt-get install$packages, or contrib/install-deps.sh for everything." >&2
exit 1
