#include <stdio.h>

int main(void)
{
    puts("dbconn " DBCONN_VERSION);
    return 0;
}
