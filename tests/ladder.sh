#!/usr/bin/env bash
# Three months with the real program, its clock set from outside: a key nobody uses is told of 15, 7 and 1 days before, then
# deleted, restored as revoked and purged, beside one that is used and one that is protected; a key ends; clocks that are wrong
# delete nothing. Asked of the board, of the trail, of the verification and of a program that takes the notices.
#
#   tests/ladder.sh [path of a debug build of keydeck]
#
# Prints one line for each thing that held; ends with 1 at the first that did not.
set -Eeuo pipefail

keydeck=${1:-target/debug/keydeck}
keydeck=$(cd "$(dirname "$keydeck")" && pwd)/$(basename "$keydeck")
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
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
# What the program was told since it was asked last: kind and name, one a line.
told() {
  [ ! -e "$home/told" ] || sed 's/{"days"/\n&/g' "$home/told" | sed -n 's/.*"name":"\([^"]*\)".*"what":"\([a-z_]*\)".*/\2 \1/p'
  rm -f "$home/told"
}
says() { [ "$("${@:2}")" = "$1" ] || fail "expected '$1' of: ${*:2}"; }
has() { grep -q -- "$1" <<<"$2" || fail "'$1' is not in: $2"; }
lacks() { ! grep -q -- "$1" <<<"$2" || fail "'$1' is in: $2"; }

day=0
# So many whole days after the beginning, on a machine that was started since.
at() {
  day=$1
  echo "$((day * 86400000 + 60000)) boot$(date +%s%N)" >"$home/clock"
}
# What a sweep does on a day: action, days and name of each thing, one a line.
swept() {
  at "$1"
  deck sweep --json 2>/dev/null |
    sed 's/{"action"/\n&/g' |
    sed -n 's/.*"action":"\([a-z_]*\)".*"name":"\([^"]*\)","days":\([0-9a-z]*\).*/\1 \3 \2/p'
}
verify() { printf '%s' "$1" | deck verify 2>/dev/null || true; }

(umask 077 && printf '[channel.hook]\ncommand = ["/bin/sh", "-c", "cat >>%s/told"]\n' "$home" >"$home/config.toml")
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
says 'kdag' sh -c 'printf %.4s "$1"' - "$unused"
held 'a key nobody uses is told of 15, 7 and 1 days before'

at 89
says allow verify "$used"
says 'deletion Unused
deletion Unused' told
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

trail=$(deck audit list --limit 500)
for code in notice.give key.delete-unused key.restore key.purge key.protect; do has "$code" "$trail"; done
deck audit verify >/dev/null 2>&1 || fail 'the trail does not verify'
lacks . "$(told)"
held 'the program was told of each step once'
held 'the trail has each of it and verifies'
