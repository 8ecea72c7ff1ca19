# Turns a guide of docs/ into the body of a manual page, as scdoc text: so the guide and the page are one
# source. Knows what the guides use: headings, paragraphs, lists, fences, tables of two columns, `code`,
# **strong**, *emphasis* and links. The title is left out, since the page has its own.
function escape(c) {
    return c ~ /[\\*_]/ ? "\\" c : c
}

# Bold or underlined text as scdoc wants it: its own marks escaped.
function marked(mark, text,    i, out) {
    for (i = 1; i <= length(text); i++)
        out = out escape(substr(text, i, 1))
    return mark out mark
}

function inline(text,    out, m) {
    while (text != "") {
        if (match(text, /^`[^`]+`/))
            out = out marked("*", substr(text, 2, RLENGTH - 2))
        else if (match(text, /^\*\*[^*]+\*\*/))
            out = out marked("*", substr(text, 3, RLENGTH - 4))
        else if (match(text, /^\*[^* ][^*]*\*/))
            out = out marked("_", substr(text, 2, RLENGTH - 2))
        else if (match(text, /^\[[^]]+\]\([^)]+\)/)) {
            m = substr(text, 2, RLENGTH - 2)
            out = out inline(substr(m, 1, index(m, "](") - 1))
            match(text, /^\[[^]]+\]\([^)]+\)/) # inline() above has matched, too
        } else {
            out = out escape(substr(text, 1, 1))
            RLENGTH = 1
        }
        text = substr(text, RLENGTH + 1)
    }
    return out
}

# A row of a table is an entry: what it is about, and behind a tab what is said of it.
function row(line,    cells) {
    sub(/^\| /, "", line)
    sub(/ \|$/, "", line)
    if (split(line, cells, / \| /) != 2) {
        print "markdown.awk: line " NR " is no row of two columns" >"/dev/stderr"
        exit 1
    }
    printf "%s\n\t%s\n\n", inline(cells[1]), inline(cells[2])
}

/^ *```/ {
    fenced = !fenced
    print "```"
    next
}
fenced { print; next }
/^# / { next }
/^## / { print "# " toupper(substr($0, 4)); next }
/^### / { print "## " substr($0, 5); next }
/^\|/ {
    # The first row holds the names of the columns, the second a rule.
    if (++rows > 2)
        row($0)
    next
}
{ rows = 0 }
/^[0-9]+\. / { sub(/^[0-9]+\. /, ""); print ". " inline($0); next }
/^- / { print "- " inline(substr($0, 3)); next }
/^ +/ { sub(/^ +/, ""); print "  " inline($0); next }
{ print inline($0) }
