#!/usr/bin/env bash
# A release as far as one machine can make it, and all that must stop one: the binaries for Linux and Windows, built
# twice to the same bytes; archives, sums and images; each binary that can be started here does its main job. Works in
# a repository of its own, so that it may write changelog, sums and tags there. What publishes runs over commands that
# only say what they were told. Not tried here: macOS, and whether the binary for Windows runs. Needs root.
# shellcheck disable=SC2016 # backticks in single quotes are those of a message
. "${BASH_SOURCE[0]%/*}/../pipelines/prelude.bash"
. tests/pipelines/docker.bash

here="$PWD"
version=1.0.0 # which README, docs and examples name by its first number
arm=aarch64-unknown-linux-musl
windows=x86_64-pc-windows-gnu
repository="$work/repository"
commit=(git -c user.name=release -c user.email=release@example.com commit --quiet --all --message 'As it is now')

# The repository as it stands here, with this version dated in its changelog.
copy() {
  local file
  git ls-files --cached --others --exclude-standard --deduplicate | while IFS= read -r file; do
    if [ -e "$file" ]; then cp --parents "$file" "$repository"; fi
  done
  mkdir --parents .tools
  ln --symbolic "$here/.tools" "$repository/.tools"
  cd "$repository"
  sed --in-place "s/^version = .*/version = \"$version\"/" Cargo.toml
  sed --in-place "/^name = \"epm-\(gate\|sandbox\)\"\$/{n;s/.*/version = \"$version\"/}" Cargo.lock
  committed .
  grep --quiet "^## \[$version\] - " CHANGELOG.md ||
    sed --in-place "s/^## \[Unreleased\]/&\n\n## [$version] - 2026-01-31/" CHANGELOG.md
  "${commit[@]}"
}

# `.ci/release` refuses this for that reason.
refused() {
  local reason=$1
  shift
  expect 1 .ci/release "$@"
  said "release: $reason"
}

# Puts another text into a file for one command.
with() {
  local file=$1 edit=$2
  shift 2
  cp "$file" "$work/kept"
  sed --in-place "$edit" "$file"
  "$@"
  cp "$work/kept" "$file"
}

checks() {
  say 'checks'
  expect 0 .ci/release check
  with CHANGELOG.md "s/^## \[$version\] - .*/## [$version]/" refused 'CHANGELOG.md has no section' check
  with CHANGELOG.md "/^## \[$version\] - /,\${/^- /d}" refused "CHANGELOG.md says nothing of $version" check
  with Cargo.toml "s/^version = \"$version\"/version = \"$version-rc.1\"/" refused 'the version in Cargo.toml is' check
  with README.md 's/epm-gate@v1/epm-gate@v2/' refused "the version is $version, and README.md" check
  refused "the tag is v99.0.0 and the version in Cargo.toml $version" check v99.0.0
  refused "v$version is not the newest of the tags" check "v$version"
  git tag "v$version"
  with action/SHA256SUMS d refused "action/SHA256SUMS is not of $version" check "v$version"
  expect 1 .ci/release publish
}

