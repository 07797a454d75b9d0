die() { echo "Not tried: $*" >&2; exit 2; }
for name in curl python3; do command -v "$name" > /dev/null || die "$name is not installed."; done
API=${API:-@TARGET@}
HOST=${API#*://}
HOST=${HOST%%/*}
echo "This script sends @PURGES@ to $API."
@CONSENT@
for name in @VARIABLES@; do eval "test -n \"\${$name:-}\"" || die "the variable $name is not set. Export it."; done
WORK=$(mktemp -d) || exit 2
RUN=r$(date +%s)$$
made='' is_on=''
clean_up() {
  for path in $made; do cc DELETE "$path"; done
  rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 2' HUP INT TERM
look() { python3 "$WORK/look.py" "$@"; }
cc() { # METHOD PATH [JSON]: sends a request as admin
  method=$1 path=$2
  if [ $# -gt 2 ]; then set -- -H 'Content-Type: application/json' --data-raw "$3"; else set --; fi
  status=$(curl -sS --path-as-is --globoff @TRANSPORT@ -X "$method" -H "Authorization: bearer $ADMIN_TOKEN" \
    -H 'Accept: application/json' -o "$WORK/body" -w '%{http_code}' "$@" "$API$path") || status=000
}
change() { # METHOD PATH [JSON]: the same, and it has to succeed
  cc "$@"
  case $status in 2*) ;; *) die "$1 $2 was answered $status: $(head -c 300 "$WORK/body")" ;; esac
}
create() { # PATH JSON: creates something and sets $guid
  change POST "$@"
  guid=$(look guid "$WORK/body") || die "POST $1 gave no usable guid."
  case $1 in /v3/organizations | /v3/apps) made="$1/$guid $made" ;; esac
}
create_by_job() { # QUERY NAME JSON: the same, where a job creates it
  change POST "${1%%\?*}" "$3"
  await "$1" "$2"
  guid=$(look named "$WORK/body" "$2") || die "POST ${1%%\?*} created nothing."
  made="${1%%\?*}/$guid $made"
}
await() { # PATH TEXT: waits until the answer contains a text
  tries=0
  until cc GET "$1" && grep -q -F "$2" "$WORK/body"; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || die "GET $1 does not show $2."
    sleep 1
  done
}
await_deletion() { # PATH
  tries=0
  until cc GET "$1" && [ "$status" = 404 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || die "$1 is not deleted."
    sleep 1
  done
}
toggle() { # starts or stops an app, to record an event
  if [ "$is_on" ]; then action=stop is_on=''; else action=start is_on=yes; fi
  change POST "/v3/apps/$TOGGLED/actions/$action"
}
pages() { # PATH FILE: reads a whole list
  page=1
  : > "$WORK/$2"
  while cc GET "$1?per_page=@PER_PAGE@&page=$page" && [ "$status" = 200 ] && look add "$WORK/body" "$WORK/$2"; do
    page=$((page + 1))
  done
  [ "$status" = 200 ]
}
snapshot() { # NAME: reads all events, apps and processes
  pages /v3/app_usage_events "$1.events" || die "GET /v3/app_usage_events was answered $status."
  pages /v3/apps "$1.apps" || die "GET /v3/apps was answered $status."
  pages /v3/processes "$1.processes" || : > "$WORK/$1.processes"
}
