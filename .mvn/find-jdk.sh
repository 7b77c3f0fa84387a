# Sourced by the launcher and by .ci/run. find_jdk sets jdk to the home of a JDK that is new enough.

need=25

# Prints the feature release of the JDK in $1 (25 for 25.0.1), or nothing.
release_of() {
  [ -x "$1/bin/java" ] || return 1
  local version=
  if [ -r "$1/release" ]; then
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
  fi
  if [ -z "$version" ]; then
    version=$("$1/bin/java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
  fi
  printf '%s' "$version"
}

suits() {
  local version
  version=$(release_of "$1") && [ -n "$version" ] && [ "$version" -ge "$need" ]
}

# IOLAB_JAVA_HOME, JAVA_HOME, java on the PATH, then the newest under /usr/lib/jvm.
find_jdk() {
  local candidate version best=0 on_path=
  if on_path=$(command -v java); then
    on_path=$(dirname "$(dirname "$(readlink -f "$on_path")")")
  fi
  for jdk in "${IOLAB_JAVA_HOME:-}" "${JAVA_HOME:-}" "$on_path"; do
    if [ -n "$jdk" ] && suits "$jdk"; then
      return 0
    fi
  done
  jdk=
  for candidate in /usr/lib/jvm/*; do
    if suits "$candidate"; then
      version=$(release_of "$candidate")
      if [ "$version" -gt "$best" ]; then
        best=$version
        jdk=$candidate
      fi
    fi
  done
  [ -n "$jdk" ]
}
