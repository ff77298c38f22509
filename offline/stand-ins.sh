# Sourced by setup.sh: stand-ins for the provider plugins, where the official ones can't be had (offline/stand-ins/README.md).

stand_in_packages() { (cd "$root/offline/stand-ins" && node_packages run "the stand-ins"); }

# Each plugin is a command that runs the stand-in of its name.
stand_in_command() { printf '#!/bin/sh\nexec node "${0%%/*}/../../../../offline/stand-ins/plugin.cjs" %s "$@"\n' "$1"; }

# The commands that run something else. Pulumi starts the versions that a state names, so those of before are to run it too.
outdated_stand_ins() {
  local plugin name folder
  for plugin in $plugins; do
    name=${plugin%%:*}
    for folder in "$stand_ins/plugins/resource-$name-v"*/; do
      [ "$(cat "${folder}pulumi-resource-$name" 2>/dev/null)" = "$(stand_in_command "$name")" ] ||
        printf '%s\n' "${folder}pulumi-resource-$name"
    done
  done
}
stand_ins_outdated() { packages_outdated "$root/offline/stand-ins" || [ -n "$(outdated_stand_ins)" ]; }

place_stand_ins() {
  local plugin command
  [ -d "$stand_ins/plugins" ] || say "using stand-ins for the Pulumi plugins docker, random and tls (offline/stand-ins/README.md)"
  stand_in_packages
  for plugin in $plugins; do
    mkdir -p "$stand_ins/plugins/resource-${plugin%%:*}-v${plugin##*:}"
  done
  outdated_stand_ins | while read -r command; do
    stand_in_command "${command##*-}" >"$command"
    chmod +x "$command"
  done
}
