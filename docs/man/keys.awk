# The keys' part of dbconn.json(5) as scdoc text, from what `dbconn config keys` prints: so the page
# names each key that the program reads, with its own type, variable and default. One heading a section,
# in the order in which the sections first appear.
BEGIN { FS = "  +" } # columns are at least two blanks apart, and no cell holds two in a row

function plain(text) {
    gsub(/[\\*_]/, "\\\\&", text)
    return text
}

NR == 1 {
    if ($0 !~ /^KEY +TYPE +ENVIRONMENT +DEFAULT +MEANING$/) {
        print "keys.awk: these are not the columns of dbconn config keys: " $0 >"/dev/stderr"
        exit 1
    }
    next
}

NF != 5 {
    print "keys.awk: not five columns: " $0 >"/dev/stderr"
    exit 1
}

{
    section = substr($1, 1, index($1, ".") - 1)
    if (!(section in keys))
        order[++n] = section
    name = "*" $1 "* (" $2 ($3 == "-" ? "" : ", *" $3 "*") ")"
    meaning = plain(toupper(substr($5, 1, 1)) substr($5, 2)) "."
    fallback = $4 == "-" ? "" : " By default *" plain($4) "*."
    keys[section] = keys[section] "\n" name "\n\t" meaning fallback "\n"
}

END {
    for (i = 1; i <= n; i++)
        printf "## %s\n%s\n", order[i], keys[order[i]]
}
