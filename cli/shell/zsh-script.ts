import {
  firstWords,
  groupsOf,
  quoted,
  type ShellCommand,
  type ShellFlag,
  type ShellTable,
  type ShellWord,
} from './shell-table.ts';

/** The completion script for zsh 5: `_hotitem` in a folder of `fpath`, or sourced after compinit. */
export function zshScript(table: ShellTable): string {
  const { commands, settings, withValue } = table;
  return `#compdef hotitem
# zsh completion of hotitem; made by: hotitem completion zsh

_hotitem() {
  local first='' second='' word command
  local -i i
  local -a found settings own words_of
  local -A valued
  valued=(${withValue.map((name) => `--${name} 1`).join(' ')})
  settings=(
${settings.map((flag) => `    ${argument(flag)}`).join('\n')}
  )

  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if (( \${+valued[$word]} )); then
      (( i++ ))
    elif [[ $word != -* ]]; then
      found+=("$word")
    fi
  done
  first=$found[1] second=$found[2] command=$first

  if [[ -z $first && $words[CURRENT] != -* ]]; then
    own=(
${firstWords(table)
  .map(({ word, about }) => `      ${described(word, about)}`)
  .join('\n')}
    )
    _describe -t commands 'command of hotitem' own
    return
  fi
  case $first in
${[...groupsOf(table)].map(([word, members]) => groupCase(word, members)).join('\n')}
  esac

  own=() words_of=()
  case $command in
    '') own=('--help[shows the commands]' '--version[shows the version]') ;;
${commands.map((command) => commandCase(command)).join('\n')}
  esac
  # The words of the command come first, then its own argument.
  if [[ $command == *' '* ]]; then
    _arguments -S $own '1: :' '2: :' "3: :($words_of)" '*: :'
  else
    _arguments -S $own '1: :' "2: :($words_of)" '*: :'
  fi
}

if [[ \${funcstack[1]} == _hotitem ]]; then
  _hotitem "$@"
else
  compdef _hotitem hotitem
fi
`;
}

function groupCase(first: string, seconds: ShellWord[]): string {
  const rows = seconds.map(({ word, about }) => `        ${described(word, about)}`);
  return `    ${first})
      command="$first $second"
      if [[ -z $second && $words[CURRENT] != -* ]]; then
        own=(
${rows.join('\n')}
        )
        _describe -t commands 'command of hotitem ${first}' own
        return
      fi ;;`;
}

function commandCase({ name, flags, configured, words }: ShellCommand): string {
  const rows = flags.map((flag) => `        ${argument(flag)}`);
  return `    ${quoted(name)})
      own=(
${rows.join('\n')}
        ${configured ? '$settings' : ''}
      )
      words_of=(${words.map(quoted).join(' ')}) ;;`;
}

function argument({ name, about, value }: ShellFlag): string {
  // Brackets end a description.
  const text = `[${escaped(about.replaceAll('[', '(').replaceAll(']', ')'))}]`;
  if (value === undefined) return quoted(`--${name}${text}`);
  const action = { file: '_files', choice: `(${value.choices.join(' ')})`, text: ' ' }[value.kind];
  return quoted(`--${name}=${text}:${escaped(value.placeholder)}:${action}`);
}

function described(word: string, about: string): string {
  return quoted(`${escaped(word)}:${escaped(about)}`);
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
}