binaries() {
  local target
  say 'the binaries'
  .ci/release build "$musl" "$arm" "$windows"
  say 'all of them again'
  .ci/release rebuild "$musl" "$arm" "$windows"
  for target in "$musl" "$arm"; do
    readelf --wide --program-headers --dynamic "dist/bin/$target/epm-gate" >"$output"
    not_said INTERP NEEDED
  done
  say 'the dependencies in them'
  crate rust-audit-info 0.5.4
  for target in dist/bin/*/*; do
    rust-audit-info "$target" >"$output"
    said '"name":"epm-gate","version":"'"$version"'"' '"name":"reqwest"' '"name":"ring"'
  done
}

archives() {
  local sums
  say 'archives and sums'
  .ci/release pack
  sums="$(cat dist/SHA256SUMS)"
  (
    umask 077
    touch README.md LICENSE-*
    chmod 600 dist/bin/*/*
    expect 0 .ci/release pack
  )
  [ "$(cat dist/SHA256SUMS)" = "$sums" ] || fail 'archives that were made again have other sums'
  tar --list --verbose --gzip --file "dist/epm-gate-$version-$musl.tar.gz" >"$output"
  [ "$(awk '{ print $1, $2, $6 }' "$output")" = "drwxr-xr-x 0/0 epm-gate-$version-$musl/
-rw-r--r-- 0/0 epm-gate-$version-$musl/CHANGELOG.md
-rw-r--r-- 0/0 epm-gate-$version-$musl/LICENSE-APACHE
-rw-r--r-- 0/0 epm-gate-$version-$musl/LICENSE-MIT
-rw-r--r-- 0/0 epm-gate-$version-$musl/README.md
-rwxr-xr-x 0/0 epm-gate-$version-$musl/epm-gate" ] || fail 'the archive holds something else'
  cmp dist/linux/amd64/epm-gate "dist/bin/$musl/epm-gate"
  cmp dist/linux/arm64/epm-gate "dist/bin/$arm/epm-gate"
  [ "$(stat --format=%a dist/linux/arm64/epm-gate)" = 755 ] || fail 'the binary for the image cannot be executed'
  grep --quiet '^- ' dist/notes.md || fail 'there are no notes'
  not_in dist/notes.md '^## '
}

# No line of a file is like this.
not_in() {
  if grep "$2" "$1"; then fail "$1 has the line above"; fi
}

# The sums that the tag must hold, with something in the place of the archives for macOS.
sums() {
  local target archive="dist/epm-gate-$version-$musl.tar.gz"
  say 'the sums'
  refused 'these archives are not those' verify
  cp dist/SHA256SUMS action/SHA256SUMS
  refused 'these are not the archives of a release' verify
  for target in aarch64-apple-darwin x86_64-apple-darwin; do
    echo "$target" >"dist/epm-gate-$version-$target.tar.gz"
  done
  (cd dist && sha256sum epm-gate-*.tar.gz >SHA256SUMS)
  cp dist/SHA256SUMS action/SHA256SUMS
  expect 0 .ci/release verify
  expect 0 .ci/release check "v$version"
  cp "$archive" "$work/archive"
  printf 'x' >>"$archive"
  refused 'these archives are not those' verify
  rm "$archive"
  refused 'these archives are not those' verify
  mv "$work/archive" "$archive"
  touch "dist/epm-gate-$version-another.tar.gz"
  refused 'these are not the archives of a release' verify
  rm "dist/epm-gate-$version-another.tar.gz"
  git tag v99.0.0
  refused "v$version is not the newest of the tags" check "v$version"
  git tag --delete v99.0.0 >/dev/null
  "${commit[@]}"
  git tag --force "v$version" >/dev/null
}

# Built in another folder than that of these tests, against a sandbox that these tests have built.
smoke() {
  say 'the main job, on x86_64 and aarch64'
  debian qemu-aarch64-static qemu-user-static
  expect 0 .ci/release smoke "$musl"
  said "\`GL_DATA_LOAD\` (job $first_id) passed" 'ended with exit code 10'
  expect 0 .ci/release smoke "$arm" qemu-aarch64-static
  said "\`GL_DATA_LOAD\` (job $first_id) passed" 'ended with exit code 10'
}

# The workflow's first job, in a runner (nektos/act), for a push of this tag, ends with this code.
check_job() {
  printf '{"ref":"refs/tags/%s"}' "$2" >"$work/event.json"
  expect "$1" env HOME="$work/home" XDG_CACHE_HOME="$work/cache" .tools/venv/bin/act push --job check \
    --eventpath "$work/event.json" --workflows .github/workflows/release.yml \
    --platform ubuntu-24.04=-self-hosted --no-cache-server --pull=false
}

# The other jobs of the workflow need artifacts or systems that act has not.
workflow() {
  say 'the workflow, its check'
  pypi
  mkdir "$work/home" "$work/cache"
  git remote add origin "$(manifest repository)"
  check_job 0 "v$version"
  git tag --delete "v$version" >/dev/null
  git tag v99.0.0
  check_job 1 v99.0.0
  said 'release: the tag is v99.0.0'
  git tag --delete v99.0.0 >/dev/null
  git tag "v$version"
}

