# Ends what a test process has started once that process is gone, however it went: `kill -9` and Ctrl-C run no exit
# handler, and jest shows its tests a copy of `process` whose handlers never run. Reads one command a line from stdin:
# `group PGID`, `folder PATH`, each taken back by `-group PGID`, `-folder PATH`; acts when stdin ends.
# A shell, because each suite has one: Node takes 15 times the CPU to start.

remove() {
  for pause in 0.1 0.2 0.4 0.8; do
    rm -rf -- "$1" && return
    # Something that was just killed still wrote into it.
    sleep "$pause"
  done
}

awk '
  /^-/ { delete held[substr($0, 2)]; next }
  { held[$0] }
  END {
    for (line in held) if (line ~ /^group /) print line
    for (line in held) if (line ~ /^folder /) print line
  }
' | while read -r kind what; do
  case $kind in
    group) kill -s KILL -- "-$what" 2>/dev/null ;;
    folder) remove "$what" 2>/dev/null ;;
  esac
done
