#!/usr/bin/env bash
# A day with the real programs: a store is founded, keydeck serves it, nginx stands in front of a small server and asks
# keydeck about every request, and a console in tmux works on the same store. What the console issues passes, what it
# revokes does not, and what was acknowledged survives a kill.
#
#   tests/day.sh [path of keydeck]
#
# Needs nginx, tmux and curl. Prints one line for each thing that held; ends with 1 at the first that did not.
set -euo pipefail

keydeck=${1:-target/debug/keydeck}
keydeck=$(cd "$(dirname "$keydeck")" && pwd)/$(basename "$keydeck")
for program in nginx tmux curl; do
  PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || { echo "skipped: needs $program"; exit 0; }
done
PATH=$PATH:/usr/sbin:/sbin

home=$(mktemp -d)
export HOME=$home TZ=UTC LANG=C.UTF-8 TERM=xterm-256color
export KEYDECK_DATA=$home/store KEYDECK_OPERATOR=maria
unset TMUX SSH_TTY DISPLAY WAYLAND_DISPLAY XDG_DATA_HOME XDG_CONFIG_HOME XDG_STATE_HOME XDG_RUNTIME_DIR
phrase='correct horse battery staple'
(umask 077 && printf '%s' "$phrase" >"$home/pass")
server='' proxy=''

end() {
  tmux -S "$home/tmux" kill-server 2>/dev/null || true
  [ -z "$proxy" ] || kill -9 "$proxy" 2>/dev/null || true
  [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$home"
}
trap end EXIT

held() { echo "held: $*"; }
fail() {
  echo "FAILED: $*" >&2
  echo '--- the console' >&2 && screen >&2 || true
  echo '--- the server' >&2 && cat "$home/serve.err" >&2 || true
  exit 1
}
# Asks again until the command says yes; gives up after so many seconds.
until_true() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || fail "waited in vain for $what"
    sleep 0.1
  done
}
is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() {
  local port
  while port=$((20000 + RANDOM % 20000)); do is_free "$port" && echo "$port" && return; done
}
says() { [ "$("${@:2}")" = "$1" ] || fail "expected '$1' of: ${*:2}"; }

# --- the store, and the server that has it open -----------------------------------------------------------------------
"$keydeck" init --agency Acme --operator maria --passphrase-file "$home/pass" >"$home/recovery" 2>/dev/null
held 'a store is founded'

serve() {
  "$keydeck" serve --listen "127.0.0.1:$1" --passphrase-file "$home/pass" 2>>"$home/serve.err" &
  server=$!
  until_true 30 'keydeck to serve' curl -fso /dev/null "http://127.0.0.1:$1/readyz"
}
api=$(free_port) && serve "$api"
held 'keydeck serves it'

# --- nginx, with the configuration users are given, in front of a server that says who asked --------------------------
front=$(free_port) back=$(free_port)
"$keydeck" guide nginx --listen "127.0.0.1:$api" --upstream "127.0.0.1:$back" --port "$front" >"$home/keydeck.conf"
cat >"$home/nginx.conf" <<END
daemon off; master_process off; pid nginx.pid; error_log stderr;
events { worker_connections 128; }
http {
  access_log off; client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server { listen 127.0.0.1:$back; location / { return 200 "hello \$http_keydeck_name\n"; } }
  include keydeck.conf;
}
END
nginx -p "$home" -c "$home/nginx.conf" -e stderr 2>"$home/nginx.err" &
proxy=$!
until_true 30 'nginx' curl -so /dev/null "http://127.0.0.1:$front/"
through() { curl -sS -o "$home/answer" -w '%{http_code}' -H "Authorization: Bearer $1" "http://127.0.0.1:$front$2"; }
says 401 curl -sS -o /dev/null -w '%{http_code}' "http://127.0.0.1:$front/"
held 'without a key nginx says 401'

# --- a console on the same store, attached to the server --------------------------------------------------------------
mux() { tmux -S "$home/tmux" "$@"; }
screen() { mux capture-pane -p -J -t day; }
sees() { until_true 30 "\"$1\" on the screen" shows "$1"; }
shows() { screen | grep -qF -- "$1"; }
hides() { ! shows "$1"; }
press() { mux send-keys -t day "$@"; }
types() { mux send-keys -l -t day "$1"; }
sign_in() { sees Passphrase && types "$phrase" && press Enter; }

