#!/usr/bin/env bash
# Four months with the real program, its clock set from outside: a key nobody uses for ninety days is told of 15, 7 and 1 days
# before, then deleted, restored as revoked and purged, beside one that is used and one that is protected; a key ends; one is
# rotated, and its old half ends with its grace; clocks that are wrong delete nothing. Asked of the board, of the trail, of the
# verification, of a program that takes the notices and of a server they are posted to.
#
#   tests/ladder.sh [path of a debug build of keydeck]
#
# The server needs python3 and a build with the feature webhook. Prints one line for each thing that held; ends with 1 at the
# first that did not.
set -Eeuo pipefail

keydeck=${1:-target/debug/keydeck}
keydeck=$(cd "$(dirname "$keydeck")" && pwd)/$(basename "$keydeck")
home=$(mktemp -d) server=''
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$home"' EXIT
trap 'echo "FAILED at line $LINENO" >&2' ERR
export HOME=$home TZ=${TZ:-UTC} LANG=C.UTF-8 KEYDECK_DATA=$home/store KEYDECK_TEST_CLOCK=$home/clock
unset XDG_DATA_HOME XDG_CONFIG_HOME XDG_STATE_HOME XDG_RUNTIME_DIR KEYDECK_OPERATOR

held() { echo "held: $*"; }
fail() {
  echo "FAILED on day $day: $*" >&2
  deck notices list >&2 || true
  exit 1
}
deck() { "$keydeck" --config "$home/config.toml" --key-file "$home/maria.key" "$@"; }
# What is new in a log of messages: kind and name, one a line.
new_in() {
  [ ! -e "$1" ] || sed 's/{"days"/\n&/g' "$1" | sed -n 's/.*"name":"\([^"]*\)".*"what":"\([a-z_]*\)".*/\2 \1/p'
  rm -f "$1"
}
# What the program was told since it was asked last, and the server as well.
told() {
  local program posted
  program=$(new_in "$home/told")
  posted=$program
  [ -z "$server" ] || posted=$(new_in "$home/posted")
  [ "$program" = "$posted" ] || echo "the server was told otherwise: $posted"
  echo "$program"
}
says() { [ "$("${@:2}")" = "$1" ] || fail "expected '$1' of: ${*:2}"; }
has() { grep -q -- "$1" <<<"$2" || fail "'$1' is not in: $2"; }
lacks() { ! grep -q -- "$1" <<<"$2" || fail "'$1' is in: $2"; }

day=0
# So many whole days and then minutes after the beginning, on a machine that was started since.
at() {
  day=$1
  echo "$((day * 86400000 + 60000 + ${2:-0} * 60000)) boot$(date +%s%N)" >"$home/clock"
}
# What a sweep does then: action, days and name of each thing, one a line.
swept() {
  at "$@"
  deck sweep --json 2>/dev/null |
    sed 's/{"action"/\n&/g' |
    sed -n 's/.*"action":"\([a-z_]*\)".*"name":"\([^"]*\)","days":\([0-9a-z]*\).*/\1 \3 \2/p'
}
verify() { printf '%s' "$1" | deck verify 2>/dev/null || true; }

umask 077
printf '[channel.hook]\ncommand = ["/bin/sh", "-c", "cat >>%s/told"]\n' "$home" >"$home/config.toml"
at 0
printf 'correct horse battery staple' >"$home/pass" && chmod 600 "$home/pass"
"$keydeck" init --agency Acme --operator maria --passphrase-file "$home/pass" >"$home/recovery" 2>/dev/null
"$keydeck" --operator maria --passphrase-file "$home/pass" operator add cron --role admin --new-key-file "$home/maria.key" >/dev/null 2>&1
create() { deck key create --agency --scope contacts.read "$@" 2>/dev/null; }
unused=$(create --name Unused --expires never)
used=$(create --name Used --expires never)
create --name Kept --expires never >"$home/kept"
deck key protect Kept --why 'runs once a year' >/dev/null 2>&1
ends=$(create --name Ends --expires 40d)
held 'four keys: unused, used, protected, with an end'

# --- a server that takes what is signed as it should be ----------------------------------------------------------------
cat >"$home/server.py" <<'END'
import base64, hashlib, hmac, http.server, sys

secret, posted, ids = base64.b64decode(sys.argv[1]), sys.argv[2], sys.argv[3]

