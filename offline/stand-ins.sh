# Sourced by setup.sh: stand-ins for the provider plugins, where the official ones can't be had (offline/stand-ins/README.md).

stand_in_packages() { (cd "$root/offline/stand-ins" && node_packages run "the stand-ins"); }

# Each plugin is a command that runs the stand-in of its name.
place_stand_ins() {
  local plugin name command runs
  [ -d "$stand_ins/plugins" ] || say "using stand-ins for the Pulumi plugins docker, random and tls (offline/stand-ins/README.md)"
  stand_in_packages
  for plugin in $plugins; do
    name=${plugin%%:*}
    command=$stand_ins/plugins/resource-$name-v${plugin##*:}/pulumi-resource-$name
    runs=$(printf '#!/bin/sh\nexec node "${0%%/*}/../../../../offline/stand-ins/plugin.cjs" %s "$@"' "$name")
    [ "$(cat "$command" 2>/dev/null)" != "$runs" ] || continue
    mkdir -p "${command%/*}"
    printf '%s\n' "$runs" >"$command"
    chmod +x "$command"
  done
}
