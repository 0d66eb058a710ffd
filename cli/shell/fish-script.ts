import { firstWords, groupsOf, type ShellFlag, type ShellTable } from './shell-table.ts';

/** The completion script for fish 3 and newer. */
export function fishScript(table: ShellTable): string {
  const { commands, settings, withValue } = table;
  const configured = commands.filter((command) => command.configured).map(({ name }) => name);
  return `# fish completion of hotitem; made by: hotitem completion fish

# Prints the words so far that are neither flags nor their values.
function __hotitem_words
    set -l valued ${withValue.map((name) => `--${name}`).join(' ')}
    set -l skip 0
    for token in (commandline -opc)[2..-1]
        if test $skip -eq 1
            set skip 0
        else if contains -- $token $valued
            set skip 1
        else if not string match -q -- '-*' $token
            echo $token
        end
    end
end

# Whether the words so far are exactly these.
function __hotitem_is
    test "$(__hotitem_words)" = "$argv"
end

# Whether the words so far begin with one of these commands.
function __hotitem_runs
    set -l words (__hotitem_words)
    contains -- "$words[1]" $argv; or contains -- "$words[1] $words[2]" $argv
end

complete -c hotitem -f
complete -c hotitem -n '__hotitem_is ""' -l help -d 'shows the commands'
complete -c hotitem -n '__hotitem_is ""' -l version -d 'shows the version'
${firstWords(table)
  .map(({ word, about }) => `complete -c hotitem -n '__hotitem_is ""' -a ${word} -d ${quoted(about)}`)
  .join('\n')}
${[...groupsOf(table)]
  .flatMap(([word, own]) =>
    own.map(
      (second) =>
        `complete -c hotitem -n '__hotitem_is ${word}' -a ${second.word} -d ${quoted(second.about)}`,
    ),
  )
  .join('\n')}

${commands
  .flatMap(({ name, flags, words }) => [
    ...flags.map((flag) => flagLine(`__hotitem_runs ${quoted(name)}`, flag)),
    ...words.map((word) => `complete -c hotitem -n ${quoted(`__hotitem_is ${name}`)} -a ${word}`),
  ])
  .join('\n')}

set -g __hotitem_configured ${configured.map(quoted).join(' ')}
${settings.map((flag) => flagLine('__hotitem_runs $__hotitem_configured', flag)).join('\n')}
`;
}

function flagLine(condition: string, { name, about, value }: ShellFlag): string {
  const how =
    value === undefined
      ? ''
      : { file: ' -rF', choice: ` -xa ${quoted(value.choices.join(' '))}`, text: ' -x' }[value.kind];
  return `complete -c hotitem -n ${quoted(condition)} -l ${name}${how} -d ${quoted(about)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
