# Set-up shared by packaging/run and packaging/test. To be sourced by bash with the repository root in "$root".
# setup <cpu|full|test> installs what is missing and exports POLYPTYCH_PYTHON_ENV; with "none" it leaves out the torch wheel.
# Tests name another os-release file in POLYPTYCH_OS_RELEASE.

polyptychCache="${XDG_CACHE_HOME:-$HOME/.cache}/polyptych"

say() { printf '== %s\n' "$*"; }

# fail STEP WHY WHAT_TO_DO
fail() {
  printf '\n%s: step "%s" failed.\nWhy: %s\nWhat to do: %s\n' "${0##*/}" "$1" "$2" "$3" >&2
  exit 1
}

buildPackages=(ca-certificates g++ cmake ninja-build ccache git python3 python3-venv qt6-base-dev libqt6sql6-sqlite qt6-svg-dev qt6-tools-dev qt6-tools-dev-tools
  qt6-l10n-tools qt6-translations-l10n qt6-image-formats-plugins libqt6svg6 libgl-dev nlohmann-json3-dev libpng-dev libarchive-dev libicu-dev
  libboost-dev fonts-noto-cjk fonts-dejavu-core)
testPackages=(libsqlite3-dev clang-format-14 xvfb clang-14 libclang-rt-14-dev openmpi-bin iproute2 faketime)

# missingPackages PACKAGE... prints those that dpkg does not have installed.
missingPackages() {
  local installed
  installed=" $(dpkg-query -W -f='${Status}\t${Package}\n' "$@" 2>/dev/null | sed -n 's/^install ok installed\t//p' | tr '\n' ' ') "
  local package
  for package in "$@"; do
    [[ $installed == *" $package "* ]] || printf '%s\n' "$package"
  done
}

setupPackages() {
  local wanted=("${buildPackages[@]}")
  [[ $1 == test || $1 == none ]] && wanted+=("${testPackages[@]}")
  local distribution
  distribution=$(. "${POLYPTYCH_OS_RELEASE:-/etc/os-release}" 2>/dev/null && printf '%s %s' "${ID:-unknown}" "${VERSION_ID:-}")
  local known=no
  [[ $distribution == "debian 12" || $distribution == "ubuntu 24.04" ]] && known=yes
  if ! command -v dpkg-query >/dev/null 2>&1; then
    fail "system packages" "this is ${distribution:-an unknown distribution}, which has no dpkg; Debian 12 and Ubuntu 24.04 are written for." \
      "Install these (Debian's names) by hand: ${wanted[*]} - then build with cmake --preset release."
  fi
  local missing
  mapfile -t missing < <(missingPackages "${wanted[@]}")
  ((${#missing[@]} == 0)) && return 0
  if [[ $known == no ]]; then
    fail "system packages" "this is ${distribution:-an unknown distribution}; packages are installed on Debian 12 and Ubuntu 24.04 alone." \
      "Install what is missing (Debian's names) and start again: ${missing[*]}"
  fi
  local asRoot=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null 2>&1 || fail "system packages" "installing needs root, and sudo is not here." \
      "As root: apt-get install ${missing[*]} - then start again."
    asRoot=(sudo)
  fi
  say "Installing ${#missing[@]} system packages: ${missing[*]}"
  # An earlier start may have been interrupted in the middle of dpkg.
  "${asRoot[@]}" dpkg --configure -a || fail "system packages" "dpkg could not finish an interrupted installation." \
    "Read the lines above; often 'apt-get -f install' as root helps. Then start again."
  "${asRoot[@]}" apt-get -o DPkg::Lock::Timeout=300 update || fail "system packages" "apt-get update failed." \
    "Check the network and the package sources, then start again."
  "${asRoot[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" ||
    fail "system packages" "apt-get install failed." "Read the lines above (network, disk space, broken packages), mend it and start again."
}

# setupTorch <cpu|full|test>: a virtual environment named after its requirement files, so that a change of a pin makes a new one.
setupTorch() {
  local files=()
  case $1 in
    cpu) files=(torch-cpu.txt) ;;
    full) files=(torch-full.txt) ;;
    test) files=(torch-full.txt parity.txt) ;;
  esac
  [[ $(uname -m) == x86_64 ]] || fail "torch wheel" "the pinned wheels are for x86-64; this machine is $(uname -m)." "Use an x86-64 machine."
  local hash
  hash=$(cd "$root/packaging/requirements" && { cat "${files[@]}" && /usr/bin/python3 --version; } | sha256sum | cut -c1-12) ||
    fail "torch wheel" "the requirement files cannot be read." "Check that packaging/requirements is complete (git status)."
  local env="$polyptychCache/env-$1-$hash"
  export POLYPTYCH_PYTHON_ENV="$env"
  [[ -e $env/.complete ]] && return 0
  mkdir -p "$polyptychCache" || fail "torch wheel" "$polyptychCache cannot be made." "Check its owner and the free disk space, or set XDG_CACHE_HOME."
  # Two starts at once: the second waits for the first.
  exec 9>"$env.lock" || fail "torch wheel" "$env.lock cannot be written." "Check the owner of $polyptychCache and the free disk space."
  if ! flock -n 9; then
    say "Waiting for another start that sets up the same environment"
    flock 9
  fi
  if [[ -e $env/.complete ]]; then
    exec 9>&-
    return 0
  fi
  local needKb=2500000 size="1 GB of"
  [[ $1 == cpu ]] || { needKb=9000000 size="3 GB of"; }
  local freeKb
  freeKb=$(df -Pk "$polyptychCache" | awk 'NR == 2 { print $4 }')
  if [[ ! -d $env && $freeKb =~ ^[0-9]+$ ]] && ((freeKb < needKb)); then
    fail "torch wheel" "$polyptychCache has $((freeKb / 1024)) MB free, and about $((needKb / 1024)) MB are needed." \
      "Free some space or set XDG_CACHE_HOME to a folder on a bigger disk."
  fi
  say "Setting up the pinned torch wheel ($1 set, up to $size downloads) in $env"
  # --clear is not used: what an interrupted start installed is kept.
  /usr/bin/python3 -m venv "$env" || fail "torch wheel" "the virtual environment could not be made." \
    "Check free disk space; delete $env and start again."
  local requirements=()
  local file
  for file in "${files[@]}"; do requirements+=(-r "$root/packaging/requirements/$file"); done
  local flags=(--no-deps --require-hashes --only-binary=:all: --disable-pip-version-check --no-input --progress-bar on)
  if ! "$env/bin/python" -m pip install "${flags[@]}" "${requirements[@]}" 9>&-; then
    say "Trying once more from an empty environment"
    rm -rf "$env"
    { /usr/bin/python3 -m venv "$env" && "$env/bin/python" -m pip install "${flags[@]}" "${requirements[@]}" 9>&-; } ||
      fail "torch wheel" "pip could not install the pinned packages." \
        "Read pip's last lines above (network, disk space; a hash that differs means a damaged download: 'pip cache purge'). Then start again."
  fi
  # An interrupted unpacking leaves a package without its RECORD, or files cut short; both show here.
  "$env/bin/python" "$root/packaging/check_environment.py" "${files[@]/#/$root/packaging/requirements/}" || {
    rm -rf "$env"
    fail "torch wheel" "the installed packages are not complete." "Start again: they are installed anew."
  }
  touch "$env/.complete"
  exec 9>&-
}

