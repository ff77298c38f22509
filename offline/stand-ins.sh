# Sourced by setup.sh: stand-ins for the provider plugins, where the official ones can't be had (offline/stand-ins/README.md).

stand_in_packages() { (cd "$root/offline/stand-ins" && node_packages run "the stand-ins"); }

# Each plugin is a command that runs the stand-in of its name. Pulumi starts the versions that a state names, so those of before run it too.
place_stand_ins() {
  local plugin name folder runs
  [ -d "$stand_ins/plugins" ] || say "using stand-ins for the Pulumi plugins docker, random and tls (offline/stand-ins/README.md)"
  stand_in_packages
  for plugin in $plugins; do
    name=${plugin%%:*}
    mkdir -p "$stand_ins/plugins/resource-$name-v${plugin##*:}"
    runs=$(printf '#!/bin/sh\nexec node "${0%%/*}/../../../../offline/stand-ins/plugin.cjs" %s "$@"' "$name")
    for folder in "$stand_ins/plugins/resource-$name-v"*/; do
      [ "$(cat "$folder/pulumi-resource-$name" 2>/dev/null)" != "$runs" ] || continue
      printf '%s\n' "$runs" >"$folder/pulumi-resource-$name"
      chmod +x "$folder/pulumi-resource-$name"
    done
  done
}
