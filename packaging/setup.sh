# Sourced by ./run and ./test: makes a fresh Debian or Ubuntu machine ready. Not a script of its own.

# Names what is missing of the given packages and installs it with apt when that needs no question: as root, or with
# sudo at a terminal or without a password. Otherwise prints the one line to type and stops.
install_packages() {
  command -v dpkg-query >/dev/null 2>&1 || {
    echo "This is not a Debian or Ubuntu machine. If the build or the window fails, install the counterparts of: $*" >&2
    return 0
  }
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  echo "Installing: ${missing[*]}" >&2
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
      sudo=(sudo)
    else
      printf 'Missing packages. Type this, then start again:\n  sudo apt-get update && sudo apt-get install -y %s\n' "${missing[*]}" >&2
      return 1
    fi
  fi
  "${sudo[@]}" apt-get update -qq &&
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || {
    printf 'apt could not install them. Type this to see why:\n  sudo apt-get update && sudo apt-get install -y %s\n' "${missing[*]}" >&2
    return 1
  }
}

# The same for what is good to have: installed only where that needs no question, and never a reason to stop. The first argument
# says what goes without.
install_optional_packages() {
  local without=$1 package
  shift
  command -v dpkg-query >/dev/null 2>&1 || return 0
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; }; then
    install_packages "${missing[@]}" && return 0
  fi
  printf '%s: not installed are %s\n' "$without" "${missing[*]}" >&2
}

# Finds cargo, also where rustup puts it without touching PATH.
require_rust() {
  command -v cargo >/dev/null 2>&1 || PATH="$HOME/.cargo/bin:$PATH"
  command -v cargo >/dev/null 2>&1 || {
    echo "Rust is missing. Install it from https://rustup.rs (1.95 or newer), then start again." >&2
    return 1
  }
  local version
  version=$(rustc --version | sed -E 's/^rustc ([0-9]+)\.([0-9]+).*/\1 \2/')
  set -- $version
  if [ "$1" -lt 1 ] || { [ "$1" -eq 1 ] && [ "$2" -lt 95 ]; }; then
    echo "Rust $1.$2 is too old: 1.95 or newer is needed. Type: rustup update" >&2
    return 1
  fi
}

# Whether an NVIDIA driver is installed, also below Windows.
has_nvidia_driver() {
  [ -e /proc/driver/nvidia/version ] || [ -e /usr/lib/wsl/lib/libcuda.so.1 ]
}

# To compile: a C linker. To draw: a Vulkan loader and, on machines without a GPU, Mesa's software driver.
BUILD_PACKAGES=(gcc libc6-dev)
DRAW_PACKAGES=(libvulkan1 mesa-vulkan-drivers)
WINDOW_PACKAGES=(libxkbcommon0 libxkbcommon-x11-0 libx11-6 libx11-xcb1 libxcursor1 libxi6 libxrandr2 libwayland-client0 libgl1)

# For tests that say so and end where these are missing: certificates, a terminal, a cluster of its own.
TEST_PACKAGES=(openssl bsdutils mount slurmctld slurmd slurm-client munge)

# Without it libwayland, which Vulkan loads, complains on machines that nobody has logged in to.
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
