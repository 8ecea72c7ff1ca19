#include "dbconn/base/error.h"

int error_set(struct error *err, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return -1;
    err->code = code;
    err->retry_after_ms = 0;
    buf_reset(&err->message);
    va_start(ap, fmt);
    buf_vaddf(&err->message, fmt, ap);
    va_end(ap);
    return -1;
}

int error_context(struct error *err, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    va_list ap;

    if (!err)
        return -1;
    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    buf_addf(&text, ": %s", buf_str(&err->message));
    buf_clear(&err->message);
    err->message = text;
    return -1;
}

void error_clear(struct error *err)
{
    buf_clear(&err->message);
    err->code = ERR_NONE;
    err->retry_after_ms = 0;
}

void error_copy(struct error *to, const struct error *from)
{
    error_set(to, from->code, "%s", error_text(from));
    to->retry_after_ms = from->retry_after_ms;
}

const char *error_text(const struct error *err)
{
    return buf_str(&err->message);
}

const char *err_code_name(enum err_code code)
{
    static const char *const names[] = {
        [ERR_NONE] = "none",
        [ERR_USAGE] = "usage",
        [ERR_CONFIG] = "config",
        [ERR_INVALID] = "invalid",
        [ERR_UNAUTHORIZED] = "unauthorized",
        [ERR_FORBIDDEN] = "forbidden",
        [ERR_NOT_FOUND] = "not_found",
        [ERR_RATE_LIMITED] = "rate_limited",
        [ERR_TIMEOUT] = "timeout",
        [ERR_NETWORK] = "network",
        [ERR_TOO_LARGE] = "too_large",
        [ERR_PROTOCOL] = "protocol",
        [ERR_UPSTREAM] = "upstream",
        [ERR_STORE] = "store",
        [ERR_CANCELLED] = "cancelled",
    };
    return names[code];
}
