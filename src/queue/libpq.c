#include "libpq.h"

#include <dlfcn.h>
#include <string.h>

#define LIBPQ_NAME "libpq.so.5"
#define LIBPQ_MIN_VERSION 130000

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
#define X(name) { #name, offsetof(struct libpq, name) },
    LIBPQ_FUNCTIONS(X)
#undef X
};

int libpq_load(struct libpq *ret, struct error *err)
{
    struct libpq pq = { 0 };

    /* Stays mapped when closed: it brings a TLS library whose clean-up must not vanish under it. */
    pq.handle = dlopen(LIBPQ_NAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!pq.handle)
        return error_set(err, ERR_CONFIG,
                         "a postgresql:// store needs PostgreSQL's client library %s: install the "
                         "package libpq5",
                         LIBPQ_NAME);
    for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
        void *found = dlsym(pq.handle, symbols[i].name);
        if (!found) {
            error_set(err, ERR_CONFIG, "%s lacks %s: install version 13 or newer", LIBPQ_NAME,
                      symbols[i].name);
            goto fail;
        }
        memcpy((char *)&pq + symbols[i].offset, &found, sizeof(found));
    }
    if (pq.PQlibVersion() < LIBPQ_MIN_VERSION) {
        error_set(err, ERR_CONFIG, "%s is version %d: 13 or newer is needed", LIBPQ_NAME,
                  pq.PQlibVersion() / 10000);
        goto fail;
    }
    *ret = pq;
    return 0;
fail:
    dlclose(pq.handle);
    return -1;
}

void libpq_unload(struct libpq *pq)
{
    if (pq->handle)
        dlclose(pq->handle);
    *pq = (struct libpq){ 0 };
}