class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        id, at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        mac = hmac.new(secret, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
        genuine = self.headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()
        if genuine:
            with open(posted, "ab") as log:
                log.write(body)
            with open(ids, "a") as log:
                log.write(id + "\n")
        self.send_response(204 if genuine else 401)
        self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
print(server.server_port, flush=True)
server.serve_forever()
END
secret=MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
printf 'whsec_%s\n' "$secret" >"$home/server.secret"
printf '[channel.server]\nwebhook = "http://127.0.0.1:1/"\nsecret = "server.secret"\n' >"$home/probe.toml"
probe=$("$keydeck" --config "$home/probe.toml" --key-file "$home/maria.key" notices list 2>&1 || true)
if grep -q 'built without webhooks' <<<"$probe"; then
  echo 'skipped: the server, which needs a build with the feature webhook'
elif ! command -v python3 >/dev/null; then
  echo 'skipped: the server, which needs python3'
else
  mkfifo "$home/port"
  python3 "$home/server.py" "$secret" "$home/posted" "$home/ids" >"$home/port" &
  server=$!
  read -r port <"$home/port"
  printf '[channel.server]\nwebhook = "http://127.0.0.1:%s/"\nsecret = "server.secret"\n' "$port" >>"$home/config.toml"
  has 'server: accepted' "$(deck notices test server)"
  rm "$home/posted"
  # A new channel begins with what happens after its first sweep.
  lacks . "$(swept 0)"
  held 'a server takes a message that is signed with its secret'
fi

lacks . "$(swept 32)"
lacks . "$(told)"
says 'end_notice 7 Ends' swept 33
says 'ends Ends' told
lacks . "$(swept 33)"
says 'end_notice 1 Ends' swept 39
says allow verify "$ends"
at 40
says 'deny expired' verify "$ends"
says 'end_notice 0 Ends' swept 40
says 'ends Ends
ended Ends' told
held 'a key is told of 7 days and a day before its end, and at it, each once'

for wrong in $((400 * 86400000)) -315360000000 $((-1790000000000)) 253402300799000; do
  at 41
  deck sweep >/dev/null 2>&1
  # The same boot: the clock was set while the machine ran.
  echo "$wrong $(cut -d' ' -f2 "$home/clock")" >"$home/clock"
  ! deck sweep >/dev/null 2>"$home/err" || fail "swept by a clock that is wrong by $wrong ms"
  has 'clock' "$(cat "$home/err")"
done
held 'a clock that was set while the machine ran deletes nothing and tells nothing'

for day in 50 60 70; do
  at $day
  says allow verify "$used"
  lacks . "$(swept $day)"
done
lacks . "$(swept 74)"
says 'deletion_notice 15 Unused' swept 75
says 'deletion Unused' told
lacks . "$(swept 75)"
has '"what":"deletion"' "$(deck notices list --json)"
! deck due >/dev/null 2>&1 || deck due --within 14d >/dev/null 2>&1 || fail 'nothing is due within 15 days'
lacks . "$(swept 82)"
says 'deletion_notice 7 Unused' swept 83
lacks . "$(swept 88)"
says 'deletion_notice 1 Unused' swept 89
lacks . "$(swept 89 1380)"
says 'kdag' sh -c 'printf %.4s "$1"' - "$unused"
held 'a key nobody uses is told of 15, 7 and 1 days before'

says allow verify "$used"
says 'deletion Unused
deletion Unused' told
# Ninety days after it was made, and not an hour before.
says 'deleted null Unused' swept 90
says 'deleted Unused' told
lacks . "$(swept 90)"
says 'deny tombstoned' verify "$unused"
says allow verify "$used"
has '"what":"deleted"' "$(deck notices list --json)"
has 'Protected' "$(deck key show Kept)"
held 'it is deleted, the one in use and the protected one are not'

at 100
deck key restore Unused >/dev/null 2>&1
says 'deny revoked' verify "$unused"
lacks '"what":"deleted"' "$(deck notices list --json)"
deck key delete Unused --yes >/dev/null 2>&1
lacks . "$(swept 129 | grep -v Used || true)"
has 'purged null Unused' "$(swept 130)"
! deck key show Unused >/dev/null 2>&1 || fail 'a purged key is shown'
says 'deny tombstoned' verify "$unused"
held 'it can be restored as revoked, and thirty days after its deletion nothing is left of it'

lacks . "$(told)"
[ -z "$server" ] || [ "$(sort "$home/ids" | uniq -d)" = '' ] || fail 'the server got a message twice'
held 'the program was told of each step once, and the server if there is one'

at 131
old=$(create --name Turned --expires never)
says allow verify "$old"
new=$(deck key rotate Turned --grace 24h --from now 2>/dev/null)
says allow verify "$old"
says allow verify "$new"
has '"what":"grace_ends"' "$(deck notices list --json)"
at 131 1400
says allow verify "$old"
has '"what":"still_used"' "$(deck notices list --json)"
says 'end_notice 1 Turned' swept 131 1400
says 'grace_ends Turned
still_used Turned' told
at 132 1
says 'deny expired' verify "$old"
says 'grace_ended null Turned' swept 132 1
says 'deny revoked' verify "$old"
says allow verify "$new"
lacks 'grace_ends\|still_used' "$(deck notices list --json)"
held 'an old half works for a day, is told of while somebody uses it, and ends with its grace'

old=$new
new=$(deck key rotate Turned --grace 1h --from first-use 2>/dev/null)
lacks . "$(swept 140)"
says allow verify "$old"
says allow verify "$new"
says 'grace_begun null Turned
end_notice 1 Turned' swept 140 30
says allow verify "$old"
at 140 61
says 'deny expired' verify "$old"
says allow verify "$new"
says 'grace_ended null Turned' swept 140 61
held 'a grace that counts from the first use begins with it, however late that is'

trail=$(deck audit list --limit 500)
for code in notice.give key.delete-unused key.restore key.purge key.protect key.rotate; do has "$code" "$trail"; done
deck audit verify >/dev/null 2>&1 || fail 'the trail does not verify'
held 'the trail has each of it and verifies'
