#include "cairo_lib.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define CAIRO_NAME "libcairo.so.2"

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
#define X(name) { #name, offsetof(struct cairo_lib, name) },
    CAIRO_FUNCTIONS(X)
#undef X
};

int cairo_lib_load(struct cairo_lib *ret, struct error *err)
{
    struct cairo_lib lib = { 0 };

    /* Stays mapped when closed: it and the font libraries below it keep caches for the process. */
    lib.handle = dlopen(CAIRO_NAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!lib.handle)
        return error_set(err, ERR_CONFIG,
                         "a picture of the chart needs the drawing library %s: install the package "
                         "libcairo2",
                         CAIRO_NAME);
    for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
        void *found = dlsym(lib.handle, symbols[i].name);
        if (!found) {
            error_set(err, ERR_CONFIG, "%s lacks %s: install version 1.12 or newer", CAIRO_NAME,
                      symbols[i].name);
            dlclose(lib.handle);
            return -1;
        }
        memcpy((char *)&lib + symbols[i].offset, &found, sizeof(found));
    }
    *ret = lib;
    return 0;
}

void cairo_lib_unload(struct cairo_lib *lib)
{
    if (lib->handle)
        dlclose(lib->handle);
    *lib = (struct cairo_lib){ 0 };
}
