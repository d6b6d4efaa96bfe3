//! What a request to `/verify` costs, beside bare hyper servers that answer every request with a fixed 200.
//!
//! `cargo bench --bench http [-- FILTER]`. All servers are processes of their own, loaded by the same `wrk` with the same
//! requests, in turns. The first bare server answers with nothing but the status, on as many threads as there are
//! processors, as hyper's examples do. The second has keydeck's threads and sends the same headers each time: what is
//! above it is the verification. The steadiest figure is the processor time of the server per request; load generator
//! and server share the machine, so requests per second say less. Tokens are drawn from all keys, but at most
//! [`PRESENTED`] different ones, because wrk keeps its requests in memory. The last row is of a
//! server that writes down meanwhile what was used: where each request comes with another key, that is much work.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where its scene cannot be set")]
#![expect(clippy::print_stdout, reason = "a benchmark's table is its result")]
#![expect(clippy::cast_precision_loss, reason = "figures")]

mod support;

use std::convert::Infallible;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use keydeck::crypto::CryptoError;
use keydeck::crypto::digest::Pepper;
use keydeck::crypto::random::{Entropy, OsEntropy};
use keydeck::crypto::token::{Token, TokenKind};
use keydeck::domain::{Expiry, Key, KeyId, Name, Note, Place, Record, Scopes, Status, Timestamp, Verifier};
use keydeck::engine::Via;
use keydeck::engine::clock::SystemClock;
use keydeck::engine::open::in_store_holding;
use keydeck::serve::http::{Endpoint, Limits, Server};
use keydeck::store::MemoryStore;
use support::large::scratch;
use support::{median_of, quick, wanted};
use tempfile::TempDir;

/// Different tokens presented.
const PRESENTED: usize = 100_000;
const CONNECTIONS: usize = 32;
/// What a child process is told to be: [`BARE`], [`SAME`], or a number of keys and a directory for the tokens,
/// after [`WRITING`] where it writes down what was used.
const ROLE: &str = "KEYDECK_BENCH_ROLE";
const BARE: &str = "bare";
const SAME: &str = "same";
const WRITING: &str = "writing";
const SETS: [&str; 3] =
    ["contacts.read", "contacts.read contacts.write", "calendars.read contacts.read opportunities.read"];

fn main() {
    if let Some(role) = std::env::var_os(ROLE) {
        return serve(role.to_str().unwrap());
    }
    if Command::new("wrk").arg("-v").output().is_err() {
        println!("skipped: needs wrk");
        return;
    }
    for keys in if quick() { vec![1, 1_000] } else { vec![1, 100_000, 1_000_000] } {
        if wanted(&format!("{keys} keys")) {
            compare(keys);
        }
    }
}

// ---- the two servers ------------------------------------------------------------------------------------------

fn serve(role: &str) {
    let runtime = if role == BARE {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
    } else {
        keydeck::serve::http::runtime(keydeck::serve::http::default_workers()).unwrap()
    };
    let say = |address: std::net::SocketAddr| {
        println!("{address}");
        std::io::stdout().flush().unwrap();
    };
    if [BARE, SAME].contains(&role) {
        let headers = if role == SAME { same_headers() } else { HeaderMap::new() };
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            say(listener.local_addr().unwrap());
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                let headers = headers.clone();
                let answer = service_fn(move |_: Request<Incoming>| {
                    let mut response = Response::new(Full::<Bytes>::default());
                    *response.headers_mut() = headers.clone();
                    std::future::ready(Ok::<_, Infallible>(response))
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
            }
        });
    }
    let writes = role.strip_prefix(WRITING);
    let (keys, dir) = writes.unwrap_or(role).trim_start().split_once(' ').unwrap();
    let engine = filled(keys.parse().unwrap(), Path::new(dir));
    if writes.is_some() {
        engine.write_uses();
    }
    runtime.block_on(async {
        let server = Server::bind(engine, &"127.0.0.1:0".parse().unwrap(), Limits::default()).unwrap();
        let Endpoint::Tcp(address) = server.endpoint() else { unreachable!("it was asked for an address") };
        say(*address);
        server.run(std::future::pending()).await;
    });
}

/// As long as those of the keys here.
fn same_headers() -> HeaderMap {
    let values = [
        "7HqP2mVx9KtR",
        "agency",
        "Nightly export 123456",
        "maria",
        "contacts.read contacts.write",
        "",
        "",
        "",
        "",
    ];
    let mut map = HeaderMap::new();
    for (name, value) in keydeck::serve::http::IDENTITY.into_iter().zip(values) {
        map.insert(name, HeaderValue::from_static(value));
    }
    map.insert("cache-control", HeaderValue::from_static("no-store"));
    map
}

