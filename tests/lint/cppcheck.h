/* What cppcheck has to know of headers that it does not read. */
#define cJSON_ArrayForEach(item, array) for (item = array; item; item = item->next)
