#!/bin/sh
# Runs the commands of docker/recipes as the CI systems do, in the order in which they do, with podman
# in the place of docker and one suite in the place of all.
#
#   recipes_test.sh PROGRAMS      # the folder of sockproof and sockproof-agent
#
# Exit codes: 0 passed, 1 failed, 77 podman or python3-yaml is missing or podman cannot be used here.
# shellcheck disable=SC2086  # commands with their options
set -u
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/podman.sh"

python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is not installed"
[ "$(id -u)" = 0 ] || skip "capabilities for a container need root"
here=$(cd "$(dirname "$0")" && pwd)
recipes=$here/../../docker/recipes

if command -v yamllint >/dev/null; then
  yamllint -s -d '{extends: default, rules: {line-length: {max: 130}, document-start: disable,
    truthy: {check-keys: false}, comments: {min-spaces-from-content: 1}}}' "$recipes"/*.y*ml ||
    fail "yamllint finds fault with a recipe"
fi

# A docker that runs the image made above. Unlike docker, podman gives no CAP_NET_RAW by default and
# has another word for a writable /proc/sys.
mkdir "$folder/bin"
cat >"$folder/bin/docker" <<END
#!/bin/sh
case \$1 in
  build) shift; while [ \$# -gt 1 ]; do [ "\$1" != -f ] || [ -f "\$2" ] || exit 1; shift; done; exit 0 ;;
  login | push | save) exit 0 ;;
  load) cat >/dev/null; exit 0 ;;
  run) shift ;;
  *) echo "docker: what is \$1?" >&2; exit 125 ;;
esac
options= suites=
while [ \$# -gt 0 ]; do
  case \$1 in
    */sockproof:* | sockproof) shift; break ;;
    --network) shift ;; # said already
    apparmor=unconfined) options="\$options label=disable" ;;
    systempaths=unconfined) options="\$options unmask=/proc/sys" ;;
    *) options="\$options \$1" ;;
  esac
  shift
done
[ "\$1" != run ] || suites="Handshake --attempts 100"
exec $(printf '%s' "$run" | tr '\n' ' ') --cap-add NET_RAW \$options sockproof "\$@" \$suites
END
printf '#!/bin/sh\nexec "$@"\n' >"$folder/bin/sudo"
chmod +x "$folder/bin/docker" "$folder/bin/sudo"

# follow WORK RECIPE...: the commands of recipes, in a folder of their own
follow() {
  work=$folder/$1
  shift
  mkdir -p "$work"
  ln -s "$here/../../docker" "$work/docker"
  for recipe in "$@"; do
    "$here/recipe_commands.py" "$recipes/$recipe" >"$folder/commands" || fail "$recipe cannot be read"
    (
      cd "$work" || exit 1
      export PATH="$folder/bin:$PATH" CI_REGISTRY_IMAGE=registry.example/project CI_COMMIT_SHA=1
      CI_REGISTRY=registry.example CI_REGISTRY_USER=user CI_REGISTRY_PASSWORD=word \
        sh -eu "$folder/commands"
    ) >"$folder/out" 2>&1 || fail "$recipe: exit code $?: $(tail -n 30 "$folder/out")"
    printf 'ok: %s\n' "$recipe"
  done
}

# passed WORK FILE...: every file has a test that passed
passed() {
  work=$folder/$1
  shift
  for results in "$@"; do
    grep -q '"verdict": "PASS"\|<testcase' "$work/$results" || fail "no results in $work/$results"
  done
}

# The second time there is a last good run to compare with.
mkdir -p "$folder/github/last-good"
$run --cap-add NET_RAW --cap-add SYS_ADMIN --cap-add NET_ADMIN --volume "$folder/github:/work" \
  sockproof run Handshake --attempts 100 --out last-good >/dev/null || fail "no first run"
follow github github.yml
passed github sockproof-out/result.json last-good/result.json junit.xml
follow gitlab gitlab.yml
passed gitlab shards/1/result.json junit-1.xml junit-2.xml merged/result.json
follow jenkins Jenkinsfile
passed jenkins sockproof-out/result.json junit.xml
follow kubernetes kubernetes.yaml kubernetes-merge.yaml
passed kubernetes shards/0/result.json junit-0.xml junit-3.xml merged/result.json
