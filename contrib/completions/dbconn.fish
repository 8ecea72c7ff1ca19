# Completion of dbconn's commands and options for fish.
#   install -m 0644 contrib/completions/dbconn.fish /usr/share/fish/vendor_completions.d/dbconn.fish

function __dbconn_at
    # Is the command line at: command [subcommand]?
    set -l words (commandline -opc)
    test (count $words) -gt (count $argv); or return 1
    for i in (seq (count $argv))
        contains -- $words[(math $i + 1)] (string split , $argv[$i]); or return 1
    end
end

function __dbconn_wants
    # Is the subcommand of $argv[1] what comes next?
    set -l words (commandline -opc)
    test (count $words) -eq 2; and test $words[2] = $argv[1]
end

complete -c dbconn -f
complete -c dbconn -n __fish_use_subcommand -l help -d 'the commands'
complete -c dbconn -n __fish_use_subcommand -l version -d 'the version'
complete -c dbconn -n __fish_use_subcommand -a serve -d 'the Slack bot'
complete -c dbconn -n __fish_use_subcommand -a run -d 'one investigation in the terminal'
complete -c dbconn -n __fish_use_subcommand -a check -d 'validates the configuration and every credential'
complete -c dbconn -n __fish_use_subcommand -a jobs -d 'what the bot has kept'
complete -c dbconn -n __fish_use_subcommand -a audit -d 'who asked for what'
complete -c dbconn -n '__dbconn_at audit' -a 'verify list export'
complete -c dbconn -n '__dbconn_at audit' -l head -x -d 'an entry that must be there'
complete -c dbconn -n '__dbconn_at feedback,audit' -l since -x -d 'only the last'
complete -c dbconn -n __fish_use_subcommand -a feedback -d 'how often each cause was right'
complete -c dbconn -n __fish_use_subcommand -a replay -d 'evaluates stored evidence'
complete -c dbconn -n __fish_use_subcommand -a playbook -d 'what the playbook says'
complete -c dbconn -n __fish_use_subcommand -a config -d 'the effective configuration'
complete -c dbconn -n __fish_use_subcommand -a manifest -d 'the Slack app manifest'

complete -c dbconn -n 'not __fish_use_subcommand' -l help -d 'what it does and takes'
complete -c dbconn -n 'not __fish_use_subcommand' -l config -r -F -d 'configuration file'
complete -c dbconn -n '__dbconn_at run,jobs,feedback,audit,replay,playbook,config' -l json -d 'for scripts'

complete -c dbconn -n '__dbconn_wants jobs' -a 'list show requeue cancel purge backup verify'
complete -c dbconn -n '__dbconn_at jobs list' -l state -x -a 'queued running done failed cancelled dead' -d 'only these'
complete -c dbconn -n '__dbconn_at jobs list' -l issue -x -d 'only of this issue'
complete -c dbconn -n '__dbconn_at jobs list' -l host -x -d 'only with this target'
complete -c dbconn -n '__dbconn_at jobs list' -l limit -x -d 'at most'
complete -c dbconn -n '__dbconn_at jobs list' -l before -x -d 'go on behind'
complete -c dbconn -n '__dbconn_at jobs show' -l record -d 'only what the queue knows'
complete -c dbconn -n '__dbconn_at jobs requeue' -l fresh -d 'ask all steps again'
complete -c dbconn -n '__dbconn_at jobs requeue' -l failed -d 'ask failed steps again'
complete -c dbconn -n '__dbconn_at jobs purge' -l older-than -x -d 'ended longer ago than'
complete -c dbconn -n '__dbconn_at jobs backup' -F

complete -c dbconn -n '__dbconn_at feedback' -l export -x -a '(__fish_complete_directories)' -d 'write the cases'
complete -c dbconn -n '__dbconn_at feedback' -l all -d 'also what nobody judged'
complete -c dbconn -n '__dbconn_at replay' -F
complete -c dbconn -n '__dbconn_at replay' -l playbook -r -F -d 'a playbook to try'

complete -c dbconn -n '__dbconn_wants playbook' -a 'show lint facts'
complete -c dbconn -n '__dbconn_at playbook show,lint' -F
complete -c dbconn -n '__dbconn_at playbook show' -l source -d 'as it was written'
complete -c dbconn -n '__dbconn_wants config' -a 'print keys'

complete -c dbconn -n '__dbconn_at manifest' -l command -x -d 'the slash command'
complete -c dbconn -n '__dbconn_at manifest' -l name -x -d 'name of the app'
complete -c dbconn -n '__dbconn_at manifest' -l alerts -d 'also be told of messages'
complete -c dbconn -n '__dbconn_at manifest' -l explain -d 'what each scope is for'
