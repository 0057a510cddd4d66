# Shared by the scripts beside it; source it, do not run it. Works with the bash 3.2 of macOS.
# shellcheck shell=bash disable=SC2034 # names that the sourcing scripts use

LIB_DIR="${BASH_SOURCE[0]%/*}"
ROOT="$(cd "$LIB_DIR/.." && pwd -P)"
TOOLS="$ROOT/.tools"
LOGS="$TOOLS/logs"

NODE_FOR_NPM_MAJOR_MIN=20 # npm of this age installs everything; the rest runs on the pinned Node
NODE_VERSION_MIN=22.12    # what wrangler asks for

step() { printf '==> %s\n' "$*"; }
die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# -- What this project cannot install by itself ---------------------------------------------------

# Uses no other program than the ones it looks for, so that it speaks on the barest machine.
need_prerequisites() {
  if ! command -v rustup >/dev/null 2>&1 || ! command -v cargo >/dev/null 2>&1; then
    missing "rustup with cargo (they bring the pinned Rust compiler)" \
      "curl --proto '=https' -sSf https://sh.rustup.rs | sh -s -- -y && . ~/.cargo/env"
  fi
  cc --version >/dev/null 2>&1 || missing "cc (the C compiler, which Rust links with)" \
    "sudo apt-get install -y build-essential" "sudo dnf install -y gcc" "xcode-select --install"
  local version major
  version="$(node --version 2>/dev/null || true)"
  major="${version#v}"
  major="${major%%.*}"
  case "$major" in
    '' | *[!0-9]*) missing_node "node" ;;
  esac
  [ "$major" -ge "$NODE_FOR_NPM_MAJOR_MIN" ] ||
    missing_node "node $NODE_FOR_NPM_MAJOR_MIN or newer (found $version)"
  command -v npm >/dev/null 2>&1 || missing "npm" \
    "sudo apt-get install -y npm" "sudo dnf install -y nodejs-npm" "brew install node"
}

missing() { # WHAT COMMAND, or WHAT APT DNF MACOS
  [ $# -gt 2 ] || die "missing: $1. Install it with: $2"
  die "missing: $1. Install it with: $2 (Debian, Ubuntu) | $3 (Fedora) | $4 (macOS)"
}

missing_node() {
  missing "$1" "curl -fsSL https://deb.nodesource.com/setup_22.x | sudo -E bash - && sudo apt-get install -y nodejs" \
    "sudo dnf install -y nodejs" "brew install node"
}

# The Node that npm installed for this platform wins over the one on PATH.
use_pinned_node() {
  local bin="$ROOT/node_modules/.bin" version major rest minor
  [ -d "$bin" ] || die "The npm packages are not installed yet: run ./scripts/setup once."
  export PATH="$bin:$PATH"
  version="$(node --version 2>/dev/null || true)"
  version="${version#v}"
  major="${version%%.*}"
  rest="${version#*.}"
  minor="${rest%%.*}"
  if [ "${major:-0}" -lt "${NODE_VERSION_MIN%.*}" ] ||
    { [ "$major" -eq "${NODE_VERSION_MIN%.*}" ] && [ "$minor" -lt "${NODE_VERSION_MIN#*.}" ]; }; then
    die "Node $NODE_VERSION_MIN or newer is needed (found ${version:-none}): npm has no pinned Node for this platform, so install one yourself."
  fi
}

# -- Versions, read from the one file that states each ---------------------------------------------

rust_channel() { sed -n 's/^channel *= *"\(.*\)".*/\1/p' "$ROOT/rust-toolchain.toml"; }
rust_list() { sed -n "s/^$1 *= *\[\(.*\)\].*/\1/p" "$ROOT/rust-toolchain.toml" | tr -d '" ' | tr ',' ' '; }

bindgen_id() {
  (cd "$ROOT" && cat scripts/bindgen/Cargo.toml scripts/bindgen/Cargo.lock scripts/bindgen/src/main.rs rust-toolchain.toml) |
    cksum | tr ' ' '-'
}
bindgen_tool() { printf '%s/bindgen-%s/hookgate-bindgen' "$TOOLS" "$(bindgen_id)"; }

# -- One at a time --------------------------------------------------------------------------------

# hold_lock NAME: waits for another holder, and takes over from one that died. Released at exit.
# A holder's process stands in NAME.lock.N with the highest N; whoever follows makes the next one, which only one can.
# So nobody removes what is another's, and no lock is ever there without its holder.
hold_lock() {
  local lock="$TOOLS/$1.lock" mine="$TOOLS/$1.waiting.$$" last next holder said=no
  mkdir -p "$TOOLS"
  trap release_lock EXIT
  echo $$ >"$mine"
  while :; do
    last="$(last_lock "$lock")"
    next="$lock.$((last + 1))"
    holder="$(cat "$lock.$last" 2>/dev/null || true)"
    if [ -n "$holder" ] && kill -0 "$holder" 2>/dev/null; then
      [ "$said" = yes ] || step "waiting for another $1 in this directory (process $holder)"
      said=yes
      sleep 0.5
    elif ln "$mine" "$next" 2>/dev/null; then
      [ "$(last_lock "$lock")" != $((last + 1)) ] || break
      # Whoever looked for the last one long ago has made one that was there before.
      rm -f "$next"
    fi
  done
  HELD_LOCK="$next"
  rm -f "$mine" "$lock.$last"
}
last_lock() { # LOCK: its highest number, or 0
  local file last=0
  for file in "$1".*; do
    if [ "${file##*.}" != '*' ] && [ "${file##*.}" -gt "$last" ]; then last="${file##*.}"; fi
  done
  echo "$last"
}
# The number stays, with nobody in it.
release_lock() {
  if [ -n "${HELD_LOCK:-}" ]; then : >"$HELD_LOCK"; fi
  HELD_LOCK=
  rm -f "$TOOLS"/*.waiting.$$
}

# -- Processes ------------------------------------------------------------------------------------

# stop_all PID...: ends these children of the script, and then what they had started and left behind. wrangler leaves
# the build that it began, which would go on for minutes, with the lock.
stop_all() {
  local pid left
  # Asked before: who lost its parent is not found any more.
  left="$(started_by "$@")"
  for pid in "$@"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "$@"; do wait "$pid" 2>/dev/null || true; done
  for pid in $left; do kill -TERM "$pid" 2>/dev/null || true; done
}

# started_by PID...: what these started, and what that started. Nothing, where there is no ps.
started_by() {
  ps -A -o pid= -o ppid= 2>/dev/null | awk -v roots="$*" '
    { children[$2] = children[$2] " " $1 }
    function walk(pid, n, list, i) {
      n = split(children[pid], list, " ")
      for (i = 1; i <= n; i++) { print list[i]; walk(list[i]) }
    }
    END { count = split(roots, root, " "); for (k = 1; k <= count; k++) walk(root[k]) }' || true
}

# -- Ports ----------------------------------------------------------------------------------------

# check_port NAME PORT
check_port() {
  case "$2" in
    '' | *[!0-9]* | ??????*) die "$1 must be a port number, not '$2'." ;;
  esac
  if [ "$2" -lt 1 ] || [ "$2" -gt 65535 ]; then die "$1 must be a port number, from 1 to 65535, not '$2'."; fi
  if (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; then
    die "Port $2 ($1) is taken by another program. Stop that one, or choose another: $1=$(($2 + 100)) $0"
  fi
}
