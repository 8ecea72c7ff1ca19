/* The shipped playbook as it stands in config/, so that the program runs without any file. */
    .section .rodata
    .global dbconn_builtin_playbook
    .type dbconn_builtin_playbook, @object
dbconn_builtin_playbook:
    .incbin "config/playbooks/database-connection-refused.json"
    .byte 0
    .size dbconn_builtin_playbook, . - dbconn_builtin_playbook
    .section .note.GNU-stack,"",@progbits
