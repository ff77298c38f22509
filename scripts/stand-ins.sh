# Sourced by setup.sh: stand-ins for the provider plugins, where the official ones can't be had (stand-ins/README.md).

stand_in_packages() { (cd "$root/stand-ins" && node_packages run "the stand-ins"); }

# Each plugin is a command that runs the stand-in of its name.
place_stand_ins() {
  local plugin name command
  [ -d "$stand_ins/plugins" ] || say "using stand-ins for the Pulumi plugins docker, random and tls (stand-ins/README.md)"
  stand_in_packages
  for plugin in $plugins; do
    name=${plugin%%:*}
    command=$stand_ins/plugins/resource-$name-v${plugin##*:}/pulumi-resource-$name
    [ ! -x "$command" ] || continue
    mkdir -p "${command%/*}"
    printf '#!/bin/sh\nexec node "${0%%/*}/../../../../stand-ins/plugin.cjs" %s "$@"\n' "$name" >"$command"
    chmod +x "$command"
  done
}
