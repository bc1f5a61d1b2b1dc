/** `viable completion`: scripts that complete words in shells. They ask `viable __complete` for each word. */
import { Argument, type Command } from 'commander';
import type { CliIo } from './context.js';
import { oneOf } from './parse.js';

const HELP = `
bash:  source <(viable completion bash)        for good: in ~/.bashrc
zsh:   source <(viable completion zsh)         for good: in ~/.zshrc, after compinit
fish:  viable completion fish | source         for good: viable completion fish > ~/.config/fish/completions/viable.fish

Names of upstreams, actors, sessions, breakers, alarms and tools are those of the gateway that runs.

Examples:
  viable completion bash > /etc/bash_completion.d/viable`;

export function addCompletion(program: Command, io: CliIo): void {
  program
    .command('completion')
    .description('the script that completes words in your shell')
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS).argParser(oneOf(SHELLS)))
    .addHelpText('after', HELP)
    .action((shell: Shell) => {
      io.stdout.write(SCRIPTS[shell]);
    });
}

/** COMP_WORDS is not used: readline breaks it at `:` and `=`, which names have. */
const BASH = `# Completion of viable for bash: source <(viable completion bash)
_viable() {
  local line=\${COMP_LINE:0:COMP_POINT} cur value rest prefix
  local -a typed
  read -a typed <<<"$line"
  [[ $line == *[[:space:]] ]] && typed+=("")
  cur=\${typed[\${#typed[@]}-1]}
  # What readline has cut off already must not be in the replies.
  prefix=\${cur%"\${cur##*[:=]}"}
  COMPREPLY=()
  while IFS=$'\\t' read -r value rest; do
    if [[ $value == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "\${cur##*=}")
    else
      printf -v value '%q' "\${value#"$prefix"}"
      COMPREPLY+=("$value")
    fi
  done < <("\${typed[0]/#\\~/$HOME}" __complete -- "\${typed[@]:1}" 2>/dev/null)
}
complete -F _viable viable
`;

const ZSH = `#compdef viable
# Completion of viable for zsh: source <(viable completion zsh)
_viable() {
  local line value
  local -a found
  for line in "\${(@f)$("\${(Q)words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    if [[ $line == :files ]]; then
      _files
      return
    fi
    value=\${line%%$'\\t'*}
    found+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe -V viable found
}
compdef _viable viable
`;

const FISH = `# Completion of viable for fish: viable completion fish | source
function __viable_complete
    set -l typed (commandline -opc)
    set -l program $typed[1]
    set -e typed[1]
    for line in ($program __complete -- $typed (commandline -ct) 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c viable -f -k -a '(__viable_complete)'
`;

const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
type Shell = keyof typeof SCRIPTS;
const SHELLS = Object.keys(SCRIPTS);
