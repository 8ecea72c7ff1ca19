# Completion of dbconn's commands and options for bash.
#   install -m 0644 contrib/completions/dbconn.bash /usr/share/bash-completion/completions/dbconn

_dbconn()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} sub=${COMP_WORDS[2]} words=

    case $before in
    --config | --playbook | lint | backup | replay)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --export)
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return
        ;;
    --state)
        words='queued running done failed cancelled dead'
        ;;
    --issue | --host | --limit | --before | --older-than | --since | --command | --name)
        return
        ;;
    *)
        if [ "$COMP_CWORD" -eq 1 ]; then
            words='serve run check jobs feedback audit replay playbook config manifest --help --version'
        elif [ "$COMP_CWORD" -eq 2 ]; then
            case $command in
            jobs) words='list show requeue cancel purge backup verify --help' ;;
            audit) words='verify list export --help' ;;
            playbook) words='show lint facts --help' ;;
            config) words='print keys --help' ;;
            esac
        fi
        ;;
    esac
    if [ -z "$words" ]; then
        case $command/$sub in
        run/*) words='--json' ;;
        jobs/list) words='--state --issue --host --limit --before --json' ;;
        jobs/show) words='--record --json' ;;
        jobs/requeue) words='--fresh --failed --json' ;;
        jobs/purge) words='--older-than --json' ;;
        jobs/cancel | jobs/backup | jobs/verify) words='--json' ;;
        feedback/*) words='--since --export --all --json' ;;
        audit/verify) words='--head --json' ;;
        audit/*) words='--since' ;;
        replay/*) words='--playbook --json' ;;
        playbook/show) words='--json --source' ;;
        playbook/facts | config/keys | config/print) words='--json' ;;
        manifest/*) words='--command --name --alerts --explain' ;;
        esac
        words="$words --config --help"
        if [ "${word#-}" = "$word" ]; then
            case $command/$sub in
            replay/* | playbook/show | playbook/lint | jobs/backup)
                mapfile -t COMPREPLY < <(compgen -f -- "$word")
                return
                ;;
            esac
        fi
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _dbconn dbconn