/// Draws from the operating system by the mebibyte.
struct Pooled(Vec<u8>);

impl Entropy for Pooled {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        if self.0.len() < out.len() {
            self.0.resize(1 << 20, 0);
            OsEntropy.fill(&mut self.0)?;
        }
        let rest = self.0.len() - out.len();
        out.copy_from_slice(&self.0[rest..]);
        self.0.truncate(rest);
        Ok(())
    }
}

/// An engine with `keys` keys; tokens of some of them, and as many of none, go to files.
fn filled(keys: usize, dir: &Path) -> Arc<keydeck::engine::LocalEngine> {
    let name = |text: &str| Name::new(text).unwrap();
    let (mut entropy, mut valid) = (Pooled(Vec::new()), Vec::new());
    let step = keys.div_ceil(PRESENTED);
    let now = Timestamp(1_790_000_000_000);
    let sets: Vec<Scopes> = SETS.iter().map(|set| set.parse().unwrap()).collect();
    let open = in_store_holding(
        Arc::new(MemoryStore::new()),
        name("Acme"),
        name("maria"),
        Arc::new(SystemClock),
        Via::CommandLine,
        Box::new(OsEntropy),
        |pepper, owner, state| {
            for n in 0..keys {
                let token = Token::mint(TokenKind::Agency, &mut entropy).unwrap();
                state.put(Record::Key(Key {
                    id: KeyId(token.id()),
                    name: name(&format!("Nightly export {n}")),
                    place: Place::Agency,
                    owner,
                    scopes: sets[n % sets.len()].clone(),
                    note: Note::default(),
                    created_at: now,
                    expiry: Expiry::Never,
                    status: Status::Active,
                    verifier: Verifier { digest: pepper.digest(token.bytes()), pepper: Pepper::NOW },
                    imported: None,
                    counted_from: None,
                    protection: None,
                    notice_days: None,
                    contacts: None,
                    succeeds: None,
                    superseded: None,
                    motive: None,
                    pause_ends: None,
                    handed: None,
                    decoy: None,
                    report_only: None,
                    kept: None,
                }));
                if n % step == 0 {
                    valid.push(token.reveal().to_owned());
                }
            }
        },
    )
    .unwrap();
    let unknown: Vec<String> = (0..valid.len())
        .map(|_| Token::mint(TokenKind::Agency, &mut entropy).unwrap().reveal().to_owned())
        .collect();
    fs::write(dir.join("valid"), valid.join("\n")).unwrap();
    fs::write(dir.join("unknown"), unknown.join("\n")).unwrap();
    open.engine
}

// ---- the load -------------------------------------------------------------------------------------------------

struct Target {
    child: Child,
    address: String,
}

impl Target {
    fn start(role: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.env(ROLE, role).stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim().to_owned() }
    }

    /// Nanoseconds of processor time of all its threads so far.
    fn processor_time(&self) -> f64 {
        let pid = self.child.id();
        let of = |task: PathBuf| {
            let text = fs::read_to_string(task.join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<f64>().ok()
        };
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
        let exact: Option<Vec<f64>> = tasks.map(|task| of(task.path())).collect();
        exact.map_or_else(
            || {
                let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
                let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
                // User and system time, in hundredths of a second.
                fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() * 1e7).sum()
            },
            |times| times.iter().sum(),
        )
    }

    fn resident(&self) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// One turn of load: µs of processor time per request, requests per second, p50 and p99 in µs, share of 2xx.
fn load(target: &Target, script: &Path, tokens: &Path, path: &str, seconds: &str) -> [f64; 5] {
    let before = target.processor_time();
    let done = Command::new("wrk")
        .args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}"), "-s"])
        .arg(script)
        .arg(format!("http://{}{path}", target.address))
        .env("TOKENS", tokens)
        .output()
        .unwrap();
    let spent = target.processor_time() - before;
    let text = String::from_utf8(done.stdout).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("figures ")).unwrap();
    let figures: Vec<f64> = line.split(' ').map(|figure| figure.parse().unwrap()).collect();
    let [requests, microseconds, p50, p99, refused] = figures[..] else { unreachable!("{line}") };
    [spent / 1e3 / requests, requests / microseconds * 1e6, p50, p99, 1.0 - refused / requests]
}

