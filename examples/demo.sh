#!/usr/bin/env bash
# Shows `release` at work: seven Python packages, from commits to an index that pip installs from, and to production.
#
# usage: examples/demo.sh [--clean]     --clean: remove the demo's folder at the end
#
# Needs Rust, Python 3.10 or later and git; what else it takes, `release` fetches into its own cache.
# Leaves nothing behind but that cache, cargo's `target/` and one folder, which it names.
# RELEASE_BIN=PATH shows a binary that is built already.
set -eu

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
clean=no
case "${1:-}" in
  "") ;;
  --clean) clean=yes ;;
  -h | --help) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac

bold='' plain='' faint=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m' faint=$'\e[2m'; fi

# A chapter's heading and what there is to see.
say() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; shift; [ $# -eq 0 ] || printf '%s\n' "$@"; }

# A command as a person would type it, and its output.
show() { printf '\n%s$ %s%s\n' "$faint" "$*" "$plain"; "$@"; }

# A missing thing: what it is, and what to do.
need() { printf 'the demo needs %s: %s\n' "$1" "$2" >&2; exit 2; }

command -v git >/dev/null || need git 'on Debian `apt install git`'
command -v python3 >/dev/null || need Python 'on Debian `apt install python3 python3-venv`'
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || need 'Python 3.10 or later' "this is $(python3 --version)"
python3 -c 'import ensurepip, venv' 2>/dev/null || need "Python's venv module" 'on Debian `apt install python3-venv`'

if [ -z "${RELEASE_BIN:-}" ]; then
  command -v cargo >/dev/null || need Rust 'get it from https://rustup.rs'
  say 'Building `release`' 'The first time this takes a while: about ten minutes on two cores.'
  (cd "$root" && cargo build --bin release)
  RELEASE_BIN=${CARGO_TARGET_DIR:-$root/target}/debug/release
fi
case "$RELEASE_BIN" in /*) ;; *) RELEASE_BIN=$PWD/$RELEASE_BIN ;; esac

# Nobody's git settings play a part; the demo has its own.
folder=$(mktemp -d "${TMPDIR:-/tmp}/release-demo.XXXXXX")
finish() {
  code=$?
  if [ $clean = yes ]; then rm -rf "$folder"
  elif [ $code -ne 0 ]; then printf '\nThe demo stopped (exit code %s); its folder is kept: %s\n' "$code" "$folder" >&2
  fi
  exit $code
}
trap finish EXIT
mkdir "$folder/bin"
ln -s "$RELEASE_BIN" "$folder/bin/release"
export PATH="$folder/bin:$PATH" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_PAGER=cat
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

repository=$folder/fairweather
git init -q "$repository"
cd "$repository"
git symbolic-ref HEAD refs/heads/main
git config user.name 'Ada Nilsen'
git config user.email ada@fairweather.example
git fast-import --quiet < "$root/examples/demo/history.fi"
git reset -q --hard

say '1. A repository' \
  'Seven packages, six build back ends, a uv workspace.' 'Some were released by hand before.'
show ls packages
show git log --graph --oneline --decorate -17

say '2. Its configuration' '`init` looks at packages and tags and proposes a `release.toml`.'
show release init
cat >> release.toml <<'EOF'

# Where the dashboard runs: a virtual environment each, on this machine.
[environment.development]
packages = ["dashboard"]
[[environment.development.validate]]
kind = "command"
command = [".release/environments/development/dashboard/current/bin/fairweather", "BGO"]

[environment.staging]
packages = ["dashboard"]
after = "development"
[[environment.staging.validate]]
kind = "version"

[environment.production]
packages = ["dashboard"]
after = "staging"
[[environment.production.validate]]
kind = "command"
command = [".release/environments/production/dashboard/current/bin/fairweather", "OSL"]
EOF
show cat release.toml
git add release.toml
git commit -q -m 'chore: describe the releases'

say '3. The plan' 'What would be released, and why. Nothing is touched yet.'
show release plan

say '4. One number, line by line' '`stations` breaks; `forecast` pinned it, so it follows.'
show release plan --explain forecast

say '5. The release' \
  'Edits, one commit, tags, builds, checks, the local index, an installation of' \
  'each package, and the dashboard at work in development.'
show release ship --yes
show git log -1 --stat --oneline --decorate

say '6. What others get' 'The index is a folder that pip and uv install from.'
show python3 -m venv "$folder/venv"
show "$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  --index-url "file://$repository/dist/index/simple" fairweather-dashboard
show "$folder/venv/bin/fairweather" OSL

say '7. On to production' 'The same bytes, environment by environment, each time proven.'
show release promote --to staging --yes
show release promote --to production --yes
show release status

say '8. A release that fails in production' \
  'A faster dashboard, which works for Bergen and not for Oslo.' \
  'Only production asks for Oslo.'
page=packages/dashboard/src/fairweather_dashboard/__init__.py
sed -i.before 's/beaufort(reading.wind or 0):2/dict([(4, 4), (5, 5)])[beaufort(reading.wind or 0)]:2/' "$page"
rm "$page.before"
git commit -q -a -m 'perf(dashboard): look the wind up in a table'
show release ship --yes --quiet
show release promote --to staging --yes
printf '\n%s$ %s%s\n' "$faint" 'release promote --to production --yes' "$plain"
code=0
release promote --to production --yes || code=$?
[ $code = 5 ] || { printf 'it should have gone back (5), and left with %s\n' $code >&2; exit 1; }
printf '\n%s\n%s\n' 'Exit code 5: production runs what worked before, and the bad release does not' \
  'come back by itself.'
show .release/environments/production/dashboard/current/bin/fairweather OSL

say '9. Afterwards' 'Running it again does nothing: done means the same bytes are there.'
show release status
show release log -n 24
show release plan

if [ $clean = yes ]; then say 'Done.' 'The folder is removed.'; exit 0; fi
say 'Done.' "Look around: cd $repository" \
  '  git show                       the release commit: versions, changelogs, locks' \
  '  release notes stations         what its users read' \
  '  release plan --output json     a plan as a value' \
  '  release log                    everything that happened' \
  "  rm -rf $folder   when you have seen enough"
