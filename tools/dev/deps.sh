#!/usr/bin/env bash
# Installs what is missing, and nothing when nothing is: then it needs neither root nor a network.
# usage: tools/dev/deps.sh build|test
#   build   the Debian packages that building and using Graven takes
#   test    these, what the checks take, and the virtual environment of the numerics tests
# GRAVEN_VENV names the virtual environment (default: .venv in the checkout).
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -euo pipefail
cd "$(dirname "$0")/../.."

build_packages=(
  clang-22 lld-22 llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools liblld-22-dev
  cmake ninja-build ccache git
  protobuf-compiler libprotobuf-dev nlohmann-json3-dev libgtest-dev libbenchmark-dev
  libzstd-dev zlib1g-dev libxml2-dev libc6-dev-arm64-cross
)
test_packages=(clang-format-22 clang-tidy-22 libclang-rt-22-dev python3-venv python3-dev
  gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)

say() { printf 'deps: %s\n' "$*" >&2; }

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "this is not a Debian system; it needs what Debian calls: $*"
    return
  fi
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      say "these packages are missing, and installing them takes root: apt-get install ${missing[*]}"
      exit 3
    fi
    as_root=(sudo)
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  local log apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  log=$(mktemp)
  if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    say "the packages could not be installed"
    exit 1
  fi
  rm -f "$log"
}

python() {
  if [ -x /usr/bin/python3 ]; then echo /usr/bin/python3; else command -v python3; fi
}

# One environment serves as long as the files that describe it stay the same.
install_venv() {
  local venv=${GRAVEN_VENV:-.venv} stamp
  stamp=$(cat tools/dev/requirements.txt tools/dev/requirements-test.txt tools/dev/cpu_torch.py | sha256sum)
  mkdir -p "$(dirname "$venv")"
  exec 9>"$venv.lock"
  flock 9
  if [ "$(cat "$venv/graven-stamp" 2>/dev/null)" != "$stamp" ]; then
    say "making the virtual environment $venv (1.3 GB to download, 2 GB on disk)"
    rm -rf "$venv"
    "$(python)" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
      -r tools/dev/requirements.txt -r tools/dev/requirements-test.txt
    CC=$(command -v clang-22 || echo cc) "$venv/bin/python" tools/dev/cpu_torch.py
    echo "$stamp" >"$venv/graven-stamp"
  fi
  exec 9>&-
}

case "${1-}" in
build) install_packages "${build_packages[@]}" ;;
test)
  install_packages "${build_packages[@]}" "${test_packages[@]}"
  install_venv
  ;;
*)
  sed -n '2,6s/^# //p' "$0" >&2
  exit 3
  ;;
esac