# Lays out the commands of the workflow's last job, a file each, and a `gh` and a `docker` that only say what they are
# told.
publishing() {
  local command
  mkdir "$work/steps" "$work/stubs"
  .tools/venv/bin/python - "$work/steps" <<'PYTHON'
import sys, yaml
steps = yaml.safe_load(open(".github/workflows/release.yml"))["jobs"]["publish"]["steps"]
for number, step in enumerate(steps):
    if "run" in step:
        open(f"{sys.argv[1]}/{number:02}", "w").write(step["run"])
PYTHON
  for command in gh docker; do
    cat >"$work/stubs/$command" <<'STUB'
#!/bin/sh
echo "${0##*/} $*" >>"$TOLD"
case "$*" in
release\ view\ *) echo "$DRAFT" ;;
*\ PATCH\ *) exit "$UNKNOWN" ;;
*\ inspect\ *) echo "sha256:of ${6#*:}" ;;
esac
STUB
    chmod +x "$work/stubs/$command"
  done
}

# What these are told by the last job; whether a draft is there already, and whether `v1` is unknown.
told() {
  local step
  rm -f "$work/told" "$work/outputs"
  for step in "$work"/steps/*; do
    expect 0 env PATH="$work/stubs:$PATH" TOLD="$work/told" DRAFT="$1" UNKNOWN="$2" GITHUB_OUTPUT="$work/outputs" \
      GITHUB_ACTOR=someone GITHUB_REPOSITORY=acme/epm-gate GITHUB_SHA=c0ffee GH_TOKEN=token TAG=v1.2.3 \
      IMAGE=ghcr.io/acme/epm-gate bash -e "$step"
  done
}

# The release is complete before it is public, and only then do the names that people follow lead to it.
publish() {
  local image=ghcr.io/acme/epm-gate tags=repos/acme/epm-gate/git/refs kind part
  say 'the workflow, what it publishes'
  publishing
  {
    echo 'gh release view v1.2.3 --json isDraft --jq .isDraft'
    echo "gh release create v1.2.3 --draft --verify-tag --title v1.2.3 --notes-file dist/notes.md" \
      dist/epm-gate-*.tar.gz dist/SHA256SUMS
    echo 'docker login ghcr.io --username someone --password-stdin'
    for kind in shell scratch; do
      part="$image:1.2.3-$kind"
      part="${part%-shell}"
      for architecture in amd64 arm64; do
        echo "docker load --input dist/images/$kind-$architecture.tar"
        echo "docker tag epm-gate:$kind-$architecture $part-$architecture"
        echo "docker push $part-$architecture"
      done
      echo "docker buildx imagetools create --tag $part $part-amd64 $part-arm64"
      echo "docker buildx imagetools inspect --format {{ .Manifest.Digest }} $part"
    done
    echo 'gh release edit v1.2.3 --draft=false --latest'
    echo "docker buildx imagetools create --tag $image:1.2 --tag $image:1 $image:1.2.3"
    echo "docker buildx imagetools create --tag $image:1.2-scratch --tag $image:1-scratch $image:1.2.3-scratch"
    echo "gh api --method PATCH $tags/tags/v1 --field sha=c0ffee --field force=true"
  } >"$work/expected"
  told false 0
  diff "$work/expected" "$work/told" || fail 'it publishes something else, or in another order'
  has_line "$work/outputs" 'shell=sha256:of 1.2.3'
  has_line "$work/outputs" 'scratch=sha256:of 1.2.3-scratch'
  # A draft that was left is made anew, and a name that is new is made.
  told true 1
  has_line "$work/told" 'gh release delete v1.2.3 --yes'
  has_line "$work/told" "gh api --method POST $tags --field ref=refs/tags/v1 --field sha=c0ffee"
}

images() {
  say 'the images'
  daemon
  debian_13 amd64
  # Debian's client, see docker.bash.
  PATH="/usr/bin:$PATH" SHELL_BASE=debian-13-amd64 expect 0 .ci/release images
  ls dist/images >"$output"
  [ "$(cat "$output")" = 'scratch-amd64.tar
shell-amd64.tar' ] || fail 'these are not the images'
}

mkdir "$repository"
copy
checks
binaries
archives
sums
smoke
workflow
publish
images
say 'a release can be made'