mux -f /dev/null new-session -d -s day -x 120 -y 40 "$keydeck"
sees Passphrase
shows maria || { types maria && press Tab; }
sign_in && sees '1 Agency'
held 'a console attaches while the server has the store'

# Issues a key for the agency with one scope; leaves its token in $token.
issue() {
  press 1 && press n && sees 'Issue key'
  types "$1" && press Tab Tab && press C-u && types 30d && press Tab Tab Tab
  # Pasted, as a person would: typed letter by letter into a slow console it would be a race.
  press / && mux set-buffer "$2" && mux paste-buffer -p -t day && sees "$2"
  press Enter C-t && sees '1 scope' && press C-s && sees "$1 is issued"
  press r && until_true 30 'the token' has_token
  token=$(screen | grep -oE 'kdag_[1-9A-Za-z]{12}_[1-9A-Za-z]{38}' | head -1)
  press Space && sees 'enter closes' && press Enter && until_true 30 'the secret to be put away' hides 'I stored it'
}
has_token() { screen | grep -qE 'kdag_[1-9A-Za-z]{12}_[1-9A-Za-z]{38}'; }

issue 'Nightly export' contacts.read
nightly=$token
says 200 through "$nightly" /contacts/7
says 'hello Nightly export' cat "$home/answer"
held 'a key issued in the console passes through nginx, and the server behind it is told whose it is'

says 200 through "$nightly" /
issue 'Calendar bot' appointments.read
says 403 through "$token" /contacts/7
says 200 through "$token" /
held 'where a scope is missing nginx says 403'

# --- use is seen in the console ---------------------------------------------------------------------------------------
SECONDS=0
used() { screen | grep -F 'Nightly export' | grep -qE 'just now|[0-9]+ s ago'; }
# Two seconds are gathered before they are written; a busy machine may take longer, so the time is told, not asserted.
until_true 30 'the last use' used
held "the console shows the last use, $SECONDS s after it"

# --- the command line works beside both -------------------------------------------------------------------------------
cli() { "$keydeck" "$@" --passphrase-file "$home/pass"; }
cli key create --name 'From a script' --agency --scope contacts.read >"$home/script.token" 2>/dev/null
sees 'From a script'
says 200 through "$(cat "$home/script.token")" /contacts
held 'what the command line issues is in the console at once'

# --- revoked in the console: the very next request --------------------------------------------------------------------
press / && mux set-buffer 'Nightly' && mux paste-buffer -p -t day && press Enter
until_true 30 'the filter' hides 'Calendar bot'
press X && sees 'Revoke' && types 'Nightly export' && press Enter
sees 'is revoked'
says 401 through "$nightly" /contacts/7
held 'revoked in the console, the very next request is refused'

# --- the server is killed, and nothing is lost ------------------------------------------------------------------------
kill -9 "$server" && wait "$server" 2>/dev/null || true
[ "$(through "$nightly" /)" != 200 ] && [ "$(through "$token" /)" != 200 ] || fail 'passed without a server'
sees Passphrase
held 'without a server nothing passes, and the console says so and asks to sign in again'
serve "$api"
says 200 through "$token" /
says 401 through "$nightly" /contacts/7
sign_in && sees "1 Agency" && press Escape && sees "Calendar bot"
issue 'After the storm' contacts.read
says 200 through "$token" /contacts/7
held 'started again it knows every key, and the console goes on where it was'

cli audit verify >"$home/verify.out" || fail "audit verify: $(cat "$home/verify.out")"
grep -q intact "$home/verify.out"
[ "$(cli audit list | grep -c key.issue)" = 4 ] || fail 'an entry is missing'
held 'the audit trail is whole'

press q && until_true 30 'the console to end' eval '! mux has-session 2>/dev/null'
kill "$server" && wait "$server" || fail "keydeck serve ended with $?"
server=''
held 'console and server end in order'