# setup <cpu|full|test|none>
setup() {
  setupPackages "$1"
  [[ $1 == none ]] || setupTorch "$1"
}

# buildPreset PRESET [-t TARGET]... [CMAKE_ARGUMENT...]: configures only when needed, builds, and says where it stopped.
buildPreset() {
  local preset=$1 targets=()
  shift
  while [[ ${1:-} == -t ]]; do
    targets+=("$2")
    shift 2
  done
  local folder="$root/build/$preset"
  mkdir -p "$root/build" && exec 8>"$root/build/.$preset.lock" || fail "build ($preset)" "$root/build cannot be written." \
    "Check its owner and the free disk space."
  if ! flock -n 8; then
    say "Waiting for another build in the same folder"
    flock 8
  fi
  # Configuring again is Ninja's own affair, unless the environment or the folder's place changed.
  local mark="$POLYPTYCH_PYTHON_ENV|$root|$*"
  if [[ ! -e $folder/build.ninja || $(cat "$folder/.configured" 2>/dev/null) != "$mark" ]]; then
    say "Configuring the preset $preset"
    [[ -e $folder/CMakeCache.txt ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$folder/CMakeCache.txt" && rm -rf "$folder"
    (cd "$root" && cmake --preset "$preset" "$@" 8>&-) || fail "configure ($preset)" "CMake stopped." \
      "Read CMake's last lines above. If they name an older state, delete build/$preset and start again."
    printf '%s' "$mark" >"$folder/.configured"
  fi
  ((${#targets[@]} > 0)) && targets=(--target "${targets[@]}")
  say "Building the preset $preset"
  (cd "$root" && cmake --build --preset "$preset" "${targets[@]}" 8>&-) || fail "build ($preset)" "the compiler or linker stopped." \
    "Read the first error above; when memory ran out, build with fewer jobs: cmake --build --preset $preset -j1."
  exec 8>&-
}
