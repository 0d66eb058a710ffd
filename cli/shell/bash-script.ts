import {
  firstWords,
  groupsOf,
  quoted,
  type ShellFlag,
  type ShellTable,
  type ShellWord,
} from './shell-table.ts';

/** The completion script for bash 4 and newer; needs no bash-completion. */
export function bashScript(table: ShellTable): string {
  const { commands, settings, withValue } = table;
  return `# bash completion of hotitem; made by: hotitem completion bash

_hotitem() {
  local cur=\${COMP_WORDS[COMP_CWORD]} flag=\${COMP_WORDS[COMP_CWORD - 1]} first='' second='' number=0 i word
  local settings=${quoted(dashed(settings))}
  local valued=${quoted(` ${withValue.map((name) => `--${name}`).join(' ')} `)}
  local command words='' flags=''
  # Whatever the shell has set it to, the words below are parted by spaces.
  local IFS=$' \\t\\n'
  COMPREPLY=()

  # Bash splits --flag=value into three words.
  [[ $cur == '=' ]] && cur=''
  [[ $flag == '=' ]] && flag=\${COMP_WORDS[COMP_CWORD - 2]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $valued == *" $word "* ]]; then
      ((i++))
      [[ \${COMP_WORDS[i]} == '=' ]] && ((i++))
    elif [[ $word != -* ]]; then
      ((number += 1))
      ((number == 1)) && first=$word
      ((number == 2)) && second=$word
    fi
  done

  command=$first
  case $first in
    '') words=${quoted(
      firstWords(table)
        .map(({ word }) => word)
        .join(' '),
    )} flags='--help --version' ;;
${[...groupsOf(table)].map(([word, own]) => groupCase(word, own)).join('\n')}
  esac
  case $command in
${commands.map((command) => commandCase(command)).join('\n')}
  esac

  if [[ $valued == *" $flag "* ]]; then
    case "$command $flag" in
${commands.flatMap(({ name, flags }) => flags.flatMap((flag) => valueCase(`${quoted(`${name} --${flag.name}`)}`, flag))).join('\n')}
${settings.flatMap((flag) => valueCase(`*' --${flag.name}'`, flag)).join('\n')}
    esac
    return
  fi
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}

complete -F _hotitem hotitem
`;
}

function groupCase(first: string, seconds: ShellWord[]): string {
  const words = seconds.map(({ word }) => word).join(' ');
  return `    ${first})
      if [[ -z $second ]]; then words=${quoted(words)}; else command="$first $second"; ((number--)); fi ;;`;
}

function commandCase({ name, flags, configured, words }: ShellTable['commands'][number]): string {
  const own = quoted(dashed(flags));
  const offered = words.length === 0 ? '' : ` && ((number == 1)) && words=${quoted(words.join(' '))}`;
  return `    ${quoted(name)}) flags=${own}${configured ? '" $settings"' : ''}${offered} ;;`;
}

function valueCase(pattern: string, { value }: ShellFlag): string[] {
  if (value === undefined) return [];
  if (value.kind === 'choice')
    return [`      ${pattern}) COMPREPLY=($(compgen -W ${quoted(value.choices.join(' '))} -- "$cur")) ;;`];
  // One name a line: names contain spaces.
  return value.kind === 'file'
    ? [`      ${pattern}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;`]
    : [`      ${pattern}) ;;`];
}

function dashed(flags: ShellFlag[]): string {
  return flags.map(({ name }) => `--${name}`).join(' ');
}
