#include "trust.h"

#include <ctype.h>
#include <dirent.h>
#include <openssl/err.h>
#include <string.h>

struct trust {
    char *file;
    X509_STORE *store; /* NULL until loaded */
};

struct trust *trust_new(void)
{
    return xcalloc(1, sizeof(struct trust));
}

void trust_free(struct trust *trust)
{
    if (!trust)
        return;
    X509_STORE_free(trust->store);
    free(trust->file);
    free(trust);
}

void trust_set_file(struct trust *trust, const char *path)
{
    xreplace(&trust->file, path);
    X509_STORE_free(trust->store);
    trust->store = NULL;
}

/* "5ed36f99.0": the name under which OpenSSL looks a certificate up (openssl-rehash(1)). */
static bool is_hash_link(const char *name)
{
    for (int i = 0; i < 8; i++)
        if (!isxdigit((unsigned char)name[i]))
            return false;
    return name[8] == '.' && isdigit((unsigned char)name[9]);
}

static bool has_hash_links(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    bool found = false;

    if (!dir)
        return false;
    while (!found && (entry = readdir(dir)))
        found = is_hash_link(entry->d_name);
    closedir(dir);
    return found;
}

static const char *from_env(const char *variable, const char *fallback)
{
    const char *value = getenv(variable);

    return value && *value ? value : fallback;
}

/* SSL_CERT_FILE and SSL_CERT_DIR are OpenSSL's own variables (SSL_CTX_set_default_verify_paths(3)).
 */
static int load_system(X509_STORE *store, struct error *err)
{
    const char *file = from_env(X509_get_default_cert_file_env(), NULL);
    const char *dir =
        from_env(X509_get_default_cert_dir_env(), file ? NULL : X509_get_default_cert_dir());

    if (dir && has_hash_links(dir) && X509_STORE_load_path(store, dir) == 1 && !file)
        return 0;
    if (!file)
        file = X509_get_default_cert_file();
    if (X509_STORE_load_file(store, file) == 1)
        return 0;
    return error_set(err, ERR_CONFIG,
                     "no CA certificates: neither %s nor hash links in %s can be read (install "
                     "ca-certificates, or set net.ca_file)",
                     file, dir ? dir : "SSL_CERT_DIR");
}

int trust_load(struct trust *trust, struct error *err)
{
    int rc;

    if (trust->store)
        return 0;
    X509_STORE *store = X509_STORE_new();
    if (!store)
        return error_set(err, ERR_CONFIG, "OpenSSL cannot make a certificate store");
    if (trust->file && X509_STORE_load_file(store, trust->file) != 1)
        rc = error_set(err, ERR_CONFIG, "net.ca_file %s cannot be read as PEM certificates",
                       trust->file);
    else
        rc = trust->file ? 0 : load_system(store, err);
    ERR_clear_error();
    if (rc < 0) {
        X509_STORE_free(store);
        return -1;
    }
    /* A trusted intermediate or a self-signed server certificate may stand alone, as in curl. */
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    trust->store = store;
    return 0;
}

int trust_apply(struct trust *trust, SSL_CTX *ctx, struct error *err)
{
    if (trust_load(trust, err) < 0)
        return -1;
    SSL_CTX_set1_cert_store(ctx, trust->store); /* counts a reference */
    return 0;
}