const SCRIPT: &str = r#"
local requests, at = {}, 0
init = function(args)
  for token in io.lines(os.getenv("TOKENS")) do
    requests[#requests + 1] = wrk.format("GET", nil, { ["Authorization"] = "Bearer " .. token })
  end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
done = function(summary, latency, requests)
  io.write(string.format("figures %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), summary.errors.status))
end
"#;

/// What is measured: a name, the server, the tokens presented, the path, and the share of allowed requests.
type Row<'a> = (&'static str, &'a Target, PathBuf, &'static str, f64);

/// The servers of one start.
struct Scene {
    bare: Target,
    same: Target,
    keydeck: Target,
    scribe: Target,
    dir: TempDir,
    writing: TempDir,
}

impl Scene {
    fn start(keys: usize) -> Self {
        let (dir, writing) = (scratch(), scratch());
        fs::write(dir.path().join("load.lua"), SCRIPT).unwrap();
        Self {
            bare: Target::start(BARE),
            same: Target::start(SAME),
            keydeck: Target::start(&format!("{keys} {}", dir.path().display())),
            scribe: Target::start(&format!("{WRITING} {keys} {}", writing.path().display())),
            dir,
            writing,
        }
    }

    fn rows(&self) -> [Row<'_>; 6] {
        let (valid, unknown) = (self.dir.path().join("valid"), self.dir.path().join("unknown"));
        let written = self.writing.path().join("valid");
        [
            ("bare hyper, fixed 200", &self.bare, valid.clone(), "/verify", 1.0),
            ("bare hyper, same threads, headers", &self.same, valid.clone(), "/verify", 1.0),
            ("keydeck, valid token", &self.keydeck, valid.clone(), "/verify", 1.0),
            ("keydeck, valid token, one scope", &self.keydeck, valid, "/verify?scope=contacts.read", 1.0),
            ("keydeck, unknown token", &self.keydeck, unknown, "/verify", 0.0),
            ("keydeck, valid, its use written down", &self.scribe, written, "/verify", 1.0),
        ]
    }

    /// The figures of each row in one turn, and what its server keeps in memory after it.
    fn turn(&self, seconds: &str) -> Vec<[f64; 6]> {
        let figures = |(_, target, tokens, path, allowed): Row<'_>| {
            let [cpu, rate, p50, p99, share] =
                load(target, &self.dir.path().join("load.lua"), &tokens, path, seconds);
            assert!((share - allowed).abs() < 1e-9, "not every answer was the expected one: {share}");
            [cpu, rate, p50, p99, share, target.resident()]
        };
        self.rows().into_iter().map(figures).collect()
    }
}

fn compare(keys: usize) {
    let (starts, rounds, seconds) = if quick() { (1, 1, "1s") } else { (3, 3, "2s") };
    let mut turns: Vec<Vec<[f64; 6]>> = Vec::new();
    let mut names = Vec::new();
    // Where the system happens to put a program's memory makes some per cent of difference, hence several starts.
    for _ in 0..starts {
        let scene = Scene::start(keys);
        // The first turn warms up and is not counted.
        scene.turn(seconds);
        turns.extend((0..rounds).map(|_| scene.turn(seconds)));
        names = scene.rows().map(|(name, ..)| name).to_vec();
    }
    println!(
        "\nHTTP, {keys} keys, {CONNECTIONS} connections  ({starts} starts, {rounds} rounds of {seconds} each; medians; ratios to the first, and of \
         the processor time to the second)"
    );
    println!(
        "  {:<36} {:>8} {:>6} {:>6} {:>9} {:>6} {:>8} {:>8} {:>6} {:>8}",
        "", "CPU µs", "ratio", "2nd", "req/s", "ratio", "p50 µs", "p99 µs", "ratio", "RSS MiB"
    );
    for (row, name) in names.iter().enumerate() {
        let of = |at: usize| median_of(&turns.iter().map(|turn| turn[row][at]).collect::<Vec<_>>());
        let ratio_to = |nth: usize, at: usize| {
            median_of(&turns.iter().map(|turn| turn[row][at] / turn[nth][at]).collect::<Vec<_>>())
        };
        let ratio = |at: usize| ratio_to(0, at);
        println!(
            "  {name:<36} {:>8.2} {:>6.2} {:>6.2} {:>9.0} {:>6.2} {:>8.0} {:>8.0} {:>6.2} {:>8.0}",
            of(0),
            ratio(0),
            ratio_to(1, 0),
            of(1),
            ratio(1),
            of(2),
            of(3),
            ratio(3),
            of(5)
        );
    }
}
